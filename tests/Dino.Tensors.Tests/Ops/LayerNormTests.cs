using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class LayerNormTests : OpTests<LayerNormTests>, IOpCases
{
    private const float Eps = 1e-3f; // rows of one element and of equal elements have a smooth neighbourhood

    public static IEnumerable<OpCase> Cases =>
    [
        .. OpCase.RowLengths.Select(n => Rows(new Shape(3, n))),
        Rows(new Shape(2, 3, 2, 5)),
        Rows(new Shape(37, 48)), // several splits of rows, the last one short
        Rows(new Shape(1, 1030)),
    ];

    [TestCase(1)]
    [TestCase(5)]
    public void LargeMean_DoesNotCancelTheVariance(int rows)
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        float[] row = [.. Enumerable.Range(0, 100).Select(j => 1e4f + (j % 2 == 0 ? 1 : -1))];
        float[] x = [.. Enumerable.Range(0, rows).SelectMany(_ => row)];
        Tensor weight = Tensor.Zeros(device, new Shape(100)), bias = Tensor.Zeros(device, new Shape(100));
        weight.Fill(1);
        float[] y = Tensor.From(device, x, new Shape(rows, 100)).LayerNorm(weight, bias).ToArray();
        Tolerance.Balanced.Check<float>(y, [.. x.Select(v => v - 1e4f)], "rows of ±1 around 10,000");
    }

    [Test]
    public void Gradients_DoNotDependOnTheThreads()
    {
        var random = new System.Random(1);
        float[] x = [.. Enumerable.Range(0, 777 * 19).Select(_ => random.NextSingle() - 0.5f)];
        float[] Run(int threads)
        {
            using var device = Device.Open("cpu", new DeviceOptions { Threads = threads, Strict = true });
            using var tape = new Tape(device);
            using var arena = device.BeginArena();
            Tensor weight = Tensor.From(device, x.AsSpan(0, 19), new Shape(19)), bias = Tensor.Zeros(device, new Shape(19));
            weight.RequiresGrad = bias.RequiresGrad = true;
            tape.Record();
            var y = Tensor.From(device, x, new Shape(777, 19)).LayerNorm(weight, bias);
            tape.Backward(y, y);
            return [.. weight.Grad!.ToArray(), .. bias.Grad!.ToArray()];
        }
        Assert.That(Run(3), Is.EqualTo(Run(1)));
    }

    [Test]
    public void WrongParameters_AreNamed()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Tensor x = Tensor.Zeros(device, new Shape(2, 3)), three = Tensor.Zeros(device, new Shape(3)),
            two = Tensor.Zeros(device, new Shape(2));
        Assert.That(() => x.LayerNorm(three, two), Throws.ArgumentException.With.Message.Contains("(2, 3)").And.Message.Contains("(2)"));
    }

    private static OpCase Rows(Shape shape)
    {
        int n = shape.RowLength;
        return new OpCase("LayerNorm", x => x[0].LayerNorm(x[1], x[2], Eps), shape, new Shape(n), new Shape(n))
        {
            Truth = x => [.. x[0].Chunk(n).SelectMany(row =>
            {
                double mean = row.Average(), sigma = Math.Sqrt(row.Average(v => (v - mean) * (v - mean)) + Eps);
                return row.Select((v, j) => (v - mean) / sigma * x[1][j] + x[2][j]);
            })],
            GradientTolerance = n < 3 ? Tolerance.Loose : Tolerance.Gradient, // 1/σ bends sharply where two elements nearly agree
        };
    }
}
