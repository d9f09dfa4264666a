namespace Dino.Tensors.Kernels;

/// <summary>The backward pass.</summary>
/// <remarks>
/// With P = exp(S − lse), dP = dO·Vᵀ and δ = rowsum(dO ∘ O): dS = P ∘ (dP − δ), dV = Pᵀ·dO, dQ = Scale · dS·K,
/// dK = Scale · dSᵀ·Q. A head is done by one thread, in blocks of queries whose P and dS fit the second-level cache:
/// Pᵀ and dSᵀ come in panels as in the forward pass, serve dQ as they are, and are repacked once for dV and dK.
/// </remarks>
internal static unsafe partial class HostAttention<TVector, TSimd>
{
    // Floats of P (and as many of dS) in a block of queries: 96 KiB.
    private const int BlockFloats = 24 * 1024;

    /// <summary>See <see cref="HostAttention.Backward"/>.</summary>
    public static void Backward(
        HostTeam team, in AttentionShape shape, float* qkv, float* result, float* lse, float* gradResult, float* gradQkv, bool accumulate)
        => team.Run(shape.Images * shape.Heads, new BackwardJob(shape, qkv, result, lse, gradResult, gradQkv, accumulate));

    /// <summary>Per panel: P from the scores, then dS from dP, in place; entries of queries beyond the edge become 0.</summary>
    private static void Gradients(float* scores, float* gradP, int n, float* lse, float* delta, float* valid, float scale)
    {
        int w = TSimd.Width;
        for (int half = 0; half < 2; half++)
        {
            float* s = scores + half * w, g = gradP + half * w;
            TVector log = TSimd.Load(lse + half * w), shift = TSimd.Load(delta + half * w), keep = TSimd.Load(valid + half * w);
            TVector factor = TSimd.Create(scale);
            for (int key = 0; key < n; key++, s += Panel, g += Panel)
            {
                TVector p = TSimd.Multiply(HostMath<TVector, TSimd>.Exp(TSimd.Subtract(TSimd.Load(s), log)), keep);
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
            float* logs = lse + (long)item * n;

            float* keys = PackTokens(shape, q + width, ld, KeySlot), values = PackTokens(shape, q + 2 * width, ld, ValueSlot);
            float* keyDims = PackDims(shape, q + width, ld, KeyDimSlot);

            int block = Math.Clamp(BlockFloats / n / Panel, 1, CeilDivide(n, Panel)) * Panel;
            int tiles = CeilDivide(n, Rows), panels = CeilDivide(d, Panel);
            long stride = HostTile<TVector, TSimd>.PanelStrideA(block);
            float* packedP = HostScratch.Rent(BlockSlot, 2 * tiles * stride), packedS = packedP + tiles * stride;
            long right = HostTile<TVector, TSimd>.PanelStrideB(block) * panels;
            float* rightO = HostScratch.Rent(ResultSlot, 2 * right + (long)RoundUp(d, Rows) * Panel + HostPacking.Slack);
            float* rightQ = rightO + right, transposed = rightQ + right;

            for (int i = 0; i < n; i += block)
            {
                int count = Math.Min(block, n - i), padded = RoundUp(count, Panel);
                long packedStride = HostTile<TVector, TSimd>.PanelStrideA(padded);
                for (int j = 0; j < padded; j += Panel)
                {
                    Queries(q, gradQ, o, gradO, logs, i + j, keys, values, keyDims,
                        packedP + j * Rows, packedS + j * Rows, packedStride, transposed);
                }

                HostPacking.Across(gradO + (long)i * width, width, d, count, Panel, rightO, HostTile<TVector, TSimd>.PanelStrideB(count));
                HostPacking.Across(q + i * ld, ld, d, count, Panel, rightQ, HostTile<TVector, TSimd>.PanelStrideB(count));
                float beta = i > 0 || accumulate ? 1 : 0;
                Products(packedP, packedStride, rightO, count, gradQ + 2 * width, ld, beta);
                Products(packedS, packedStride, rightQ, count, gradQ + width, ld, beta);
            }
        }

        /// <summary>One panel of queries: their dQ, and their columns of P and dS packed as left operands over queries.</summary>
        private void Queries(
            float* q, float* gradQ, float* o, float* gradO, float* logs, int first, float* keys, float* values, float* keyDims,
            float* packedP, float* packedS, long packedStride, float* transposed)
        {
            int n = shape.Tokens, d = shape.HeadDim, width = shape.Width, count = Math.Min(Panel, n - first);
            long ld = 3L * width, scoreFloats = (long)RoundUp(n, Rows) * Panel;
            float* queries = HostScratch.Rent(QuerySlot, 2L * d * Panel + HostPacking.Slack), grads = queries + (long)d * Panel;
            float* scores = HostScratch.Rent(ScoreSlot, 2 * scoreFloats), gradP = scores + scoreFloats;
            float* log = stackalloc float[32], delta = stackalloc float[32], valid = stackalloc float[32];

            HostPacking.Along(q + first * ld, ld, count, d, Panel, queries);
            HostPacking.Along(gradO + (long)first * width, width, count, d, Panel, grads);
            for (int j = 0; j < Panel; j++)
            {
                bool inside = j < count;
                valid[j] = inside ? 1 : 0;
                log[j] = inside ? logs[first + j] : 0;
                delta[j] = inside ? Dot(o + (long)(first + j) * width, gradO + (long)(first + j) * width, d) : 0;
            }

            MultiplyPanel(keys, n, queries, d, scores, shape.Scale);
            MultiplyPanel(values, n, grads, d, gradP, 1);
            Gradients(scores, gradP, n, log, delta, valid, shape.Scale);
            MultiplyPanel(keyDims, d, gradP, n, transposed, 1);
            float* target = gradQ + first * ld;
            if (!accumulate)
                HostPacking.Transpose(transposed, Panel, d, count, target, 3 * width);
            for (int j = 0; accumulate && j < count; j++, target += ld)
            {
                for (int p = 0; p < d; p++)
                    target[p] += transposed[p * Panel + j];
            }
            for (int key = 0; key < n; key += Rows, packedP += packedStride, packedS += packedStride)
            {
                int rows = Math.Min(Rows, n - key);
                HostPacking.Along(scores + (long)key * Panel, Panel, rows, Panel, Rows, packedP);
                HostPacking.Along(gradP + (long)key * Panel, Panel, rows, Panel, Rows, packedS);
            }
        }

        /// <summary>C (N × d) = Aᵀ-block · B-block + beta · C over the <paramref name="count"/> queries of a block.</summary>
        private void Products(float* packed, long packedStride, float* right, int count, float* c, long ld, float beta)
        {
            for (int j = 0; j < shape.HeadDim; j += Panel, right += HostTile<TVector, TSimd>.PanelStrideB(count))
            {
                HostTile<TVector, TSimd>.Sweep(packed, packedStride, shape.Tokens, right, Math.Min(Panel, shape.HeadDim - j), count,
                    c + j, ld, 1, beta, false, default(NoEpilogue), 0, 0, 0);
            }
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
