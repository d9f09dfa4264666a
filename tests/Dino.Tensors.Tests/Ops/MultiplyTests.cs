using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class MultiplyTests : OpTests<MultiplyTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases => BroadcastCases.All("Multiply", x => x[0].Multiply(x[1]), (a, b) => a * b);

    [Test]
    public void Square_HasTwiceTheGradient()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        using var tape = new Tape(device);
        var x = Tensor.From(device, [3f, -5], new Shape(2));
        x.RequiresGrad = true;
        tape.Record();
        tape.Backward(x.Multiply(x).Sum());
        Assert.That(x.Grad!.ToArray(), Is.EqualTo(new float[] { 6, -10 }));
    }

    [TestCaseSource(typeof(BroadcastCases), nameof(BroadcastCases.Unfit))]
    public void UnfitShapes_AreNamed(Shape x, Shape y) => BroadcastCases.CheckRefused(x, y, (a, b) => a.Multiply(b));
}
