using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class L2NormalizeTests : OpTests<L2NormalizeTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        .. OpCase.RowLengths.Select(n => Rows(new Shape(3, n), 1e-12f)),
        Rows(new Shape(2, 3, 2, 5), 1e-12f),
        Rows(new Shape(2, 300), 1e-12f),
        Rows(new Shape(3, 4), 8) with { Name = "L2Normalize, shorter than ε" },
    ];

    [Test]
    public void Zero_StaysZero_AndPassesItsGradientScaled()
    {
        var device = Devices.Open("cpu");
        using var tape = new Tape(device);
        using var arena = device.BeginArena();
        var x = Tensor.Zeros(device, new Shape(1, 3));
        x.RequiresGrad = true;
        tape.Record();
        var y = x.L2Normalize(0.5f);
        tape.Backward(y, Tensor.From(device, [1f, 2, 3], new Shape(1, 3)));
        Assert.That(y.ToArray(), Has.All.Zero);
        Assert.That(x.Grad!.ToArray(), Is.EqualTo(new float[] { 2, 4, 6 }));
    }

    private static OpCase Rows(Shape shape, float eps) => new("L2Normalize", x => x[0].L2Normalize(eps), shape)
    {
        Truth = x => [.. x[0].Chunk(shape.RowLength).SelectMany(row => row.Select(v => v / Math.Max(eps, Math.Sqrt(row.Sum(u => u * u)))))],
        Input = (_, v) => v < 0 ? v - 0.5f : v + 0.5f, // away from the pole at 0
    };
}
