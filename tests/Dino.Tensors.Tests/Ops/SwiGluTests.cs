using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class SwiGluTests : OpTests<SwiGluTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
        [.. OpCase.RowLengths.Select(h => Gate(new Shape(3, 2 * h))), Gate(new Shape(2, 3, 8)), Gate(new Shape(2))];

    [Test]
    public void FarFromZero_IsItsLimit()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        var y = Tensor.From(device, [-200f, -30, 200, float.NaN, 1, 1, 3, 1], new Shape(8)).SwiGlu();
        Assert.That(y.ToArray(), Is.EqualTo(new[] { 0, -2.80728689e-12f, 600, float.NaN }).Within(1e-6).Percent);
    }

    [Test]
    public void OddRows_AreNamed()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Assert.That(() => Tensor.Zeros(device, new Shape(2, 3)).SwiGlu(), Throws.ArgumentException.With.Message.Contains("(2, 3)"));
    }

    private static OpCase Gate(Shape shape)
    {
        int h = shape.RowLength / 2;
        return new("SwiGlu", x => x[0].SwiGlu(), shape)
        {
            Truth = x => [.. x[0].Chunk(2 * h)
                .SelectMany(row => Enumerable.Range(0, h).Select(i => row[i] / (1 + Math.Exp(-row[i])) * row[h + i]))],
        };
    }
}
