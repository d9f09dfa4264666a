using Dino.Tensors.Kernels.Gemm;
using Dino.Tensors.Kernels.Host;

namespace Dino.Tensors.Kernels.Attention;

/// <summary>Attention in one vector width; the forward pass.</summary>
/// <remarks>
/// A block of scores is kept transposed, Sᵀ [key][query] = K · Qᵀ. So the softmax over keys runs down the vectors without any sum across
/// lanes, and the block is a left operand of O = P · V as it is. Of keys that do not fit one block the maximum so far is kept, and what was
/// summed up with an older one is scaled (Milakov and Gimelshein 2018; Dao et al. 2022).
/// </remarks>
internal static unsafe partial class HostAttention<TVector, TSimd>
    where TVector : struct
    where TSimd : struct, ISimd<TVector>
{
    // Queries that share one copy of a head's keys and values when heads are too few to share the work.
    private const int QueriesPerItem = 1024;

    // A block of scores (64 KiB), and the rows of keys and values that belong to it, stay in the second-level cache.
    private const int QueriesPerBlock = 64, KeysPerBlock = 256;

    // So many rows of a head stay in the first-level cache wherever they lie, and those of all heads in the second: with enough images a
    // thread
    // takes all heads of one, whose rows then come from memory once.
    private const int FewTokens = 64, ManyImages = 16;

    // Rows between the one that is copied and the one that is asked for.
    private const int Ahead = 16;

    // The matrix product has slots 0 to 2 and 10.
    private const int KeySlot = 3, ValueSlot = 4, QuerySlot = 5, ScoreSlot = 6, QueryRowSlot = 7, GradRowSlot = 8;

    private const float Log2E = 1.44269504f;

    private static int Panel => HostTile<TVector, TSimd>.Columns;

    private static int CeilDivide(int a, int b) => (a + b - 1) / b;

    private static int RoundUp(int a, int unit) => CeilDivide(a, unit) * unit;

    /// <summary>See <see cref="HostAttention.Forward"/>.</summary>
    public static void Forward(HostTeam team, in AttentionShape shape, float* qkv, float* result, float* stats)
        => team.Run(Items(shape), new ForwardJob(shape, qkv, result, stats));

    /// <summary>See <see cref="HostAttention.Weights"/>.</summary>
    public static void Weights(HostTeam team, in AttentionShape shape, float* qkv, float* weights)
        => team.Run(shape.Images * shape.Heads, new WeightsJob(shape, qkv, weights));

    private static int Items(in AttentionShape shape)
        => shape.Images * shape.Heads / HeadsPerItem(shape) * CeilDivide(shape.Tokens, QueriesPerItem);

    private static int HeadsPerItem(in AttentionShape shape)
        => shape.Tokens <= FewTokens && shape.Images >= ManyImages ? shape.Heads : 1;

    /// <summary>Keys of a block, of nearly equal blocks.</summary>
    private static int BlockOfKeys(int tokens) => CeilDivide(tokens, CeilDivide(tokens, KeysPerBlock));

    /// <summary>At least so many floats: an odd number of cache lines, which spreads rows over the sets of a cache.</summary>
    private static int Pitch(int floats) => (CeilDivide(floats, 16) | 1) * 16;

    /// <summary>
    /// The rows (N × d) of a head as an operand of products, and how far they lie apart. Few lie where they are; many are gathered, as
    /// they are used again and again, and so are those that are no whole number of panels.
    /// </summary>
    private static float* HeadRows(in AttentionShape shape, float* head, int slot, ref long ld)
    {
        int n = shape.Tokens, d = shape.HeadDim, pitch = Pitch(d);
        if (n <= FewTokens && d % HostTile<TVector, TSimd>.Columns == 0)
            return head;
        float* rows = HostScratch.Rent(slot, (long)n * pitch);
        for (int row = 0; row < n; row++)
        {
            if (row + Ahead < n)
                HostPrefetch.Row(head + (row + Ahead) * ld, d);
            new ReadOnlySpan<float>(head + row * ld, d).CopyTo(new Span<float>(rows + (long)row * pitch, d));
        }
        ld = pitch;
        return rows;
    }

    /// <summary>Panels [d][query] of some rows (count × d), the right operand of a product over d.</summary>
    private static void PackAcross(in AttentionShape shape, float* rows, long ld, int count, float* panels)
    {
        int panel = HostTile<TVector, TSimd>.Columns;
        for (int j = 0; j < count; j += panel, panels += HostTile<TVector, TSimd>.PanelStride(shape.HeadDim))
            HostPacking.Along(rows + j * ld, ld, Math.Min(panel, count - j), shape.HeadDim, panel, panels);
    }

    private static long PanelFloats(in AttentionShape shape, int queries)
        => HostTile<TVector, TSimd>.PanelStride(shape.HeadDim) * CeilDivide(queries, HostTile<TVector, TSimd>.Columns);

    /// <summary>
    /// Replaces scores [key][query], which are in units of ln 2, by exp(score − max) with the maximum and the sum of each query over these
    /// keys
    /// and, unless this is the <paramref name="first"/> block, those before; what belongs to the older maximum is to be multiplied by
    /// <paramref name="correction"/>.
    /// </summary>
    private static void Softmax(float* scores, int ld, int keys, int queries, bool first, float* max, float* sum, float* correction)
    {
        nint next = ld;
        for (int column = 0; column < queries; column += TSimd.Width)
        {
            float* s = scores + column, end = s + keys * next, pairs = end - next;
            TVector m0 = TSimd.Load(s), m1 = m0, before = default;
            for (; s < pairs; s += 2 * next)
            {
                m0 = TSimd.Max(m0, TSimd.Load(s));
                m1 = TSimd.Max(m1, TSimd.Load(s + next));
            }
            if (s < end)
                m0 = TSimd.Max(m0, TSimd.Load(s));
            m0 = TSimd.Max(m0, m1);
            if (!first)
            {
                TVector old = TSimd.Load(max + column);
                m0 = TSimd.Max(m0, old);
                TVector factor = HostMath<TVector, TSimd>.PowerOfTwo(TSimd.Subtract(old, m0));
                TSimd.Store(factor, correction + column);
                before = TSimd.Multiply(TSimd.Load(sum + column), factor);
            }
            TVector total = default;
            for (s = scores + column; s < end; s += next)
            {
                TVector e = HostMath<TVector, TSimd>.PowerOfTwo(TSimd.Subtract(TSimd.Load(s), m0));
                TSimd.Store(e, s);
                total = TSimd.Add(total, e);
            }
            TSimd.Store(m0, max + column);
            TSimd.Store(TSimd.Add(before, total), sum + column);
        }
    }

    /// <summary>Multiplies each row by its factor.</summary>
    private static void ScaleRows(float* rows, long ld, int count, int columns, float* factors)
    {
        for (int row = 0; row < count; row++, rows += ld)
        {
            TVector factor = TSimd.Create(factors[row]);
            int j = 0;
            for (; j + TSimd.Width <= columns; j += TSimd.Width)
                TSimd.Store(TSimd.Multiply(TSimd.Load(rows + j), factor), rows + j);
            for (; j < columns; j++)
                rows[j] *= factors[row];
        }
    }

    private readonly struct ForwardJob(AttentionShape shape, float* qkv, float* result, float* stats) : IHostJob
    {
        public void Run(int item)
        {
            int chunks = CeilDivide(shape.Tokens, QueriesPerItem), heads = HeadsPerItem(shape), first = item / chunks * heads;
            for (int head = first; head < first + heads; head++)
                RunHead(head % shape.Heads, head / shape.Heads, item % chunks * QueriesPerItem);
        }

        private void RunHead(int head, int image, int first)
        {
            int n = shape.Tokens, d = shape.HeadDim, width = shape.Width, block = BlockOfKeys(n);
            long ld = 3L * width, keyLd = ld, valueLd = ld;
            float* q = qkv + image * n * ld + head * d;
            float* keys = HeadRows(shape, q + width, KeySlot, ref keyLd), values = HeadRows(shape, q + 2 * width, ValueSlot, ref valueLd);
            float* queries = HostScratch.Rent(QuerySlot, PanelFloats(shape, QueriesPerBlock));
            float* scores = HostScratch.Rent(ScoreSlot, (long)block * Pitch(QueriesPerBlock));
            float* max = stackalloc float[QueriesPerBlock], sum = stackalloc float[QueriesPerBlock],
                factors = stackalloc float[QueriesPerBlock];

            int end = Math.Min(first + QueriesPerItem, n);
            for (int i = first; i < end; i += QueriesPerBlock)
            {
                int count = Math.Min(QueriesPerBlock, end - i), across = RoundUp(count, TSimd.Width), pitch = Pitch(across);
                float* target = result + ((long)image * n + i) * width + head * d;
                HostPrefetch.Rows(target, width, count, d);
                PackAcross(shape, q + i * ld, ld, count, queries);
                for (int key = 0; key < n; key += block)
                {
                    int rows = Math.Min(block, n - key);
                    float* panel = queries;
                    for (int j = 0; j < across; j += Panel, panel += HostTile<TVector, TSimd>.PanelStride(d))
                    {
                        // One panel at a time: its scores are still in the first-level cache.
                        int columns = Math.Min(Panel, across - j);
                        HostTile<TVector, TSimd>.Multiply(
                            keys + key * keyLd, keyLd, rows, panel, columns, d, scores + j, pitch, shape.Scale * Log2E);
                        Softmax(scores + j, pitch, rows, columns, key == 0, max + j, sum + j, factors + j);
                    }
                    if (key > 0)
                        ScaleRows(target, width, count, d, factors);
                    HostTile<TVector, TSimd>.MultiplyInPlace(
                        true, scores, pitch, count, values + key * valueLd, valueLd, d, rows, target, width,
                        key == 0 ? 0 : 1);
                }
                for (int j = 0; j < count; j++)
                    factors[j] = 1 / sum[j];
                ScaleRows(target, width, count, d, factors);
                if (stats == null)
                    continue;
                float* rowStats = stats + 2 * (((long)image * shape.Heads + head) * n + i);
                for (int j = 0; j < count; j++)
                    (rowStats[2 * j], rowStats[2 * j + 1]) = (max[j], MathF.Log2(sum[j]));
            }
        }
    }

    private readonly struct WeightsJob(AttentionShape shape, float* qkv, float* weights) : IHostJob
    {
        public void Run(int item)
        {
            int head = item % shape.Heads, image = item / shape.Heads, n = shape.Tokens, d = shape.HeadDim, panel = Panel;
            long ld = 3L * shape.Width, keyLd = ld;
            float* q = qkv + image * n * ld + head * d, keys = HeadRows(shape, q + shape.Width, KeySlot, ref keyLd);
            float* queries = HostScratch.Rent(QuerySlot, PanelFloats(shape, panel)), scores = HostScratch.Rent(ScoreSlot, (long)n * panel);
            float* max = stackalloc float[32], sum = stackalloc float[32];

            for (int i = 0; i < n; i += panel)
            {
                int count = Math.Min(panel, n - i), across = RoundUp(count, TSimd.Width);
                PackAcross(shape, q + i * ld, ld, count, queries);
                HostTile<TVector, TSimd>.Multiply(keys, keyLd, n, queries, across, d, scores, panel, shape.Scale * Log2E);
                Softmax(scores, panel, n, across, first: true, max, sum, null);
                float* target = weights + (((long)image * shape.Heads + head) * n + i) * n;
                for (int j = 0; j < count; j++, target += n)
                {
                    float inverse = 1 / sum[j];
                    for (int key = 0; key < n; key++)
                        target[key] = scores[key * panel + j] * inverse;
                }
            }
        }
    }
}
