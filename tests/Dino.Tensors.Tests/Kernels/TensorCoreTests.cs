using Dino.Tensors.Kernels.Attention;
using Dino.Tensors.Kernels.Gemm;
using Dino.Tensors.Kernels.TensorCores;
using Dino.Tensors.Ops;
using NUnit.Framework;
using Product = Dino.Tensors.Kernels.Gemm.MatrixProduct;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>
/// The tensor cores' kernels on simulated threads, the one instruction replaced by its definition: every index of theirs is tried against
/// double-precision products of operands rounded as the hardware takes them.
/// </summary>
[TestFixture(Precision.Tf32)]
[TestFixture(Precision.Bf16)]
public sealed class TensorCoreTests(Precision precision)
{
    private Device device = null!;

    private double Rounded(float x) => precision == Precision.Tf32
        ? BitConverter.UInt32BitsToSingle(Tf32.Round(x))
        : BitConverter.UInt32BitsToSingle((uint)Bf16.Round(x) << 16);

    [OneTimeSetUp]
    public void Open() => device = Device.Open("cpu:debug", new DeviceOptions { Precision = precision, Strict = true });

    [OneTimeTearDown]
    public void Close() => device.Dispose();

    [Test]
    public void Product_OfEveryLayout([Values] bool transposeA, [Values] bool transposeB)
    {
        Check(GemmShape.Dense(140, 68, 36, transposeA, transposeB), gap: 4, beta: 1);
        Check(GemmShape.Dense(64, 132, 72, transposeA, transposeB, batch: 2), gap: 0, beta: 0);
    }

    [Test]
    public void ProductOverManySteps_IsCutIntoParts()
    {
        long start = device.Launches;
        Check(GemmShape.Dense(64, 64, 36, transposeA: true), gap: 4, beta: 1);
        long whole = device.Launches - start;
        Check(GemmShape.Dense(64, 64, 548, transposeA: true), gap: 4, beta: 1);
        Assert.That(device.Launches - start - whole, Is.EqualTo(whole + 2),
            "memory for the parts is filled with NaN, and their sum is a kernel");
    }

    /// <summary>Also where k is cut into parts: then they follow the sum of all, once.</summary>
    [Test]
    public void Epilogues_FollowTheProduct([Values(20, 516)] int steps)
    {
        using var arena = device.BeginArena();
        var reference = new ReferenceProduct(GemmShape.Dense(72, 64, steps), gap: 0, alpha: 1, beta: 0, round: x => Rounded(x));
        Tensor a = Matrix(reference.A, 72, steps), b = Matrix(reference.B, steps, 64), c = device.Rent(new Shape(72, 64)),
            kept = device.Rent(c.Shape);
        Tensor bias = Tensor.From(device, reference.Bias, new Shape(64)),
            factors = Tensor.From(device, reference.Bias.AsSpan(0, 9), new Shape(9));
        float[] there = [.. Enumerable.Range(0, 72 * 64).Select(i => MathF.Sin(i))];
        Tensor other = Matrix(there, 72, 64);
        float[] by = reference.Bias;

        Run(Epilogue.Branch(bias, other, factors, rowsPerSample: 8));
        reference.Check(c.ToArray(), "branch", (x, i, j) => there[i * 64 + j] + by[i / 8] * (x + by[j]));

        Run(Epilogue.ColumnScale(bias));
        reference.Check(c.ToArray(), "column scale", (x, _, j) => x * by[j]);

        RunGelu(Epilogue.Activation(bias, kept));
        reference.Check(kept.ToArray(), "before GELU", (x, _, j) => x + by[j]);
        reference.Check(c.ToArray(), "GELU", (x, _, j) => Gelu(x + by[j]));

        RunGelu(Epilogue.ActivationBackward(other, kept));
        reference.Check(kept.ToArray(), "GELU again", (_, i, j) => Gelu(there[i * 64 + j]));
        reference.Check(c.ToArray(), "GELU's gradient", (x, i, j) => x * Slope(there[i * 64 + j]));

        void Run(in Epilogue epilogue) => Product.Run(device, GemmShape.Dense(72, 64, steps), a, b, c, epilogue);

        void RunGelu(in Epilogue epilogue) => Product.Run<GeluOp.Fused>(device, GemmShape.Dense(72, 64, steps), a, b, c, epilogue);
    }

    [TestCase(1, 5, 1)]
    [TestCase(1, 70, 2)]
    public void Attention_AndItsGradient(int images, int tokens, int heads)
    {
        using var arena = device.BeginArena();
        var shape = new AttentionShape(images, tokens, heads, 64);
        var reference = new AttentionReference(shape, spread: 1);
        int width = 64 * heads;
        Tensor qkv = Tensor.From(device, reference.Qkv, new Shape(images, tokens, 3 * width));
        Tensor dy = Tensor.From(device, reference.GradResult, new Shape(images, tokens, width));
        Tensor y = device.Rent(dy.Shape), stats = device.Rent(new Shape(images, heads, tokens, 2)), dqkv = device.Rent(qkv.Shape);
        double unit = precision == Precision.Tf32 ? Math.Pow(2, -11) : Math.Pow(2, -8);

        FusedAttention.Forward(device, shape, qkv, y, stats);
        FusedAttention.Backward(device, shape, qkv, y, dy, stats, dqkv, accumulate: 0);

        AttentionReference.AreClose(y.ToArray(), reference.Result, unit, "result");
        AttentionReference.AreClose(AttentionReference.LogSums(stats.ToArray()), reference.Lse, unit, "row sums");
        AttentionReference.AreClose(dqkv.ToArray(), reference.GradQkv, 2 * unit, "gradient");
        FusedAttention.Backward(device, shape, qkv, y, dy, stats, dqkv, accumulate: 1);
        double[] twice = [.. reference.GradQkv.Select(x => 2 * x)];
        AttentionReference.AreClose(dqkv.ToArray(), twice, 2 * unit, "gradient twice");
    }

    [Test]
    public void Rounding_IsToTheNearest()
    {
        const float one = 1;
        float step = precision == Precision.Tf32 ? 1f / 1024 : 1f / 128;
        Assert.Multiple(() =>
        {
            Assert.That(Rounded(one + step), Is.EqualTo(one + step));
            Assert.That(Rounded(one + 0.49f * step), Is.EqualTo(one));
            Assert.That(Rounded(one + 0.51f * step), Is.EqualTo(one + step));
            Assert.That(Rounded(one + 1.5f * step), Is.EqualTo(one + 2 * step));
            Assert.That(Rounded(one + 0.5f * step), Is.EqualTo(precision == Precision.Tf32 ? one + step : one),
                "halves: away from zero, or to even");
            Assert.That(Rounded(float.NegativeInfinity), Is.EqualTo(double.NegativeInfinity));
            Assert.That(Rounded(BitConverter.UInt32BitsToSingle(0xffffffff)), Is.NaN);
        });
    }

    private void Check(GemmShape dense, int gap, float beta)
    {
        using var arena = device.BeginArena();
        var product = new ReferenceProduct(dense, gap, alpha: 0.5f, beta, garbageInC: beta == 0, round: x => Rounded(x));
        Tensor a = Matrix(product.A, 1, product.A.Length), b = Matrix(product.B, 1, product.B.Length),
            c = Matrix(product.C, 1, product.C.Length);
        Product.Run(device, product.Shape, a, b, c);
        device.Synchronize();
        product.Check(c.ToArray(), $"{precision}");
    }

    private Tensor Matrix(float[] values, int rows, int columns) => Tensor.From(device, values, new Shape(rows, columns));

    private static double Gelu(double x) => x * Phi(x);

    private static double Slope(double x) => Phi(x) + x * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);

    private static double Phi(double x) => MathNet.Numerics.Distributions.Normal.CDF(0, 1, x);
}
