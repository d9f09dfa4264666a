using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class ReluTests : OpTests<ReluTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases => OpCase.RowLengths.Select(n => new OpCase("Relu", x => x[0].Relu(), new Shape(n))
    {
        Truth = x => Array.ConvertAll(x[0], v => Math.Max(v, 0)),
        Input = (_, v) => v < 0 ? v - 0.125f : v + 0.125f, // the kink lies farther than a step of the differences
        Tolerance = Tolerance.Exact,
    });

    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void Gradient_PassesNaN_AsInPyTorch(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        using var tape = new Tape(device);
        var x = Tensor.From(device, [float.NaN, 0, -0f, 1, -1, float.PositiveInfinity, float.NegativeInfinity], new Shape(7));
        x.RequiresGrad = true;
        tape.Record();
        tape.Backward(x.Relu().Sum());
        Assert.That(x.Grad!.ToArray(), Is.EqualTo(new float[] { 1, 0, 0, 1, 0, 1, 0 }));
    }
}
