using Dino.Tensors.Kernels.Attention;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>Self-attention and its gradient written out in double precision, on random input.</summary>
internal sealed class AttentionReference
{
    public AttentionReference(AttentionShape shape, double spread = 1, float offset = 0)
    {
        Shape = shape;
        var (b, n, h, d) = shape;
        int width = h * d;
        var random = new System.Random(b * 31 + n * 17 + h * 7 + d);
        Qkv = Fill(random, b * n * 3 * width, spread);
        for (int i = 0; i < Qkv.Length; i++)
            Qkv[i] += offset;
        GradResult = Fill(random, b * n * width, 1);
        Result = new double[b * n * width];
        Lse = new double[b * h * n];
        Weights = new double[b * h * n * n];
        GradQkv = new double[b * n * 3 * width];
        for (int image = 0; image < b; image++)
        {
            for (int head = 0; head < h; head++)
            {
                for (int query = 0; query < n; query++)
                    Row(image, head, query);
            }
        }
    }

    public AttentionShape Shape { get; }

    public float[] Qkv { get; }

    public float[] GradResult { get; }

    public double[] Result { get; }

    public double[] Lse { get; }

    public double[] Weights { get; }

    public double[] GradQkv { get; }

    /// <summary>
    /// ln Σ e^score of each row from the largest score and what the sum is above it, in natural units times <paramref name="unit"/>.
    /// </summary>
    public static float[] LogSums(float[] stats, float unit = 1) => [.. stats.Chunk(2).Select(row => (row[0] + row[1]) * unit)];

    public static void AreClose(float[] actual, double[] expected, double tolerance, string what)
    {
        double size = expected.Max(Math.Abs);
        for (int i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs(actual[i] - expected[i]) <= tolerance * (size + Math.Abs(expected[i]))))
                Assert.Fail($"{what}: {actual[i]} instead of {expected[i]} at {i} (largest {size:g3})");
        }
    }

    // Part 0 is the query, 1 the key, 2 the value.
    private int At(int image, int token, int part, int head, int p)
        => (((image * Shape.Tokens) + token) * 3 + part) * Shape.Width + head * Shape.HeadDim + p;

    private void Row(int image, int head, int query)
    {
        int n = Shape.Tokens, d = Shape.HeadDim;
        double scale = Shape.Scale;
        double[] score = new double[n], gradP = new double[n];
        for (int key = 0; key < n; key++)
        {
            for (int p = 0; p < d; p++)
                score[key] += scale * Qkv[At(image, query, 0, head, p)] * Qkv[At(image, key, 1, head, p)];
        }
        double max = score.Max(), sum = score.Sum(s => Math.Exp(s - max));
        int row = (image * Shape.Heads + head) * n + query;
        Lse[row] = max + Math.Log(sum);
        double delta = 0;
        for (int key = 0; key < n; key++)
        {
            double weight = Weights[row * n + key] = Math.Exp(score[key] - Lse[row]);
            for (int p = 0; p < d; p++)
            {
                int result = (image * n + query) * Shape.Width + head * d + p;
                Result[result] += weight * Qkv[At(image, key, 2, head, p)];
                gradP[key] += (double)GradResult[result] * Qkv[At(image, key, 2, head, p)];
                GradQkv[At(image, key, 2, head, p)] += weight * GradResult[result];
            }
            delta += weight * gradP[key];
        }
        for (int key = 0; key < n; key++)
        {
            double grad = scale * Weights[row * n + key] * (gradP[key] - delta);
            for (int p = 0; p < d; p++)
            {
                GradQkv[At(image, query, 0, head, p)] += grad * Qkv[At(image, key, 1, head, p)];
                GradQkv[At(image, key, 1, head, p)] += grad * Qkv[At(image, query, 0, head, p)];
            }
        }
    }

    private static float[] Fill(System.Random random, int count, double spread)
        => [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 2 - 1) * spread))];
}
