using Dino.Tensors.Kernels.Sums;
using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

/// <summary>
/// Sums, means, norms and moments of a million numbers are as exact as those of a few: numbers near 0.1 lose more and more of themselves to
/// a
/// sum that they are added to one by one.
/// </summary>
[TestFixtureSource(typeof(Devices), nameof(Devices.FastFixtures))]
public class LongRowsTests(string device)
{
    private const int N = 1_000_000;
    private const double Relative = 3e-6;

    // Not equal: batch norm must find a variance.
    private static readonly float[] numbers = [.. Enumerable.Range(0, N).Select(i => i % 2 == 0 ? 0.1f : 0.3f)];

    private static readonly double sum = numbers.Sum(x => (double)x), squares = numbers.Sum(x => (double)x * x), mean = sum / N;
    private static readonly double variance = squares / N - mean * mean;

    private Device on = null!;

    [OneTimeSetUp]
    public void Open() => on = Devices.Open(device);

    [Test]
    public void Sums_AlongAnyDimension()
    {
        using var arena = on.BeginArena();
        Check("all", Row().Sum(), sum);
        Check("rows", Row().Sum(-1), sum);
        Check("a column", Row().Reshape(new Shape(N, 1)).Sum(0), sum);
        Check("two columns", Row().Reshape(new Shape(N / 2, 2)).Sum(0), 0.1f * (double)N / 2, 0.3f * (double)N / 2);
        Check("an inner dimension", Row().Reshape(new Shape(2, N / 4, 2)).Sum(1), 0.1f * (double)N / 4, 0.3f * (double)N / 4,
            0.1f * (double)N / 4, 0.3f * (double)N / 4);
        Check("mean of rows", Row().Mean(-1), mean);
        Check("mean of all", Row().Mean(), mean);
        Check("centre's norm", CentreUpdate.Norm(Row()), Math.Sqrt(squares));
    }

    [Test]
    public void ColumnSums_OfWideAndNarrowMatrices()
    {
        using var arena = on.BeginArena();
        foreach (int columns in new[] { 2, 3, 40 })
        {
            int rows = N / columns;
            var x = Tensor.Zeros(on, new Shape(rows, columns));
            x.Fill(0.1f);
            var sums = Tensor.Zeros(on, new Shape(columns));
            ColumnSum.Run(x, sums, accumulate: 0);
            Check($"{columns} columns", sums, [.. Enumerable.Repeat(0.1f * (double)rows, columns)]);
        }
    }

    [Test]
    public void Norms()
    {
        using var arena = on.BeginArena();
        float[] y = Row().L2Normalize().ToArray();
        Assert.That(y[1] * Math.Sqrt(squares), Is.EqualTo(0.3f).Within(Relative));
        float[] w = Row().WeightNorm(Ones(1).Reshape(new Shape(1, 1))).ToArray();
        Assert.That(w[1] * Math.Sqrt(squares), Is.EqualTo(0.3f).Within(Relative));
        float product = Row().WeightNormLinear(Row(), Ones(1).Reshape(new Shape(1, 1))).Item();
        Assert.That(product / Math.Sqrt(squares), Is.EqualTo(1).Within(1e-4), "the product itself is a matrix product's");
    }

    [Test]
    public void Moments()
    {
        using var arena = on.BeginArena();
        double deviation = Math.Sqrt(variance);
        float[] y = Row().LayerNorm(Ones(N), Tensor.Zeros(on, new Shape(N)), eps: 1e-12f).ToArray();
        Assert.That(y[..2], Is.EqualTo(new[] { (0.1f - mean) / deviation, (0.3f - mean) / deviation }).Within(1e-5));

        var runningMean = Tensor.Zeros(on, new Shape(1));
        var runningVar = Ones(1);
        y = Row().Reshape(new Shape(N, 1)).BatchNorm(
            Ones(1), Tensor.Zeros(on, new Shape(1)), runningMean, runningVar, training: true, momentum: 1, eps: 1e-12f).ToArray();
        Assert.That(y[..2], Is.EqualTo(new[] { (0.1f - mean) / deviation, (0.3f - mean) / deviation }).Within(1e-5));
        Check("running mean", runningMean, mean);
        Check("running variance", runningVar, variance * N / (N - 1.0));
    }

    /// <summary>A first row far from all others must not cost the variance its digits.</summary>
    [Test]
    public void BatchNorm_OfAColumnThatBeginsFarOff()
    {
        using var arena = on.BeginArena();
        float[] x = [.. numbers];
        x[0] = 1000;
        double m = x.Average(v => (double)v), v = x.Average(e => (e - m) * (e - m));
        var runningVar = Ones(1);
        _ = Tensor.From(on, x, new Shape(N, 1)).BatchNorm(
            Ones(1), Tensor.Zeros(on, new Shape(1)), Tensor.Zeros(on, new Shape(1)), runningVar, training: true, momentum: 1);
        Check("running variance", runningVar, v * N / (N - 1.0));
    }

    [Test]
    public void Softmaxes()
    {
        using var arena = on.BeginArena();
        float[] x = [.. numbers.Select(v => 7 * v)];
        double total = x.Sum(v => Math.Exp(v)), first = Math.Exp(x[0]) / total;
        var logits = Tensor.From(on, x, new Shape(1, N));
        Assert.That(logits.Softmax().ToArray()[0] / first, Is.EqualTo(1).Within(1e-5));
        Assert.That(logits.LogSoftmax().ToArray()[0], Is.EqualTo(Math.Log(first)).Within(2e-6));
        var targets = logits.CentredSoftmax(Tensor.Zeros(on, new Shape(N)), 1);
        Assert.That(targets.ToArray()[0] / first, Is.EqualTo(1).Within(1e-5));
        double entropy = -x.Sum(v => Math.Exp(v) / total * (v - Math.Log(total)));
        Assert.That(targets.RowEntropy().Item() / entropy, Is.EqualTo(1).Within(1e-5));
        var student = Tensor.From(on, [.. x, .. x], new Shape(2, N));
        Assert.That(student.MultiViewCrossEntropy(targets, 1, 1).Item() / entropy, Is.EqualTo(1).Within(1e-5));
    }

    [Test]
    public void GeneralizedMean_OfManyTokens()
    {
        using var arena = on.BeginArena();
        Check("GeM", Row().Reshape(new Shape(1, N, 1)).GeneralizedMean(3), Math.Cbrt(numbers.Average(v => (double)v * v * v)));
    }

    [Test]
    public void GradientsOfScaleAndShift_OverManyRows()
    {
        using var arena = on.BeginArena();
        using var tape = new Tape(on);
        const int rows = N / 4;
        var x = Tensor.From(on, numbers, new Shape(rows, 4));
        Tensor weight = Ones(4), bias = Tensor.Zeros(on, new Shape(4));
        bias.RequiresGrad = true;
        tape.Record();
        var y = x.LayerNorm(weight, bias);
        var dy = Tensor.Zeros(on, y.Shape);
        dy.Fill(0.1f);
        tape.Backward(y, dy);
        Check("layer norm's shift", bias.Grad!, [.. Enumerable.Repeat(0.1f * (double)rows, 4)]);

        bias.Grad!.Fill(0);
        tape.Record();
        y = x.BatchNorm(weight, bias, Tensor.Zeros(on, new Shape(4)), Ones(4), training: true);
        tape.Backward(y, dy);
        Check("batch norm's shift", bias.Grad!, [.. Enumerable.Repeat(0.1f * (double)rows, 4)]);
    }

    private static void Check(string what, Tensor actual, params double[] expected) => Assert.That(
        actual.ToArray().Zip(expected, (a, e) => Math.Abs(a / e - 1)).Max(), Is.LessThan(Relative), $"{what}: relative error");

    private Tensor Row() => Tensor.From(on, numbers, new Shape(1, N));

    private Tensor Ones(int n)
    {
        var ones = Tensor.Zeros(on, new Shape(n));
        ones.Fill(1);
        return ones;
    }
}
