using Dino.Tensors.Kernels.Gemm;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>
/// One random product: operands (rounded before they are multiplied where a function says how) with NaN in the gaps between rows and
/// matrices, the result in double precision, and how
/// far a sum of that length may be off in single precision.
/// </summary>
internal sealed class ReferenceProduct
{
    private const float Gap = float.NaN;
    private readonly double[] expected, magnitude;
    private readonly Func<float, double> round;

    public ReferenceProduct(GemmShape dense, int gap, float alpha, float beta, bool garbageInC = false, Func<float, double>? round = null)
    {
        var (m, n, k) = dense;
        int rowsA = dense.TransposeA ? k : m, rowsB = dense.TransposeB ? n : k;
        int ldA = (dense.TransposeA ? m : k) + gap, ldB = (dense.TransposeB ? k : n) + 2 * gap, ldC = n + 3 * gap;
        Shape = dense with
        {
            LdA = ldA,
            LdB = ldB,
            LdC = ldC,
            Alpha = alpha,
            Beta = beta,
            StrideA = (long)rowsA * ldA + gap,
            StrideB = (long)rowsB * ldB + gap,
            StrideC = (long)m * ldC + gap,
        };
        this.round = round ?? (x => x);
        var random = new System.Random(m * 7919 + n * 104729 + k);
        A = Fill(random, rowsA, ldA - gap, ldA, Shape.StrideA);
        B = Fill(random, rowsB, ldB - 2 * gap, ldB, Shape.StrideB);
        C = Fill(random, m, n, ldC, Shape.StrideC);
        Bias = [.. Enumerable.Range(0, n).Select(_ => random.NextSingle() - 0.5f)];
        expected = new double[C.Length];
        magnitude = new double[C.Length];
        for (int batch = 0; batch < Shape.Batch; batch++)
        {
            for (int i = 0; i < m; i++)
            {
                for (int j = 0; j < n; j++)
                    Element(batch, i, j, garbageInC);
            }
        }
    }

    public GemmShape Shape { get; }

    public float[] A { get; }

    public float[] B { get; }

    /// <summary>C before the product.</summary>
    public float[] C { get; }

    public float[] Bias { get; }

    /// <summary>
    /// Checks a result, and that nothing was written between rows; the map is what an epilogue does to (value, row, column).
    /// </summary>
    public void Check(float[] result, string what, Func<double, int, int, double>? epilogue = null)
    {
        // Rounding errors of K terms add up like a random walk; the margin is wide, a wrong or missing term is far outside.
        double unit = Math.Pow(2, -24) * (8 + 3 * Math.Sqrt(Shape.K));
        for (int at = 0; at < result.Length; at++)
        {
            int row = (int)(at % Shape.StrideC / Shape.LdC), column = (int)(at % Shape.StrideC % Shape.LdC);
            bool inside = row < Shape.M && column < Shape.N;
            if (!inside)
            {
                Assert.That(result[at], Is.NaN, $"{what}: gap at {at} was written");
                continue;
            }
            double wanted = epilogue is null ? expected[at] : epilogue(expected[at], row, column);
            double margin = unit * (magnitude[at] + (epilogue is null ? 0 : 1)) + 1e-30;
            if (!(Math.Abs(result[at] - wanted) <= margin))
                Assert.Fail($"{what}, {Shape}: {result[at]} instead of {wanted} ± {margin:g2} at {at} (column {column})");
        }
    }

    private void Element(int batch, int i, int j, bool garbageInC)
    {
        GemmShape s = Shape;
        double sum = 0, size = 0;
        for (int p = 0; p < s.K; p++)
        {
            double x = round(A[batch * s.StrideA + (s.TransposeA ? p * s.LdA + i : i * s.LdA + p)]);
            double y = round(B[batch * s.StrideB + (s.TransposeB ? j * s.LdB + p : p * s.LdB + j)]);
            sum += x * y;
            size += Math.Abs(x * y);
        }
        long at = batch * s.StrideC + i * s.LdC + j;
        expected[at] = s.Alpha * sum + (s.Beta == 0 ? 0 : s.Beta * C[at]);
        magnitude[at] = Math.Abs(s.Alpha) * size + (s.Beta == 0 ? 0 : Math.Abs(s.Beta * C[at]));
        if (garbageInC)
            C[at] = float.NaN;
    }

    private float[] Fill(System.Random random, int rows, int columns, int ld, long stride)
    {
        float[] values = new float[Math.Max(stride * Shape.Batch, 1)];
        Array.Fill(values, Gap);
        for (int batch = 0; batch < Shape.Batch; batch++)
        {
            for (int i = 0; i < rows; i++)
            {
                for (int j = 0; j < columns; j++)
                    values[batch * stride + (long)i * ld + j] = random.NextSingle() * 2 - 1;
            }
        }
        return values;
    }
}
