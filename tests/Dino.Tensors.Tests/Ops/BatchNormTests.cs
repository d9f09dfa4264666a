using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class BatchNormTests : OpTests<BatchNormTests>, IOpCases
{
    private const float Eps = 0.01f;

    public static IEnumerable<OpCase> Cases =>
    [
        .. OpCase.RowLengths.Select(n => Batch(5, n, training: true)),
        .. OpCase.RowLengths.Select(n => Batch(5, n, training: false)),
        Batch(37, 19, training: true), // several splits of rows, the last one short
        Batch(7, 300, training: true), // several chunks of columns
        Batch(37, 19, training: false),
    ];

    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void Training_MovesTheRunningStatistics(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        var random = new System.Random(3);
        const int Rows = 50, N = 9;
        float[] x = [.. Enumerable.Range(0, Rows * N).Select(_ => random.NextSingle())];
        Tensor mean = Filled(device, N, 0.5f), variance = Filled(device, N, 2);
        Tensor.From(device, x, new Shape(Rows, N))
            .BatchNorm(Filled(device, N, 1), Filled(device, N, 0), mean, variance, training: true, 0.25f);
        double[] means = new double[N], variances = new double[N];
        for (int j = 0; j < N; j++)
        {
            double[] column = [.. Enumerable.Range(0, Rows).Select(i => (double)x[i * N + j])];
            double m = column.Average(), unbiased = column.Sum(v => (v - m) * (v - m)) / (Rows - 1);
            (means[j], variances[j]) = (0.75 * 0.5 + 0.25 * m, 0.75 * 2 + 0.25 * unbiased);
        }
        Tolerance.Balanced.Check<double>([.. mean.ToArray().Select(v => (double)v)], means, "running mean");
        Tolerance.Balanced.Check<double>([.. variance.ToArray().Select(v => (double)v)], variances, "running variance");
    }

    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void LargeMean_DoesNotCancelTheVariance(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        float[] x = [.. Enumerable.Range(0, 64 * 3).Select(i => 1e4f + (i / 3 % 2 == 0 ? 1 : -1))];
        var y = Tensor.From(device, x, new Shape(64, 3)).BatchNorm(
            Filled(device, 3, 1), Filled(device, 3, 0), Filled(device, 3, 0), Filled(device, 3, 1), training: true, eps: 0);
        Tolerance.Balanced.Check<float>(y.ToArray(), [.. x.Select(v => v - 1e4f)], "columns of ±1 around 10,000");
    }

    [Test]
    public void Evaluation_LeavesTheRunningStatistics()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Tensor mean = Filled(device, 3, 0.5f), variance = Filled(device, 3, 2);
        Filled(device, 6, 4).Alias(new Shape(2, 3)).BatchNorm(Filled(device, 3, 1), Filled(device, 3, 0), mean, variance, training: false);
        Assert.That(mean.ToArray(), Has.All.EqualTo(0.5f));
        Assert.That(variance.ToArray(), Has.All.EqualTo(2));
    }

    [Test]
    public void OneRow_HasNoVarianceToTrainWith()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        var v = Filled(device, 3, 1);
        Assert.That(() => v.Alias(new Shape(1, 3)).BatchNorm(v, v, v, v, training: true),
            Throws.ArgumentException.With.Message.Contains("(1, 3)"));
    }

    /// <summary>Running statistics do not depend on x: one infinite number makes no other's gradient NaN.</summary>
    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void Evaluating_WithAnInfiniteNumber(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        using var tape = new Tape(device);
        var x = Tensor.From(device, [1f, 2, float.PositiveInfinity, 4], new Shape(4, 1));
        x.RequiresGrad = true;
        tape.Record();
        var y = x.BatchNorm(Filled(device, 1, 1), Filled(device, 1, 0), Filled(device, 1, 0), Filled(device, 1, 1), training: false,
            eps: 0);
        tape.Backward(y.Slice(0, 0, 2).Sum());
        Assert.That(y.ToArray(), Is.EqualTo(new[] { 1f, 2, float.PositiveInfinity, 4 }));
        Assert.That(x.Grad!.ToArray(), Is.EqualTo(new float[] { 1, 1, 0, 0 }));
    }

    /// <summary>As in PyTorch, an infinite number leaves a batch without a variance.</summary>
    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void Training_WithAnInfiniteNumber_IsNaN(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        Tensor mean = Filled(device, 1, 0), variance = Filled(device, 1, 1);
        var y = Tensor.From(device, [1f, 2, float.PositiveInfinity, 4], new Shape(4, 1))
            .BatchNorm(Filled(device, 1, 1), Filled(device, 1, 0), mean, variance, training: true);
        Assert.That(y.ToArray(), Is.All.NaN);
        Assert.That((mean.Item(), variance.Item()), Is.EqualTo((float.PositiveInfinity, float.NaN)));
    }

    private static Tensor Filled(Device device, int n, float value)
    {
        var tensor = Tensor.Zeros(device, new Shape(n));
        tensor.Fill(value);
        return tensor;
    }

    private static OpCase Batch(int rows, int n, bool training) => new(
        training ? "BatchNorm" : "BatchNorm, evaluating",
        x => x[0].BatchNorm(x[1], x[2], x[3], x[4], training, eps: Eps),
        new Shape(rows, n), new Shape(n), new Shape(n), new Shape(n), new Shape(n))
    {
        Constant = [3, 4],
        Input = (input, v) => input == 4 ? 1 + Math.Abs(v) : v,
        Truth = x =>
        {
            double[] y = new double[rows * n];
            for (int j = 0; j < n; j++)
            {
                double[] column = [.. Enumerable.Range(0, rows).Select(i => x[0][i * n + j])];
                double mean = training ? column.Average() : x[3][j];
                double variance = training ? column.Average(v => (v - mean) * (v - mean)) : x[4][j];
                for (int i = 0; i < rows; i++)
                    y[i * n + j] = (column[i] - mean) / Math.Sqrt(variance + Eps) * x[1][j] + x[2][j];
            }
            return y;
        },
    };
}
