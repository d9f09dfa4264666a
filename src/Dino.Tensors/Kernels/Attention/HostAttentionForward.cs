namespace Dino.Tensors.Kernels;

/// <summary>Attention in one vector width; the forward pass.</summary>
/// <remarks>
/// Scores are kept transposed, a panel of 2·Width queries across: Sᵀ [key][query] = K · Qᵀ. So the softmax over keys runs
/// down the vectors without any sum across lanes, and the panel is already the right operand of Oᵀ = Vᵀ · Pᵀ.
/// </remarks>
internal static unsafe partial class HostAttention<TVector, TSimd>
    where TVector : struct
    where TSimd : struct, ISimd<TVector>
{
    // Queries that share one packing of a head's keys and values when heads are too few to share the work.
    private const int QueriesPerItem = 512;

    // The matrix product has slots 0 to 2 and 10.
    // So many rows of a head stay in the first-level cache wherever they lie.
    private const int FewTokens = 64;

    private const int KeySlot = 3, ValueSlot = 4, QuerySlot = 5, ScoreSlot = 6, ResultSlot = 7, OutputSlot = 8, KeyRowSlot = 9;

    private static int Panel => HostTile<TVector, TSimd>.Columns;

    private static int CeilDivide(int a, int b) => (a + b - 1) / b;

    /// <summary>See <see cref="HostAttention.Forward"/>.</summary>
    public static void Forward(HostTeam team, in AttentionShape shape, float* qkv, float* result, float* lse)
        => team.Run(Items(shape), new ForwardJob(shape, qkv, result, lse));

    /// <summary>See <see cref="HostAttention.Weights"/>.</summary>
    public static void Weights(HostTeam team, in AttentionShape shape, float* qkv, float* weights)
        => team.Run(Items(shape), new WeightsJob(shape, qkv, weights));

    private static int Items(in AttentionShape shape) => shape.Images * shape.Heads * CeilDivide(shape.Tokens, QueriesPerItem);

    /// <summary>Xᵀ (d × N) of a head's keys or values, the left operand of a product over tokens; rows are <see cref="Pitch"/> apart.</summary>
    private static float* TransposeHead(in AttentionShape shape, float* head, long ld, int slot)
    {
        int pitch = Pitch(shape.Tokens);
        float* transposed = HostScratch.Rent(slot, (long)shape.HeadDim * pitch);
        HostPacking.Transpose(head, ld, shape.Tokens, shape.HeadDim, transposed, pitch);
        return transposed;
    }

    /// <summary>
    /// The keys or values (N × d) of a head as the left operand of a product over d, and how far their rows lie apart. Few lie where they are;
    /// many are gathered, as every panel of queries goes over all of them.
    /// </summary>
    private static float* HeadRows(in AttentionShape shape, float* head, int slot, ref long ld)
    {
        int n = shape.Tokens, d = shape.HeadDim;
        if (n <= FewTokens)
            return head;
        float* rows = HostScratch.Rent(slot, (long)n * d);
        for (int row = 0; row < n; row++)
            new ReadOnlySpan<float>(head + row * ld, d).CopyTo(new Span<float>(rows + (long)row * d, d));
        ld = d;
        return rows;
    }

    /// <summary>At least so many floats: an odd number of cache lines, which spreads rows over the sets of a cache.</summary>
    private static int Pitch(int floats) => (CeilDivide(floats, 16) | 1) * 16;

    /// <summary>The columns of a panel that are worth computing when so many queries are left.</summary>
    private static int PanelWidth(int count) => count <= TSimd.Width ? TSimd.Width : Panel;

    /// <summary>C (rows × width) = alpha · A · B of one panel.</summary>
    private static void MultiplyPanel(
        float* a, long lda, int rows, float* b, long ldb, int width, int k, float* c, long ldc, float alpha, float beta = 0)
        => HostTile<TVector, TSimd>.Sweep(a, lda, rows, b, ldb, width, k, c, ldc, alpha, beta, null,
            false, default(NoEpilogue), 0, 0);

    /// <summary>Replaces scores [key][query] by exp(score − max) and returns maximum and sum of each query.</summary>
    private static void Softmax(float* scores, int n, int width, float* max, float* sum)
    {
        int w = TSimd.Width;
        for (int column = 0; column < width; column += w)
        {
            float* s = scores + column;
            TVector m0 = TSimd.Load(s), m1 = m0;
            int key = 0;
            for (; key + 2 <= n; key += 2)
            {
                m0 = TSimd.Max(m0, TSimd.Load(s + key * Panel));
                m1 = TSimd.Max(m1, TSimd.Load(s + (key + 1) * Panel));
            }
            if (key < n)
                m0 = TSimd.Max(m0, TSimd.Load(s + key * Panel));
            m0 = TSimd.Max(m0, m1);
            TVector total0 = default, total1 = default;
            for (key = 0; key + 2 <= n; key += 2)
            {
                TVector e0 = HostMath<TVector, TSimd>.Exp(TSimd.Subtract(TSimd.Load(s + key * Panel), m0));
                TVector e1 = HostMath<TVector, TSimd>.Exp(TSimd.Subtract(TSimd.Load(s + (key + 1) * Panel), m0));
                TSimd.Store(e0, s + key * Panel);
                TSimd.Store(e1, s + (key + 1) * Panel);
                total0 = TSimd.Add(total0, e0);
                total1 = TSimd.Add(total1, e1);
            }
            if (key < n)
            {
                TVector e = HostMath<TVector, TSimd>.Exp(TSimd.Subtract(TSimd.Load(s + key * Panel), m0));
                TSimd.Store(e, s + key * Panel);
                total0 = TSimd.Add(total0, e);
            }
            TSimd.Store(m0, max + column);
            TSimd.Store(TSimd.Add(total0, total1), sum + column);
        }
    }

    /// <summary>Multiplies each column of a panel by its factor.</summary>
    private static void ScaleColumns(float* panel, int rows, int width, float* factors)
    {
        for (int row = 0; row < rows; row++, panel += Panel)
        {
            for (int column = 0; column < width; column += TSimd.Width)
                TSimd.Store(TSimd.Multiply(TSimd.Load(panel + column), TSimd.Load(factors + column)), panel + column);
        }
    }

    private readonly struct ForwardJob(AttentionShape shape, float* qkv, float* result, float* lse) : IHostJob
    {
        public void Run(int item)
        {
            int chunks = CeilDivide(shape.Tokens, QueriesPerItem);
            int head = item / chunks % shape.Heads, image = item / chunks / shape.Heads, first = item % chunks * QueriesPerItem;
            int n = shape.Tokens, d = shape.HeadDim, width = shape.Width;
            long ld = 3L * width;
            float* q = qkv + image * n * ld + head * d;
            float* values = TransposeHead(shape, q + 2 * width, ld, ValueSlot);
            long keyLd = ld;
            float* keys = HeadRows(shape, q + width, KeyRowSlot, ref keyLd);
            float* queries = HostScratch.Rent(QuerySlot, (long)d * Panel);
            float* scores = HostScratch.Rent(ScoreSlot, (long)n * Panel);
            float* transposed = HostScratch.Rent(ResultSlot, (long)d * Panel);
            float* max = stackalloc float[32], sum = stackalloc float[32], inverse = stackalloc float[32];

            int end = Math.Min(first + QueriesPerItem, n);
            for (int i = first; i < end; i += Panel)
            {
                int count = Math.Min(Panel, end - i), across = PanelWidth(count);
                HostPacking.Along(q + i * ld, ld, count, d, Panel, queries);
                MultiplyPanel(keys, keyLd, n, queries, Panel, across, d, scores, Panel, shape.Scale);
                Softmax(scores, n, across, max, sum);
                MultiplyPanel(values, Pitch(n), d, scores, Panel, across, n, transposed, Panel, 1);
                for (int j = 0; j < across; j++)
                    inverse[j] = 1 / sum[j];
                ScaleColumns(transposed, d, across, inverse);
                HostPacking.Transpose(transposed, Panel, d, count, result + ((long)image * n + i) * width + head * d, width);
                if (lse == null)
                    continue;
                float* logs = lse + ((long)image * shape.Heads + head) * n + i;
                for (int j = 0; j < count; j++)
                    logs[j] = max[j] + MathF.Log(sum[j]);
            }
        }
    }

    private readonly struct WeightsJob(AttentionShape shape, float* qkv, float* weights) : IHostJob
    {
        public void Run(int item)
        {
            int chunks = CeilDivide(shape.Tokens, QueriesPerItem);
            int head = item / chunks % shape.Heads, image = item / chunks / shape.Heads, first = item % chunks * QueriesPerItem;
            int n = shape.Tokens, d = shape.HeadDim;
            long ld = 3L * shape.Width;
            float* q = qkv + image * n * ld + head * d;
            long keyLd = ld;
            float* keys = HeadRows(shape, q + shape.Width, KeyRowSlot, ref keyLd);
            float* queries = HostScratch.Rent(QuerySlot, (long)d * Panel);
            float* scores = HostScratch.Rent(ScoreSlot, (long)n * Panel);
            float* max = stackalloc float[32], sum = stackalloc float[32];

            int end = Math.Min(first + QueriesPerItem, n);
            for (int i = first; i < end; i += Panel)
            {
                int count = Math.Min(Panel, end - i), across = PanelWidth(count);
                HostPacking.Along(q + i * ld, ld, count, d, Panel, queries);
                MultiplyPanel(keys, keyLd, n, queries, Panel, across, d, scores, Panel, shape.Scale);
                Softmax(scores, n, across, max, sum);
                float* target = weights + (((long)image * shape.Heads + head) * n + i) * n;
                for (int j = 0; j < count; j++, target += n)
                {
                    float inverse = 1 / sum[j];
                    for (int key = 0; key < n; key++)
                        target[key] = scores[key * Panel + j] * inverse;
                }
            }
        }
    }
}
