using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Core;

/// <summary>When tensors begin and end: arenas, what is kept, what the tape holds.</summary>
public class LifetimeTests
{
    private static Device Device => Devices.Open("cpu");

    [Test]
    public void ArenaEnd_EndsItsTensors()
    {
        long before = Device.Pool.UsedBytes;
        Tensor x, y;
        using (Device.BeginArena())
        {
            x = Tensor.Zeros(Device, new Shape(3, 5));
            y = x.Gelu();
            Assert.That(Device.Pool.UsedBytes, Is.GreaterThan(before));
        }
        Assert.That(Device.Pool.UsedBytes, Is.EqualTo(before));
        Assert.That(() => x.ToArray(), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => y.Gelu(), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void Keep_HandsToTheEnclosingArena()
    {
        long before = Device.Pool.UsedBytes;
        Tensor kept;
        using (Device.BeginArena())
        {
            using (var inner = Device.BeginArena())
                kept = inner.Keep(Tensor.From(Device, [1f, 2], new Shape(2)));
            Assert.That(kept.ToArray(), Is.EqualTo(new float[] { 1, 2 }));
        }
        Assert.That(() => kept.ToArray(), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(Device.Pool.UsedBytes, Is.EqualTo(before));
    }

    [Test]
    public void Keep_ByAnOuterArena_OfWhatAnInnerOneMade_LivesBeyondBoth()
    {
        Tensor kept;
        using (var outer = Device.BeginArena())
        using (Device.BeginArena())
            kept = outer.Keep(Tensor.From(Device, [1f, 2], new Shape(2)));
        Assert.That(kept.ToArray(), Is.EqualTo(new float[] { 1, 2 }));
        kept.Dispose();
    }

    [TestCase(-1)]
    [TestCase(1_000_000)]
    public void Threads_ThatNobodyHas_AreRefused(int threads) =>
        Assert.That(() => new DeviceOptions { Threads = threads }, Throws.InstanceOf<ArgumentOutOfRangeException>());

    [Test]
    public void Keep_WithoutEnclosingArena_LivesUntilDispose()
    {
        long before = Device.Pool.UsedBytes;
        Tensor kept;
        using (var arena = Device.BeginArena())
            kept = arena.Keep(Tensor.From(Device, [3f], new Shape(1)));
        Assert.That(kept.Item(), Is.EqualTo(3));
        kept.Dispose();
        Assert.That(Device.Pool.UsedBytes, Is.EqualTo(before));
        Assert.That(() => kept.Item(), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void Keep_OfWhatIsOutside_ChangesNothing()
    {
        using var outer = Device.BeginArena();
        var x = Tensor.From(Device, [1f], new Shape(1));
        using (var inner = Device.BeginArena())
            Assert.That(inner.Keep(x), Is.SameAs(x));
        Assert.That(x.Item(), Is.EqualTo(1));
    }

    [Test]
    public void Arenas_EndInOrder()
    {
        using var device = Device.Open("cpu", new DeviceOptions { Threads = 1 });
        var outer = device.BeginArena();
        var inner = device.BeginArena();
        Assert.That(outer.Dispose, Throws.InvalidOperationException);
        inner.Dispose();
        outer.Dispose();
    }

    [Test]
    public void Dispose_EndsATensorBeforeItsArena()
    {
        using var arena = Device.BeginArena();
        long before = Device.Pool.UsedBytes;
        var x = Tensor.Zeros(Device, new Shape(1));
        x.Dispose();
        Assert.That(Device.Pool.UsedBytes, Is.EqualTo(before));
        Assert.That(() => x.Item(), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void StrictMemory_HoldsNaN()
    {
        using var arena = Device.BeginArena();
        Assert.That(Device.Rent(new Shape(17)).ToArray(), Is.All.NaN);
    }

    /// <summary>The tape keeps what backward passes need beyond the arena, and nothing else; the backward pass lets go of it.</summary>
    [Test]
    public void Tape_HoldsActivationsUntilTheyAreUsed()
    {
        using var outer = Device.BeginArena();
        var x = Tensor.From(Device, [1f, -2, 3], new Shape(3));
        x.RequiresGrad = true;
        using var tape = new Tape(Device);
        long before = Device.Pool.UsedBytes;
        Tensor y;
        using (var forward = Device.BeginArena())
        {
            tape.Record();
            y = forward.Keep(x.Gelu().Softmax().Gelu());
        }
        Assert.That(Device.Pool.UsedBytes, Is.GreaterThan(before));
        using (Device.BeginArena())
            tape.Backward(y, Tensor.From(Device, [1f, 1, 1], new Shape(3)));
        Assert.That(x.Grad!.Shape, Is.EqualTo(x.Shape));
        // What remains is y, which was kept, and the gradient of x.
        Assert.That(Device.Pool.UsedBytes - before, Is.EqualTo(2 * 64));
    }

    [Test]
    public void TapeDispose_LetsGoOfARecording()
    {
        long before = Device.Pool.UsedBytes;
        using (var tape = new Tape(Device))
        using (Device.BeginArena())
        {
            var x = Tensor.Zeros(Device, new Shape(100));
            x.RequiresGrad = true;
            tape.Record();
            x.Gelu().Gelu();
        }
        Assert.That(Device.Pool.UsedBytes, Is.EqualTo(before));
        Assert.That(Device.Tape, Is.Null);
    }

    [Test]
    public void WithoutTape_NothingIsRecorded()
    {
        using var arena = Device.BeginArena();
        var x = Tensor.Zeros(Device, new Shape(4));
        x.RequiresGrad = true;
        Assert.That(x.Gelu().RequiresGrad, Is.False);
    }

    [Test]
    public void WithoutGradient_NothingIsRecorded()
    {
        using var arena = Device.BeginArena();
        using var tape = new Tape(Device);
        tape.Record();
        var y = Tensor.Zeros(Device, new Shape(1)).Gelu();
        Assert.That(y.RequiresGrad, Is.False);
        Assert.That(() => tape.Backward(y), Throws.InvalidOperationException);
    }

    [Test]
    public void SecondTape_IsRefused()
    {
        using var first = new Tape(Device);
        using var second = new Tape(Device);
        first.Record();
        Assert.That(second.Record, Throws.InvalidOperationException);
    }

    [Test]
    public void BackwardFromManyNumbers_IsRefused()
    {
        using var arena = Device.BeginArena();
        using var tape = new Tape(Device);
        Assert.That(() => tape.Backward(Tensor.Zeros(Device, new Shape(2))), Throws.ArgumentException);
    }
}
