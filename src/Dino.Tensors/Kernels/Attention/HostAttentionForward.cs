namespace Dino.Tensors.Kernels;

/// <summary>Attention in one vector width; the forward pass.</summary>
/// <remarks>
/// Scores are kept transposed, a panel of 2·Width queries across: Sᵀ [key][query] = K · Qᵀ. So the softmax over keys runs
/// down the vectors without any sum across lanes, and the panel is already packed as the right operand of Oᵀ = Vᵀ · Pᵀ.
/// </remarks>
internal static unsafe partial class HostAttention<TVector, TSimd>
    where TVector : struct
    where TSimd : struct, ISimd<TVector>
{
    // Queries that share one packing of a head's keys and values when heads are too few to share the work.
    private const int QueriesPerItem = 512;

    // The matrix product has slots 0 to 2 and 10.
    private const int KeySlot = 3, ValueSlot = 4, QuerySlot = 5, ScoreSlot = 6, ResultSlot = 7, KeyDimSlot = 8, BlockSlot = 9;

    private static int Panel => HostTile<TVector, TSimd>.Columns;

    private static int Rows => HostTile<TVector, TSimd>.Rows;

    private static int CeilDivide(int a, int b) => (a + b - 1) / b;

    private static int RoundUp(int a, int unit) => CeilDivide(a, unit) * unit;

    /// <summary>See <see cref="HostAttention.Forward"/>.</summary>
    public static void Forward(HostTeam team, in AttentionShape shape, float* qkv, float* result, float* lse)
        => team.Run(Items(shape), new ForwardJob(shape, qkv, result, lse));

    /// <summary>See <see cref="HostAttention.Weights"/>.</summary>
    public static void Weights(HostTeam team, in AttentionShape shape, float* qkv, float* weights)
        => team.Run(Items(shape), new WeightsJob(shape, qkv, weights));

    private static int Items(in AttentionShape shape) => shape.Images * shape.Heads * CeilDivide(shape.Tokens, QueriesPerItem);

    /// <summary>Packs the keys of a head (6 tokens a panel) as the left operand of Sᵀ.</summary>
    private static float* PackTokens(in AttentionShape shape, float* head, long ld, int slot)
    {
        int n = shape.Tokens, d = shape.HeadDim;
        long stride = HostTile<TVector, TSimd>.PanelStrideA(d);
        float* packed = HostScratch.Rent(slot, stride * CeilDivide(n, Rows)), panel = packed;
        for (int token = 0; token < n; token += Rows, panel += stride)
            HostPacking.Along(head + token * ld, ld, Math.Min(Rows, n - token), d, Rows, panel);
        return packed;
    }

    /// <summary>Packs Xᵀ (d × N) of a head, 6 dimensions a panel, as the left operand of a product over tokens.</summary>
    private static float* PackDims(in AttentionShape shape, float* head, long ld, int slot)
    {
        int n = shape.Tokens, d = shape.HeadDim;
        long stride = HostTile<TVector, TSimd>.PanelStrideA(n);
        float* packed = HostScratch.Rent(slot, stride * CeilDivide(d, Rows));
        HostPacking.Across(head, ld, d, n, Rows, packed, stride);
        return packed;
    }

    /// <summary>C (rows × one panel) = alpha · A · B, rows rounded up to whole tiles: the target has room for them.</summary>
    private static void MultiplyPanel(float* a, int rows, float* b, int k, float* c, float alpha)
        => HostTile<TVector, TSimd>.Multiply(a, RoundUp(rows, Rows), b, Panel, k, c, Panel, alpha, 0, false, default(NoEpilogue), 0, 0, 0);

    /// <summary>Replaces scores [key][query] by exp(score − max) and returns maximum and sum of each query.</summary>
    private static void Softmax(float* scores, int n, float* max, float* sum)
    {
        int w = TSimd.Width;
        for (int half = 0; half < 2; half++)
        {
            float* s = scores + half * w;
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
            TSimd.Store(m0, max + half * w);
            TSimd.Store(TSimd.Add(total0, total1), sum + half * w);
        }
    }

    /// <summary>Multiplies each column of a panel by its factor.</summary>
    private static void ScaleColumns(float* panel, int rows, float* factors)
    {
        int w = TSimd.Width;
        TVector left = TSimd.Load(factors), right = TSimd.Load(factors + w);
        for (int row = 0; row < rows; row++, panel += Panel)
        {
            TSimd.Store(TSimd.Multiply(TSimd.Load(panel), left), panel);
            TSimd.Store(TSimd.Multiply(TSimd.Load(panel + w), right), panel + w);
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
            float* keys = PackTokens(shape, q + width, ld, KeySlot), values = PackDims(shape, q + 2 * width, ld, ValueSlot);
            float* queries = HostScratch.Rent(QuerySlot, (long)d * Panel + HostPacking.Slack);
            float* scores = HostScratch.Rent(ScoreSlot, (long)RoundUp(n, Rows) * Panel);
            float* transposed = HostScratch.Rent(ResultSlot, (long)RoundUp(d, Rows) * Panel);
            float* max = stackalloc float[32], sum = stackalloc float[32], inverse = stackalloc float[32];

            int end = Math.Min(first + QueriesPerItem, n);
            for (int i = first; i < end; i += Panel)
            {
                int count = Math.Min(Panel, end - i);
                HostPacking.Along(q + i * ld, ld, count, d, Panel, queries);
                MultiplyPanel(keys, n, queries, d, scores, shape.Scale);
                Softmax(scores, n, max, sum);
                MultiplyPanel(values, d, scores, n, transposed, 1);
                for (int j = 0; j < Panel; j++)
                    inverse[j] = 1 / sum[j];
                ScaleColumns(transposed, d, inverse);
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
            float* keys = PackTokens(shape, q + shape.Width, ld, KeySlot);
            float* queries = HostScratch.Rent(QuerySlot, (long)d * Panel + HostPacking.Slack);
            float* scores = HostScratch.Rent(ScoreSlot, (long)RoundUp(n, Rows) * Panel);
            float* max = stackalloc float[32], sum = stackalloc float[32];

            int end = Math.Min(first + QueriesPerItem, n);
            for (int i = first; i < end; i += Panel)
            {
                int count = Math.Min(Panel, end - i);
                HostPacking.Along(q + i * ld, ld, count, d, Panel, queries);
                MultiplyPanel(keys, n, queries, d, scores, shape.Scale);
                Softmax(scores, n, max, sum);
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
