using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class SoftmaxTests : OpTests<SoftmaxTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        .. OpCase.RowLengths.Select(n => Rows(new Shape(3, n))),
        Rows(new Shape(2, 3, 2, 5)),
        Rows(new Shape(1, 1030)),
    ];

    [Test]
    public void LargeLogits_DoNotOverflow()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        float[] y = Tensor.From(device, [1e30f, 1e30f, -1e30f, float.NegativeInfinity], new Shape(1, 4)).Softmax().ToArray();
        Assert.That(y, Is.EqualTo(new float[] { 0.5f, 0.5f, 0, 0 }));
    }

    private static OpCase Rows(Shape shape) => new("Softmax", x => x[0].Softmax(), shape)
    {
        Truth = x => [.. x[0].Chunk(shape.RowLength).SelectMany(row => row.Select(v => Math.Exp(v) / row.Sum(Math.Exp)))],
    };
}
