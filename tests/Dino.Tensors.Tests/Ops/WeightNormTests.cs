using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class WeightNormTests : OpTests<WeightNormTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        .. OpCase.RowLengths.Select(n => Rows(3, n)),
        Rows(40, 64),
        Rows(1, 300),
    ];

    [Test]
    public void WrongLengths_AreNamed()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Tensor v = Tensor.Zeros(device, new Shape(4, 3)), g = Tensor.Zeros(device, new Shape(3, 1));
        Assert.That(() => v.WeightNorm(g), Throws.ArgumentException.With.Message.Contains("(4, 3)").And.Message.Contains("(3, 1)"));
    }

    private static OpCase Rows(int rows, int n) => new("WeightNorm", x => x[0].WeightNorm(x[1]), new Shape(rows, n), new Shape(rows, 1))
    {
        Truth = x => [.. x[0].Chunk(n).SelectMany((row, k) => row.Select(v => x[1][k] * v / Math.Sqrt(row.Sum(u => u * u))))],
        Input = (input, v) => input == 1 ? v : v < 0 ? v - 0.5f : v + 0.5f, // away from the pole at 0
    };
}
