using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

/// <summary>Logits, rows and scores that are far larger or smaller than usual, against closed formulas, on every device.</summary>
public class LargeNumbersTests(string device) : DeviceTests(device)
{
    [TestCase(0)]
    [TestCase(100)]
    [TestCase(1e4f)]
    [TestCase(-1e6f)]
    [TestCase(1e30f)]
    public void LogSoftmax_KeepsItsDigits(float shift)
    {
        using var arena = Device.BeginArena();
        float[] y = Vector(shift, shift, shift, shift).LogSoftmax().ToArray();
        Assert.That(y, Is.All.EqualTo(-Math.Log(4)).Within(2e-7));
    }

    [Test]
    public void LogSoftmax_OfDistantLogits()
    {
        using var arena = Device.BeginArena();
        float[] y = Vector(1e6f, 1e6f - 1, -1e6f).LogSoftmax().ToArray();
        double log = Math.Log(1 + Math.Exp(-1));
        Assert.That(y[0], Is.EqualTo(-log).Within(1e-7));
        Assert.That(y[1], Is.EqualTo(-1 - log).Within(2e-7));
        Assert.That(y[2], Is.EqualTo(-2e6 - log).Within(0.07)); // half a unit
    }

    // As in PyTorch.
    [Test]
    public void LogSoftmax_OfInfinities()
    {
        using var arena = Device.BeginArena();
        const float inf = float.PositiveInfinity;
        Assert.That(Vector(-inf, 0, 0).LogSoftmax().ToArray(), Is.EqualTo(new[] { -inf, -MathF.Log(2), -MathF.Log(2) }).Within(1e-7));
        Assert.That(Vector(-inf, -inf).LogSoftmax().ToArray(), Is.All.NaN);
        Assert.That(Vector(inf, 0).LogSoftmax().ToArray(), Is.All.NaN);
        Assert.That(Vector(-inf, -inf).Softmax().ToArray(), Is.All.NaN);
    }

    [TestCase(0)]
    [TestCase(1e3f)]
    [TestCase(-1e4f)]
    [TestCase(1e5f)]
    public void CrossEntropy_KeepsItsDigits(float shift)
    {
        using var arena = Device.BeginArena();
        using var tape = new Tape(Device);
        // 300 logits: of more than one block; the largest comes late.
        const int k = 300;
        float[] row = [.. Enumerable.Range(0, k).Select(i => shift + i % 7 / 16f + (i == 280 ? 0.5f : 0))];
        float[] q = [.. Enumerable.Range(0, k).Select(i => i == 280 ? 0.5f : i == 3 ? 0.25f : i == 100 ? 0.25f : 0)];
        const double tau = 0.07;
        double max = row.Max(v => (double)v), log = Math.Log(row.Sum(v => Math.Exp((v - max) / tau)));
        double[] p = [.. row.Select(v => Math.Exp((v - max) / tau - log))];
        double expected = row.Select((v, i) => q[i] * (log - (v - max) / tau)).Sum();

        var logits = Tensor.From(Device, [.. row, .. row], new Shape(2, k));
        logits.RequiresGrad = true;
        tape.Record();
        var loss = logits.MultiViewCrossEntropy(Tensor.From(Device, q, new Shape(1, k)), 1, (float)tau);
        tape.Backward(loss);

        Assert.That(loss.Item(), Is.EqualTo(expected).Within(1e-5));
        float[] gradient = logits.Grad!.ToArray();
        Assert.That(gradient[..k], Is.All.Zero, "the crop that is the target view");
        for (int i = 0; i < k; i++)
            Assert.That(gradient[k + i], Is.EqualTo((p[i] - q[i]) / tau).Within(1e-5), $"gradient at {i}");
    }

    [Test]
    public void Exponentials_OfSoftmax_ReachIntoSubnormalNumbers()
    {
        using var arena = Device.BeginArena();
        float[] x = [0, -80, -87.5f, -95, -103, -103.9f, -110];
        float[] y = Vector(x).Softmax().ToArray(),
            centred = Vector(x).CentredSoftmax(Tensor.Zeros(Device, new Shape(x.Length)), 1).ToArray();
        for (int i = 0; i < x.Length; i++)
        {
            Assert.That(y[i], Is.EqualTo(Math.Exp(x[i])).Within(3e-7 * Math.Exp(x[i]) + float.Epsilon), $"softmax, e^{x[i]}");
            Assert.That(centred[i], Is.EqualTo(Math.Exp(x[i])).Within(3e-7 * Math.Exp(x[i]) + float.Epsilon), $"centred softmax, e^{x[i]}");
        }
        Assert.That(y[5], Is.GreaterThan(0));
        Assert.That(y[6], Is.Zero);
    }

    [Test]
    public void Exponentials_OfGelu_ReachIntoSubnormalNumbers()
    {
        using var arena = Device.BeginArena();
        using var tape = new Tape(Device);
        var x = Vector(-13.5f, -14, -14.6f, -20);
        x.RequiresGrad = true;
        tape.Record();
        tape.Backward(x.Gelu().Sum());
        float[] slope = x.Grad!.ToArray();
        for (int i = 0; i < 2; i++)
        {
            double at = x.ToArray()[i], exact = (at - 1 / at) * Math.Exp(-at * at / 2) / Math.Sqrt(2 * Math.PI);
            Assert.That(slope[i], Is.EqualTo(exact).Within(0.01 * Math.Abs(exact) + 2 * float.Epsilon));
        }
        Assert.That(slope[2..], Is.All.Zero);
    }

    /// <summary>
    /// With a gradient of ones the values' gradient holds the sums of the weights' columns: they add up to the number of queries.
    /// </summary>
    [TestCase(1, 1e-5)]
    [TestCase(100, 1e-5)]
    [TestCase(3000, 1e-5)]
    [TestCase(1e5f, 1e-5)]
    public void AttentionsGradient_IsBounded(float size, double tolerance)
    {
        using var arena = Device.BeginArena();
        using var tape = new Tape(Device);
        int n = Device.Name == "cpu:debug" ? 9 : 65;
        const int heads = 2, dim = 7, width = heads * dim;
        var random = new System.Random(1);
        float[] values = [.. Enumerable.Range(0, n * 3 * width).Select(_ => size * (random.NextSingle() * 2 - 1))];
        var qkv = Tensor.From(Device, values, new Shape(1, n, 3 * width));
        qkv.RequiresGrad = true;
        tape.Record();
        var y = qkv.Attention(heads);
        var dy = Tensor.Zeros(Device, y.Shape);
        dy.Fill(1);
        tape.Backward(y, dy);

        float[] gradient = qkv.Grad!.ToArray();
        for (int j = 2 * width; j < 3 * width; j++)
        {
            double[] column = [.. Enumerable.Range(0, n).Select(token => (double)gradient[token * 3 * width + j])];
            Assert.That(column, Is.All.InRange(0, n * (1 + tolerance)));
            Assert.That(column.Sum(), Is.EqualTo(n).Within(n * tolerance), $"the weights' sum at {j}");
        }
    }

    [TestCase(1e20f)]
    [TestCase(1e30f)]
    [TestCase(1e-8f)]
    [TestCase(1e-25f)]
    [TestCase(1e-30f)]
    public void Norms_NeitherOverflowNorVanish(float size)
    {
        using var arena = Device.BeginArena();
        using var tape = new Tape(Device);
        var x = Tensor.From(Device, [3 * size, 0, 4 * size, 0, 0, 0, 0, 0, 0], new Shape(1, 9));
        var g = Tensor.From(Device, [1f], new Shape(1, 1));
        x.RequiresGrad = true;
        float[] expected = [0.6f, 0, 0.8f, 0, 0, 0, 0, 0, 0];
        tape.Record();
        var y = x.L2Normalize(eps: 1e-37f);
        Assert.That(y.ToArray(), Is.EqualTo(expected).Within(3e-7));
        tape.Backward(y, Tensor.From(Device, [1f, 2, 1, 0, 0, 0, 0, 0, 0], y.Shape));
        float[] dx = x.Grad!.ToArray(); // (dy − y (y·dy)) / ‖x‖ with y·dy = 1.4
        Assert.That(dx[..3].Select(d => d * (double)size * 5), Is.EqualTo(new[] { 1 - 0.6 * 1.4, 2, 1 - 0.8 * 1.4 }).Within(1e-6));
        Assert.That(x.WeightNorm(g).ToArray(), Is.EqualTo(expected).Within(3e-7));
        Assert.That(Tensor.From(Device, [1f, 1, 1, 0, 0, 0, 0, 0, 0], new Shape(1, 9)).WeightNormLinear(x, g).Item(),
            Is.EqualTo(1.4f).Within(1e-6));
        Assert.That(CentreUpdate.Norm(x).Item() / size, Is.EqualTo(5).Within(3e-6));
    }

    [TestCase(1e20f)]
    [TestCase(1e28f)]
    public void LayerNorm_OfHugeRows(float size)
    {
        using var arena = Device.BeginArena();
        var one = Vector(1, 1, 1, 1);
        float[] y = Vector(-size, size, -size, size).LayerNorm(one, Tensor.Zeros(Device, new Shape(4))).ToArray();
        Assert.That(y, Is.EqualTo(new float[] { -1, 1, -1, 1 }).Within(1e-6));
    }

    [Test]
    public void BatchNorm_OfAHugeColumnWithoutVariance()
    {
        using var arena = Device.BeginArena();
        var x = Tensor.From(Device, [1e25f, 1e25f, 1e25f], new Shape(3, 1));
        float[] y = x.BatchNorm(Vector(1), Vector(0), Vector(0), Vector(1), training: true).ToArray();
        Assert.That(y, Is.All.Zero);
    }

    private Tensor Vector(params float[] values) => Tensor.From(Device, values, new Shape(values.Length));
}
