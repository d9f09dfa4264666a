using Dino.Samples;
using Dino.Tensors.Tests.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Samples;

/// <summary>The row op of the sample's assembly.</summary>
public class RmsNormTests : OpTests<RmsNormTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
        [.. OpCase.RowLengths.Select(n => Norm(new Shape(3, n))), Norm(new Shape(2, 3, 8)), Norm(new Shape(70, 5)),
            Norm(new Shape(2, 1000))];

    [Test]
    public void ShortWeight_IsNamed()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Assert.That(
            () => Tensor.Zeros(device, new Shape(2, 3)).RmsNorm(Tensor.Zeros(device, new Shape(4))),
            Throws.ArgumentException.With.Message.Contains("(2, 3)").And.Message.Contains("(4)"));
    }

    private static OpCase Norm(Shape shape) => new("RmsNorm", x => x[0].RmsNorm(x[1], 0.01f), shape, new Shape(shape.RowLength))
    {
        Truth = x => [.. x[0].Chunk(shape.RowLength).SelectMany(row =>
            row.Zip(x[1], (v, w) => w * v / Math.Sqrt(row.Average(a => a * a) + 0.01f)))],
    };
}
