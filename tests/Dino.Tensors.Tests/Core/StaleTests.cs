using Dino.Tensors.Nn;
using Dino.Tensors.Ops;
using Dino.Tensors.Optim;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Core;

/// <summary>What has ended stays ended, on devices that are not strict too, and ending something twice harms nobody.</summary>
public class StaleTests
{
    [Test]
    public void DisposedTensor_DoesNotComeBackAsAnother()
    {
        using var device = Open();
        var t = Tensor.From(device, [1f, 2], new Shape(2));
        t.Dispose();
        var u = Tensor.From(device, [7f, 8], new Shape(2));
        Assert.That(() => t.ToArray(), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => t.CopyFrom([3f, 4]), Throws.InstanceOf<ObjectDisposedException>());
        t.Dispose();
        Assert.That(u.ToArray(), Is.EqualTo(new float[] { 7, 8 }));
    }

    [Test]
    public void TensorOfAnEndedArena_DoesNotComeBackAsAnother()
    {
        using var device = Open();
        List<Tensor> ended = [];
        for (int i = 0; i < 3; i++)
        {
            using var arena = device.BeginArena();
            foreach (var tensor in ended)
            {
                Assert.That(() => tensor.ToArray(), Throws.InstanceOf<ObjectDisposedException>());
                tensor.Dispose();
            }
            var x = Tensor.From(device, [1f, 2], new Shape(2));
            ended.AddRange([x, x.Gelu(), x.Linear(Tensor.Zeros(device, new Shape(2, 2)), null), x.Reshape(new Shape(2, 1)),
                x.Alias(new Shape(1))]);
            Assert.That(x.ToArray(), Is.EqualTo(new float[] { 1, 2 }));
        }
    }

    [Test]
    public void GradientOfAnEndedTensor_DoesNotComeBackAsAnother()
    {
        using var device = Open();
        using var tape = new Tape(device);
        Tensor grad;
        using (device.BeginArena())
        {
            var x = Tensor.From(device, [1f, 2], new Shape(2));
            x.RequiresGrad = true;
            tape.Record();
            tape.Backward(x.Scale(2).Sum());
            grad = x.Grad!;
        }
        using var later = device.BeginArena();
        var y = Tensor.From(device, [3f, 4], new Shape(2));
        y.RequiresGrad = true;
        tape.Record();
        tape.Backward(y.Scale(5).Sum());
        Assert.That(() => grad.ToArray(), Throws.InstanceOf<ObjectDisposedException>());
    }

    /// <summary>What a backward pass of somebody's own op was given, and made itself, ends like everything else.</summary>
    [Test]
    public void TensorsOfAnEndedBackwardPass_DoNotComeBackAsOthers()
    {
        using var device = Open();
        using var tape = new Tape(device);
        List<Tensor> ended = [];
        for (int i = 0; i < 3; i++)
        {
            using var arena = device.BeginArena();
            var x = Tensor.From(device, [1f, 2], new Shape(2));
            x.RequiresGrad = true;
            tape.Record();
            var y = x.Scale(2);
            var z = device.Rent(y.Shape);
            z.Fill(3);
            tape.Add<KeepingNode>(z).Of(y, ended);
            tape.Backward(z.Scale(2).Sum());
            Assert.That(ended, Has.Count.EqualTo(2 * (i + 1)));
            Tensor[] later = [x.Scale(1), x.Scale(2), x.Scale(3), x.Scale(4)];
            foreach (var tensor in ended)
            {
                Assert.That(() => tensor.ToArray(), Throws.InstanceOf<ObjectDisposedException>());
                tensor.Dispose();
            }
            Assert.That(later[3].ToArray(), Is.EqualTo(new float[] { 4, 8 }));
        }
    }

    /// <summary>Also where a loop has its tensors' objects used again: not before the arena ends.</summary>
    [Test]
    public void DisposedTensor_WhereObjectsAreUsedAgain_StaysEndedUntilTheArenaEnds()
    {
        using var device = Open();
        for (int i = 0; i < 3; i++)
        {
            using var arena = device.BeginArena(reuseTensors: true);
            var t = Tensor.From(device, [1f, 2], new Shape(2));
            t.Dispose();
            var u = Tensor.From(device, [7f, 8], new Shape(2));
            Assert.That(() => t.ToArray(), Throws.InstanceOf<ObjectDisposedException>());
            t.Dispose();
            Assert.That(arena.Keep(t), Is.SameAs(t));
            Assert.That(u.ToArray(), Is.EqualTo(new float[] { 7, 8 }));
        }
    }

    [Test]
    public void WhatIsKept_OutOfALoopThatUsesObjectsAgain_IsNotUsedAgain_NorIsItsGradient()
    {
        using var device = Open();
        using var tape = new Tape(device);
        Tensor x;
        using (var arena = device.BeginArena(reuseTensors: true))
        {
            x = Tensor.From(device, [1f, 2], new Shape(2));
            x.RequiresGrad = true;
            tape.Record();
            tape.Backward(x.Scale(2).Sum());
            arena.Keep(x);
        }
        var grad = x.Grad!;
        Assert.That(grad.ToArray(), Is.EqualTo(new float[] { 2, 2 }));
        x.Dispose();
        using var later = device.BeginArena(reuseTensors: true);
        for (int i = 0; i < 8; i++)
            Tensor.From(device, [3f, 4], new Shape(2));
        Assert.That(() => x.ToArray(), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => grad.ToArray(), Throws.InstanceOf<ObjectDisposedException>());
    }

    [Test]
    public void SecondDispose_OfATensorThatATapeHolds_TakesNothingFromTheTape()
    {
        using var device = Open();
        using var arena = device.BeginArena();
        using var tape = new Tape(device);
        var x = Tensor.From(device, [1f, 2, 3], new Shape(3));
        x.RequiresGrad = true;
        tape.Record();
        var y = x.Scale(1);
        var loss = y.Multiply(y).Sum();
        y.Dispose();
        y.Dispose();
        Tensor.From(device, [9f, 9, 9], new Shape(3));
        tape.Backward(loss);
        Assert.That(x.Grad!.ToArray(), Is.EqualTo(new float[] { 2, 4, 6 }));
    }

    [Test]
    public void SecondDispose_OfAnArena_DoesNotEndAnother()
    {
        using var device = Open();
        var a = device.BeginArena();
        a.Dispose();
        using var c = device.BeginArena();
        var x = Tensor.From(device, [1f], new Shape(1));
        a.Dispose();
        Assert.That(x.Item(), Is.EqualTo(1));
        Assert.That(a.Keep(x), Is.SameAs(x));
    }

    [Test]
    public void SecondDispose_OfEverythingElse_DoesNothing()
    {
        var device = Open();
        var parameters = new FlatParameters(new Linear(2, 2), device, trainable: true);
        var optimizer = new AdamW(parameters);
        var tape = new Tape(device);
        for (int i = 0; i < 2; i++)
        {
            optimizer.Dispose();
            tape.Dispose();
            parameters.Dispose();
        }
        Assert.That(device.Pool.UsedBytes, Is.Zero);
        device.Dispose();
        device.Dispose();
        Assert.That(device.Pool.UsedBytes, Is.Zero);
    }

    [Test]
    public void UsingWhatWasDisposed_SaysSo()
    {
        using var device = Open();
        var module = new Linear(2, 2);
        var parameters = new FlatParameters(module, device, trainable: true);
        var optimizer = new Sgd(parameters);
        parameters.Dispose();
        Assert.That(() => optimizer.Step(1, 0, 0), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => parameters.CompleteGradients(), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(parameters.ZeroGrad, Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => parameters.Save(), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => parameters.Initialize(1), Throws.InstanceOf<ObjectDisposedException>());
        using var again = new FlatParameters(module, device, trainable: true);
        using var other = new Sgd(again);
        optimizer.Dispose();
        Assert.That(() => optimizer.Step(1, 0, 0), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => other.Step(1), Throws.Nothing);
    }

    [Test]
    public void WhatOutlivesItsDevice_SaysSo_AndEndsQuietly()
    {
        var device = Open();
        var parameters = new FlatParameters(new Linear(100, 100), device, trainable: true);
        var optimizer = new AdamW(parameters);
        Tensor weight = parameters.Parameters[0].Value, bias = parameters.Parameters[1].Value;
        var tape = new Tape(device);
        var arena = device.BeginArena();
        var x = Tensor.Zeros(device, new Shape(1, 100));
        tape.Record();
        var y = x.Linear(weight, bias);
        device.Dispose();

        foreach (var tensor in new[] { weight, bias, x, y })
        {
            Assert.That(() => tensor.ToArray(),
                Throws.InstanceOf<ObjectDisposedException>().With.Message.Contains("Device cpu has been disposed"));
            Assert.That(() => tensor.Fill(1), Throws.InstanceOf<ObjectDisposedException>());
            Assert.That(() => tensor.Alias(new Shape(1)), Throws.InstanceOf<ObjectDisposedException>());
        }
        Assert.That(() => Tensor.Zeros(device, new Shape(1)), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => device.BeginArena(), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(device.Synchronize, Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => tape.Backward(y.Sum()), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => tape.Backward(y, y), Throws.InstanceOf<InvalidOperationException>());
        Assert.That(new Tape(device).Record, Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => optimizer.Step(1, 0, 0), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => new FlatParameters(new Linear(1, 1), device, false), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(
            () =>
            {
                tape.Dispose();
                y.Dispose();
                arena.Dispose();
                optimizer.Dispose();
                parameters.Dispose();
            },
            Throws.Nothing);
    }

    /// <summary>Keeps what its backward pass sees.</summary>
    private sealed class KeepingNode : Node
    {
        private Tensor x = null!;
        private List<Tensor> seen = [];

        public void Of(Tensor input, List<Tensor> list) => (x, seen) = (Track(input), list);

        public override void Backward(Tensor dy)
        {
            seen.AddRange([dy, dy.Device.Rent(dy.Shape)]);
            Tape.AddGradient(x, dy);
        }
    }

    private static Device Open() => Device.Open("cpu", new DeviceOptions { Threads = 1 });
}
