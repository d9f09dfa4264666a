using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Core;

/// <summary>How tensors are made from numbers, taken to other devices, and taken out of a recording.</summary>
public class MakingTests
{
    /// <summary>Whole numbers in the code are floats, without a suffix, and a shape need not be said.</summary>
    [Test]
    public void Numbers_MakeFloats()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        var x = Tensor.From(device, [0, 1]);
        Assert.That((x.DType, x.Shape), Is.EqualTo((DType.Float32, new Shape(2))));
        Assert.That(x.Gelu().ToArray()[0], Is.Zero);
        Assert.That(Tensor.From(device, [1, 2, 3, 4], new Shape(2, 2)).DType, Is.EqualTo(DType.Float32));
        x.CopyFrom([5, 6]);
        Assert.That(x.ToArray(), Is.EqualTo(new float[] { 5, 6 }));
        var rows = Tensor.FromInts(device, [7, 8]);
        Assert.That((rows.DType, rows.Shape), Is.EqualTo((DType.Int32, new Shape(2))));
        rows.CopyFromInts([9, -1]);
        Assert.That(rows.ToIntArray(), Is.EqualTo(new[] { 9, -1 }));
        Assert.That(() => rows.CopyFrom([1, 2]), Throws.ArgumentException.With.Message.Contains("Int32"));
        Assert.That(() => x.CopyFromInts([1, 2]), Throws.ArgumentException.With.Message.Contains("Float32"));
        Assert.That(Tensor.Ones(device, new Shape(3)).ToArray(), Is.All.EqualTo(1));
        Assert.That(Tensor.Full(device, new Shape(2, 2), -0.5f).ToArray(), Is.EqualTo(new float[] { -0.5f, -0.5f, -0.5f, -0.5f }));
    }

    [Test]
    public void To_CopiesToAnotherDevice_AndKeepsTheType()
    {
        using Device here = Device.Open("cpu", new DeviceOptions { Threads = 1 }), there = Device.Open("cpu:debug");
        using Arena a = here.BeginArena(), b = there.BeginArena();
        var x = Tensor.From(here, [1, 2, 3, 4], new Shape(2, 2));
        var y = x.Alias(new Shape(2), 2).To(there);
        Assert.That((y.Device, y.Shape), Is.EqualTo((there, new Shape(2))));
        Assert.That(y.Scale(2).To(here).ToArray(), Is.EqualTo(new float[] { 6, 8 }));
        Assert.That(x.To(here), Is.SameAs(x));
        Assert.That(Tensor.FromInts(there, [-3, int.MaxValue]).To(here).ToIntArray(), Is.EqualTo(new[] { -3, int.MaxValue }));
        Assert.That(Tensor.Zeros(here, new Shape(0, 2)).To(there).Shape, Is.EqualTo(new Shape(0, 2)));
        x.Dispose();
        Assert.That(() => x.To(there), Throws.InstanceOf<ObjectDisposedException>());
        Assert.That(() => y.To(null!), Throws.ArgumentNullException);
    }

    [Test]
    public void Detach_SharesTheNumbers_AndSendsNoGradientBack()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        using var tape = new Tape(device);
        var x = Tensor.From(device, [1, 2]);
        x.RequiresGrad = true;
        tape.Record();
        var y = x.Scale(3);
        var fixedFactor = y.Detach();
        Assert.That(fixedFactor.RequiresGrad, Is.False);
        tape.Backward(y.Multiply(fixedFactor).Sum());
        Assert.That(x.Grad!.ToArray(), Is.EqualTo(new float[] { 9, 18 })); // 3 · 3x, not twice that
        var z = x.Detach();
        z.Fill(5);
        Assert.That(x.ToArray(), Is.All.EqualTo(5));
    }
}
