using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class LogSoftmaxTests : OpTests<LogSoftmaxTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        .. OpCase.RowLengths.Select(n => Rows(new Shape(3, n))),
        Rows(new Shape(2, 3, 2, 5)),
        Rows(new Shape(1, 5000)) with // several blocks of the running sum on every device
        {
            GradientTolerance = new Tolerance(2e-3, 2e-3), // the differences sum the rounding of 5,000 outputs near −9
        },
    ];

    [TestCase("cpu")]
    [TestCase("cpu:debug")]
    public void RunningMaximum_SurvivesRisingAndFallingLogits(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        // The maximum comes last, then first: every block rescales, or none does. Steps of 1 sum to ln(1 / (1 − 1/e)) above the maximum.
        foreach (bool rising in (bool[])[true, false])
        {
            float[] x = [.. Enumerable.Range(0, 1000).Select(j => (float)(rising ? j : -j))];
            float[] y = Tensor.From(device, x, new Shape(1, 1000)).LogSoftmax().ToArray();
            double logSum = x.Max() - Math.Log(1 - Math.Exp(-1));
            Tolerance.Balanced.Check<double>([.. y.Select(v => (double)v)], [.. x.Select(v => v - logSum)], rising ? "rising" : "falling");
        }
    }

    [Test]
    public void MinusInfinity_IsNoMass_AndNaNSpreads()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        float[] masked = Tensor.From(device, [1f, 1, float.NegativeInfinity], new Shape(1, 3)).LogSoftmax().ToArray();
        Assert.That(masked[0], Is.EqualTo(-MathF.Log(2)).Within(1e-6f));
        Assert.That(masked[2], Is.EqualTo(float.NegativeInfinity));
        Assert.That(Tensor.From(device, [1, float.NaN, 0], new Shape(1, 3)).LogSoftmax().ToArray(), Has.All.NaN);
    }

    private static OpCase Rows(Shape shape) => new("LogSoftmax", x => x[0].LogSoftmax(), shape)
    {
        Truth = x => [.. x[0].Chunk(shape.RowLength).SelectMany(row => row.Select(v => v - Math.Log(row.Sum(Math.Exp))))],
    };
}
