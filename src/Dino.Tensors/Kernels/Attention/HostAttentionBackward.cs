using Dino.Tensors.Kernels.Gemm;
using Dino.Tensors.Kernels.Host;

namespace Dino.Tensors.Kernels.Attention;

/// <summary>The backward pass.</summary>
/// <remarks>
/// With P = exp(S − max − log Σ exp(S − max)), dP = dO·Vᵀ and δ = rowsum(dO ∘ O): dS = Scale · P ∘ (dP − δ), dV = Pᵀ·dO, dQ = dS·K, dK =
/// dSᵀ·Q. A head is done
/// by one thread, in blocks of keys by queries; Pᵀ and dSᵀ are [key][query], left operands of all three products as they are.
/// </remarks>
internal static unsafe partial class HostAttention<TVector, TSimd>
{
    /// <summary>See <see cref="HostAttention.Backward"/>.</summary>
    public static void Backward(
        HostTeam team, in AttentionShape shape, float* qkv, float* result, float* stats, float* gradResult, float* gradQkv, bool accumulate)
        => team.Run(shape.Images * shape.Heads / HeadsPerItem(shape),
            new BackwardJob(shape, qkv, result, stats, gradResult, gradQkv, accumulate));

    /// <summary>Pᵀ from the scores, then dSᵀ from dPᵀ, in place.</summary>
    private static void Gradients(float* scores, float* gradP, int ld, int keys, int queries, float* max, float* logs, float* delta,
        float scale)
    {
        TVector factor = TSimd.Create(scale);
        for (int column = 0; column < queries; column += TSimd.Width)
        {
            float* s = scores + column, g = gradP + column;
            TVector most = TSimd.Load(max + column), log = TSimd.Load(logs + column), shift = TSimd.Load(delta + column);
            for (int key = 0; key < keys; key++, s += ld, g += ld)
            {
                TVector p = HostMath<TVector, TSimd>.PowerOfTwo(TSimd.Subtract(TSimd.Subtract(TSimd.Load(s), most), log));
                TSimd.Store(p, s);
                TSimd.Store(TSimd.Multiply(TSimd.Multiply(p, factor), TSimd.Subtract(TSimd.Load(g), shift)), g);
            }
        }
    }

    private readonly struct BackwardJob(
        AttentionShape shape, float* qkv, float* result, float* stats, float* gradResult, float* gradQkv, bool accumulate) : IHostJob
    {
        public void Run(int item)
        {
            int heads = HeadsPerItem(shape);
            for (int head = item * heads; head < (item + 1) * heads; head++)
                RunHead(head % shape.Heads, head / shape.Heads);
        }

        private void RunHead(int head, int image)
        {
            int n = shape.Tokens, d = shape.HeadDim, width = shape.Width, block = BlockOfKeys(n),
                pitch = Pitch(Math.Min(n, QueriesPerBlock));
            long ld = 3L * width, queryLd = ld, keyLd = ld, valueLd = ld, outputLd = width;
            float* q = qkv + image * n * ld + head * d, gradQ = gradQkv + image * n * ld + head * d;
            float* o = result + (long)image * n * width + head * d, gradO = gradResult + (long)image * n * width + head * d;
            float* keys = HeadRows(shape, q + width, KeySlot, ref keyLd), values = HeadRows(shape, q + 2 * width, ValueSlot, ref valueLd);
            float* queries = HeadRows(shape, q, QueryRowSlot, ref queryLd), outputs = HeadRows(shape, gradO, GradRowSlot, ref outputLd);

            for (int j = 0; j < 3 && n <= FewTokens; j++)
                HostPrefetch.Rows(gradQ + j * width, ld, n, d);

            // Qᵀ and dOᵀ in panels of queries, then the largest score, the logarithm of the sum, and δ of each query.
            long across = PanelFloats(shape, n);
            int padded = RoundUp(n, QueriesPerBlock);
            float* queryPanels = HostScratch.Rent(QuerySlot, 2 * across + 3 * padded), outputPanels = queryPanels + across;
            float* max = outputPanels + across, logs = max + padded, delta = logs + padded;
            PackAcross(shape, queries, queryLd, n, queryPanels);
            PackAcross(shape, outputs, outputLd, n, outputPanels);
            for (int j = 0; j < n; j++)
            {
                long row = ((long)image * shape.Heads + head) * n + j;
                (max[j], logs[j]) = (stats[2 * row], stats[2 * row + 1]);
                delta[j] = Dot(o + (long)j * width, outputs + j * outputLd, d);
            }
            new Span<float>(max + n, padded - n).Clear();
            new Span<float>(logs + n, padded - n).Clear();
            new Span<float>(delta + n, padded - n).Clear();

            float* scores = HostScratch.Rent(ScoreSlot, 2L * block * pitch), gradP = scores + (long)block * pitch;
            for (int key = 0; key < n; key += block)
            {
                int rows = Math.Min(block, n - key);
                float* gradK = gradQ + key * ld + width, gradV = gradK + width;
                for (int i = 0; i < n; i += QueriesPerBlock)
                {
                    int count = Math.Min(QueriesPerBlock, n - i), columns = RoundUp(count, TSimd.Width);
                    float again = i > 0 || accumulate ? 1 : 0;
                    for (int j = 0; j < columns; j += Panel)
                    {
                        long panel = PanelFloats(shape, i + j);
                        int w = Math.Min(Panel, columns - j);
                        HostTile<TVector, TSimd>.Multiply(
                            keys + key * keyLd, keyLd, rows, queryPanels + panel, w, d, scores + j, pitch, shape.Scale * Log2E);
                        HostTile<TVector, TSimd>.Multiply(
                            values + key * valueLd, valueLd, rows, outputPanels + panel, w, d, gradP + j, pitch, 1);
                        Gradients(scores + j, gradP + j, pitch, rows, w, max + i + j, logs + i + j, delta + i + j, shape.Scale);
                    }
                    HostTile<TVector, TSimd>.MultiplyInPlace(
                        false, scores, pitch, rows, outputs + i * outputLd, outputLd, d, count, gradV, ld, again);
                    HostTile<TVector, TSimd>.MultiplyInPlace(
                        false, gradP, pitch, rows, queries + i * queryLd, queryLd, d, count, gradK, ld, again);
                    HostTile<TVector, TSimd>.MultiplyInPlace(
                        true, gradP, pitch, count, keys + key * keyLd, keyLd, d, rows, gradQ + i * ld, ld, key > 0 || accumulate ? 1 : 0);
                }
            }
        }
    }

    private static float Dot(float* a, float* b, int count)
    {
        int j = 0;
        TVector sum = default;
        for (; j + TSimd.Width <= count; j += TSimd.Width)
            sum = TSimd.MultiplyAdd(TSimd.Load(a + j), TSimd.Load(b + j), sum);
        float total = TSimd.Sum(sum);
        for (; j < count; j++)
            total += a[j] * b[j];
        return total;
    }
}
