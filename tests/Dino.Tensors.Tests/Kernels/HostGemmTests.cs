using System.Runtime.Intrinsics;
using Dino.Tensors.Kernels.Gemm;
using Dino.Tensors.Kernels.Host;
using Dino.Tensors.Ops;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>The host's matrix product against sums in double precision, in all three vector widths.</summary>
public unsafe class HostGemmTests
{
    public static readonly int[] Widths = [128, 256, 512];

    [Test]
    public void Product_OfAllOperandForms_AtEverySmallSize([ValueSource(nameof(Widths))] int width)
    {
        using var team = new HostTeam(2);
        int[] sizes = [1, 2, 5, 6, 7, 8, 13, 16, 17, 31, 37];
        foreach (bool transposeA in (bool[])[false, true])
        {
            foreach (bool transposeB in (bool[])[false, true])
            {
                for (int i = 0; i < sizes.Length; i++)
                {
                    for (int j = 0; j < sizes.Length; j++)
                    {
                        int k = sizes[(i * 3 + j * 5) % sizes.Length];
                        Check(team, width, GemmShape.Dense(sizes[i], sizes[j], k, transposeA, transposeB), gap: (i + j) % 3);
                    }
                }
            }
        }
    }

    // Sizes at the edges of the blocks: rows of 48 and 192, columns of 64, 128 and 2048, k of 768; leading dimensions of a page.
    [TestCase(193, 130, 769)]
    [TestCase(289, 65, 800)]
    [TestCase(97, 67, 1537)]
    [TestCase(192, 129, 767)]
    [TestCase(200, 2051, 9)]
    [TestCase(209, 67, 1023)]
    [TestCase(40, 67, 2047)]
    [TestCase(3, 70, 2500)]
    [TestCase(700, 3, 390)]
    [TestCase(33, 130, 8203)]
    public void Product_AtTheEdgesOfTheBlocks(int m, int n, int k)
    {
        using var team = new HostTeam(2);
        foreach (bool transposeA in (bool[])[false, true])
        {
            foreach (bool transposeB in (bool[])[false, true])
                Check(team, 256, GemmShape.Dense(m, n, k, transposeA, transposeB), gap: 1, alpha: 0.5f, beta: 1);
        }
    }

    [TestCase(3, 37, 37, 24)]
    [TestCase(20, 7, 5, 3)]
    [TestCase(5, 150, 140, 100)]
    [TestCase(2, 230, 300, 150)]
    public void Product_OfABatch(int batch, int m, int n, int k)
    {
        using var team = new HostTeam(3);
        foreach (int width in Widths)
        {
            Check(team, width, GemmShape.Dense(m, n, k, transposeB: true, batch: batch), gap: 2, alpha: -1.5f);
            Check(team, width, GemmShape.Dense(m, n, k, transposeA: true, batch: batch), gap: 0, beta: 0.25f);
        }
    }

    [Test]
    public void BetaZero_DoesNotReadC([Values(5, 100, 230)] int m)
    {
        using var team = new HostTeam(2);
        var product = new ReferenceProduct(GemmShape.Dense(m, 70, 500), gap: 1, alpha: 1, beta: 0, garbageInC: true);
        product.Check(Run(team, 256, product, default(NoEpilogue)), "NaN in C");
    }

    /// <summary>
    /// Numbers that nobody wrote may be subnormal, and a product with them takes a hundred times as long on some processors.
    /// </summary>
    [Test]
    public void PackedPanels_HoldNothingOfBefore([Values(1, 5, 8, 13, 32, 37)] int rows, [Values(3, 64, 70)] int k)
    {
        const int width = 32;
        int panels = (rows + width - 1) / width;
        float[] source = new float[rows * k], panel = new float[panels * width * k];
        fixed (float* from = source, to = panel)
        {
            Array.Fill(panel, float.NaN);
            HostPacking.Across(from, rows, rows, k, width, to, width * k);
            Assert.That(panel, Has.None.NaN, "rows beside each other");
            Array.Fill(panel, float.NaN);
            for (int i = 0; i < panels; i++)
                HostPacking.Along(from + i * width * k, k, Math.Min(width, rows - i * width), k, width, to + i * width * k);
            Assert.That(panel, Has.None.NaN, "rows below each other");
        }
    }

    [Test]
    public void EmptySum_LeavesBetaC([Values(5, 230)] int m)
    {
        using var team = new HostTeam(2);
        Check(team, 256, GemmShape.Dense(m, 400, 0), gap: 1, beta: 0.5f);
        Check(team, 256, GemmShape.Dense(m, 400, 0), gap: 1, beta: 0);
    }

    [TestCase(230, 70, 400)]
    [TestCase(40, 100, 800)]
    [TestCase(5, 9, 3)]
    [TestCase(7, 21, 8300)]
    public void Epilogues_FinishEachElementOnce(int m, int n, int k)
    {
        CheckEpilogues<Simd>(m, n, k);
        CheckEpilogues<WideSimd>(m, n, k);
    }

    private static void CheckEpilogues<TNumber>(int m, int n, int k) where TNumber : struct, IVectorNumber<TNumber>
    {
        using var team = new HostTeam(2);
        foreach (int width in Widths)
        {
            var product = new ReferenceProduct(GemmShape.Dense(m, n, k, transposeB: true), gap: 1, alpha: 1, beta: 0);
            float[] bias = product.Bias, before = new float[m * n], output = new float[m * n],
                keep = [.. Enumerable.Range(0, m).Select(i => i % 3 * 0.5f)];
            float[] other = [.. Enumerable.Range(0, m * n).Select(i => i % 7 - 3f)];
            fixed (float* b = bias, p = before, y = output, k0 = keep, r = other)
            {
                product.Check(Run(team, width, product, default(NoEpilogue), b), "bias", (x, _, j) => x + bias[j]);
                product.Check(Run(team, width, product, new HostEpilogue<BranchEpilogue, TNumber>(r, null, null, 0, n), b), "residual",
                    (x, i, j) => x + bias[j] + other[i * n + j]);
                product.Check(Run(team, width, product, new HostEpilogue<BranchEpilogue, TNumber>(r, k0, null, 2, n)), "scaled branch",
                    (x, i, j) => keep[i / 2] * x + other[i * n + j]);
                product.Check(Run(team, width, product, new HostEpilogue<ColumnScaleEpilogue, TNumber>(null, b, null, 0, n)),
                    "scaled columns",
                    (x, _, j) => x * bias[j]);
                var gelu = new HostEpilogue<ActivationEpilogue<GeluOp.Fused>, TNumber>(null, null, null, 0, n);
                product.Check(Run(team, width, product, gelu), "GELU alone", (x, _, _) => Gelu(x));
                gelu = new HostEpilogue<ActivationEpilogue<GeluOp.Fused>, TNumber>(null, null, p, 0, n);
                product.Check(Run(team, width, product, gelu, b), "GELU", (x, _, j) => Gelu(x + bias[j]));
                product.Check(Run(team, width, product,
                    new HostEpilogue<ActivationBackwardEpilogue<GeluOp.Fused>, TNumber>(r, null, y, 0, n)),
                    "GELU's gradient", (x, i, j) => x * GeluSlope(other[i * n + j]));

                float[] plain = Run(team, width, product, default(NoEpilogue), b);
                for (int i = 0; i < m * n; i++)
                {
                    Assert.That(before[i], Is.EqualTo(plain[i / n * product.Shape.LdC + i % n]), "kept input of GELU");
                    Assert.That(output[i], Is.EqualTo(Gelu(other[i])).Within(1e-6), "GELU made again");
                }
            }
        }
    }

    [TestCase(3152, 48, 64, 1)]
    [TestCase(160, 512, 700, 1)]
    [TestCase(40, 40, 3000, 1)]
    [TestCase(9, 40, 9000, 1)]
    [TestCase(384, 200, 800, 1)]
    [TestCase(37, 37, 16, 9)]
    public void AnyNumberOfThreads_GivesTheSameBits(int m, int n, int k, int batch)
    {
        var product = new ReferenceProduct(GemmShape.Dense(m, n, k, transposeB: true, batch: batch), gap: 0, alpha: 1, beta: 1);
        float[][] results = [.. new[] { 1, 2, 5 }.Select(threads =>
        {
            using var team = new HostTeam(threads);
            return Run(team, 256, product, default(NoEpilogue));
        })];

        Assert.That(results[1], Is.EqualTo(results[0]));
        Assert.That(results[2], Is.EqualTo(results[0]));
    }

    [Test]
    public void Product_AllocatesNothing_AfterTheFirst()
    {
        using var team = new HostTeam(2);
        float[] a = new float[300 * 400], b = new float[400 * 200], c = new float[300 * 200];
        fixed (float* pa = a, pb = b, pc = c)
        {
            // Often enough for both threads to have had each kind of work, and to have waited for each other.
            for (int i = 0; i < 50; i++)
            {
                HostGemm.Run(team, GemmShape.Dense(300, 200, 400), pa, pb, pc);
                HostGemm.Run(team, GemmShape.Dense(30, 200, 400), pa, pb, pc);
            }
            long before = GC.GetAllocatedBytesForCurrentThread();
            HostGemm.Run(team, GemmShape.Dense(300, 200, 400), pa, pb, pc);
            HostGemm.Run(team, GemmShape.Dense(30, 200, 400), pa, pb, pc);
            Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        }
    }

    private static void Check(HostTeam team, int width, GemmShape dense, int gap, float alpha = 1, float beta = 0)
    {
        var product = new ReferenceProduct(dense, gap, alpha, beta);
        product.Check(Run(team, width, product, default(NoEpilogue)), $"{width} bits");
    }

    private static float[] Run<TEpilogue>(HostTeam team, int width, ReferenceProduct product, TEpilogue epilogue, float* bias = null)
        where TEpilogue : struct, IHostEpilogue
    {
        float[] result = [.. product.C];
        fixed (float* a = product.A, b = product.B, c = result)
        {
            if (width == 128)
                HostGemm<Vector128<float>, Simd128>.Run(team, product.Shape, a, b, c, bias, epilogue);
            else if (width == 256)
                HostGemm<Vector256<float>, Simd256>.Run(team, product.Shape, a, b, c, bias, epilogue);
            else
                HostGemm<Vector512<float>, Simd512>.Run(team, product.Shape, a, b, c, bias, epilogue);
        }
        return result;
    }

    private static double Gelu(double x) => 0.5 * x * (1 + MathNet.Numerics.SpecialFunctions.Erf(x / Math.Sqrt(2)));

    private static double GeluSlope(double x) =>
        0.5 * (1 + MathNet.Numerics.SpecialFunctions.Erf(x / Math.Sqrt(2))) + x * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
}
