namespace Dino.Tensors.Kernels;

/// <summary>The backward pass.</summary>
/// <remarks>
/// With P = exp(S − lse), dP = dO·Vᵀ and δ = rowsum(dO ∘ O): dS = P ∘ (dP − δ), dV = Pᵀ·dO, dQ = Scale · dS·K,
/// dK = Scale · dSᵀ·Q. A head is done by one thread, in blocks of queries whose P and dS fit the second-level cache. Pᵀ and dSᵀ are
/// [key][query], made a panel of queries at a time as in the forward pass: right operands of dQ, left operands of dV and dK as they are.
/// </remarks>
internal static unsafe partial class HostAttention<TVector, TSimd>
{
    // Floats of P (and as many of dS) in a block of queries: 96 KiB.
    private const int BlockFloats = 24 * 1024;

    /// <summary>See <see cref="HostAttention.Backward"/>.</summary>
    public static void Backward(
        HostTeam team, in AttentionShape shape, float* qkv, float* result, float* lse, float* gradResult, float* gradQkv, bool accumulate)
        => team.Run(shape.Images * shape.Heads, new BackwardJob(shape, qkv, result, lse, gradResult, gradQkv, accumulate));

    /// <summary>Per panel: P from the scores, then dS from dP, in place.</summary>
    private static void Gradients(float* scores, float* gradP, long ld, int n, int width, float* lse, float* delta, float scale)
    {
        int w = TSimd.Width;
        TVector factor = TSimd.Create(scale);
        for (int column = 0; column < width; column += w)
        {
            float* s = scores + column, g = gradP + column;
            TVector log = TSimd.Load(lse + column), shift = TSimd.Load(delta + column);
            for (int key = 0; key < n; key++, s += ld, g += ld)
            {
                TVector p = HostMath<TVector, TSimd>.Exp(TSimd.Subtract(TSimd.Load(s), log));
                TSimd.Store(p, s);
                TSimd.Store(TSimd.Multiply(TSimd.Multiply(p, factor), TSimd.Subtract(TSimd.Load(g), shift)), g);
            }
        }
    }

    private readonly struct BackwardJob(
        AttentionShape shape, float* qkv, float* result, float* lse, float* gradResult, float* gradQkv, bool accumulate) : IHostJob
    {
        public void Run(int item)
        {
            int head = item % shape.Heads, image = item / shape.Heads;
            int n = shape.Tokens, d = shape.HeadDim, width = shape.Width;
            long ld = 3L * width;
            float* q = qkv + image * n * ld + head * d, gradQ = gradQkv + image * n * ld + head * d;
            float* o = result + (long)image * n * width + head * d, gradO = gradResult + (long)image * n * width + head * d;
            float* logs = lse + (long)item * n, keyDims = TransposeHead(shape, q + width, ld, KeySlot);
            long rowLd = ld, sameLd = ld;
            float* keys = HeadRows(shape, q + width, KeyRowSlot, ref rowLd), values = HeadRows(shape, q + 2 * width, ValueSlot, ref sameLd);

            int block = Math.Clamp(BlockFloats / n / Panel, 1, CeilDivide(n, Panel)) * Panel, pitch = Pitch(block);
            float* scores = HostScratch.Rent(ScoreSlot, 2L * n * pitch), gradP = scores + (long)n * pitch;
            long right = HostTile<TVector, TSimd>.PanelStride(block) * CeilDivide(d, Panel);
            float* rightO = HostScratch.Rent(OutputSlot, 2 * right), rightQ = rightO + right;

            for (int i = 0; i < n; i += block)
            {
                int count = Math.Min(block, n - i);
                for (int j = 0; j < count; j += Panel)
                    Queries(q, gradQ, o, gradO, logs, i + j, keys, values, rowLd, keyDims, scores + j, gradP + j, pitch);

                HostPacking.Across(gradO + (long)i * width, width, d, count, Panel, rightO, HostTile<TVector, TSimd>.PanelStride(count));
                HostPacking.Across(q + i * ld, ld, d, count, Panel, rightQ, HostTile<TVector, TSimd>.PanelStride(count));
                float beta = i > 0 || accumulate ? 1 : 0;
                Products(scores, pitch, rightO, count, gradQ + 2 * width, ld, beta);
                Products(gradP, pitch, rightQ, count, gradQ + width, ld, beta);
            }
        }

        /// <summary>One panel of queries: their dQ, and their columns of Pᵀ and dSᵀ.</summary>
        private void Queries(
            float* q, float* gradQ, float* o, float* gradO, float* logs, int first, float* keys, float* values, long rowLd, float* keyDims,
            float* scores, float* gradP, long pitch)
        {
            int n = shape.Tokens, d = shape.HeadDim, width = shape.Width, count = Math.Min(Panel, n - first), across = PanelWidth(count);
            long ld = 3L * width;
            float* queries = HostScratch.Rent(QuerySlot, 2L * d * Panel), grads = queries + (long)d * Panel;
            float* transposed = HostScratch.Rent(ResultSlot, (long)d * Panel);
            float* log = stackalloc float[32], delta = stackalloc float[32];

            HostPacking.Along(q + first * ld, ld, count, d, Panel, queries);
            HostPacking.Along(gradO + (long)first * width, width, count, d, Panel, grads);
            for (int j = 0; j < across; j++)
            {
                bool inside = j < count;
                log[j] = inside ? logs[first + j] : 0;
                delta[j] = inside ? Dot(o + (long)(first + j) * width, gradO + (long)(first + j) * width, d) : 0;
            }

            MultiplyPanel(keys, rowLd, n, queries, Panel, across, d, scores, pitch, shape.Scale);
            MultiplyPanel(values, rowLd, n, grads, Panel, across, d, gradP, pitch, 1);
            Gradients(scores, gradP, pitch, n, across, log, delta, shape.Scale);
            MultiplyPanel(keyDims, Pitch(n), d, gradP, pitch, across, n, transposed, Panel, 1);
            float* target = gradQ + first * ld;
            if (!accumulate)
                HostPacking.Transpose(transposed, Panel, d, count, target, 3 * width);
            for (int j = 0; accumulate && j < count; j++, target += ld)
            {
                for (int p = 0; p < d; p++)
                    target[p] += transposed[p * Panel + j];
            }
        }

        /// <summary>C (N × d) = Aᵀ-block · B-block + beta · C over the <paramref name="count"/> queries of a block.</summary>
        private void Products(float* left, long pitch, float* right, int count, float* c, long ld, float beta)
        {
            for (int j = 0; j < shape.HeadDim; j += Panel, right += HostTile<TVector, TSimd>.PanelStride(count))
                MultiplyPanel(left, pitch, shape.Tokens, right, Panel, Math.Min(Panel, shape.HeadDim - j), count, c + j, ld, 1, beta);
        }
    }

    private static float Dot(float* a, float* b, int count)
    {
        int w = TSimd.Width, j = 0;
        TVector sum = default;
        for (; j + w <= count; j += w)
            sum = TSimd.MultiplyAdd(TSimd.Load(a + j), TSimd.Load(b + j), sum);
        float* lanes = stackalloc float[16];
        TSimd.Store(sum, lanes);
        float total = 0;
        for (int i = 0; i < w; i++)
            total += lanes[i];
        for (; j < count; j++)
            total += a[j] * b[j];
        return total;
    }
}
