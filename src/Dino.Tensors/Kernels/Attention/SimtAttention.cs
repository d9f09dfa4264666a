using Dino.Tensors.Kernels.Gemm;
using ILGPU;

namespace Dino.Tensors.Kernels.Attention;

/// <summary>
/// Fused attention on an accelerator (Dao et al. 2022): a group owns a block of tokens of one head and meets the others a
/// tile at a time, so that scores exist in registers and shared memory only.
/// </summary>
/// <remarks>
/// A group makes the columns (dimensions of the head) of its block in pieces of two tile edges; wider heads take several
/// groups, each of which makes the scores again. Gradients need no atomics: one kernel owns queries, another keys.
/// </remarks>
internal static partial class SimtAttention<TTile> where TTile : struct, ISimtTile
{
    // A score no key has: its exponential is 0 whatever the maximum. Not −∞, whose difference with itself is NaN.
    private const float Nothing = -3e38f;

    /// <summary>Threads of a group.</summary>
    public static int GroupSize => TTile.Side * TTile.Side;

    private static int Edge => SimtStrip<TTile>.Edge;

    private static int Pitch => SimtStrip<TTile>.Pitch;

    private const int Depth = SimtStrip<TTile>.Depth;

    public static AttentionArguments Arguments(in AttentionShape shape, bool accumulate = false)
        => new(shape, SimtStrip<TTile>.Edge, accumulate);

    /// <summary>Groups of <see cref="Forward"/>, <see cref="BackwardQueries"/> and <see cref="BackwardKeys"/>.</summary>
    public static int GridSize(in AttentionArguments s, int images) => images * s.Heads * s.TokenBlocks * s.ColumnBlocks;

    /// <summary>Groups of <see cref="Weights"/>.</summary>
    public static int WeightsGridSize(in AttentionArguments s, int images) => images * s.Heads * s.TokenBlocks * s.TokenBlocks;

    /// <summary>Writes the result (B, N, D) and of each row (B, H, N, 2) the largest score and log Σ exp(score − largest).</summary>
    public static void Forward(ArrayView<float> qkv, ArrayView<float> result, ArrayView<float> stats, AttentionArguments s)
    {
        int side = TTile.Side, n = s.Tokens, d = s.HeadDim, width = s.Heads * d, ld = 3 * width;
        int thread = Group.IdxX, tx = thread % side, ty = thread / side;
        int group = Grid.IdxX, columnBlock = group % s.ColumnBlocks, block = group / s.ColumnBlocks % s.TokenBlocks;
        int head = group / (s.ColumnBlocks * s.TokenBlocks), image = head / s.Heads;
        int start = image * n * ld + head % s.Heads * d, row0 = block * Edge, column0 = columnBlock * 2 * Edge;

        ArrayView<Float4> strips = SharedMemory.Allocate<Float4>(2 * Depth * Pitch);
        ArrayView<Float4> weights = SharedMemory.Allocate<Float4>(Edge * Pitch);
        ArrayView<Float4> reduce = SharedMemory.Allocate<Float4>(TTile.Side * TTile.Side);

        Float4x4 left = default, right = default;
        Float4 sum = default;
        var max = new Float4 { X = Nothing, Y = Nothing, Z = Nothing, W = Nothing };
        for (int key0 = 0; key0 < n; key0 += Edge)
        {
            Float4x4 score = Scores(qkv, start, ld, row0, qkv, start + width, ld, key0, n, d, strips, thread, ty, tx);
            int keys = n - key0 - 4 * tx;
            score.R0 = Mask(Scaled(score.R0, s.Scale), keys);
            score.R1 = Mask(Scaled(score.R1, s.Scale), keys);
            score.R2 = Mask(Scaled(score.R2, s.Scale), keys);
            score.R3 = Mask(Scaled(score.R3, s.Scale), keys);

            reduce[ty * side + tx] = new Float4
            {
                X = Largest(score.R0),
                Y = Largest(score.R1),
                Z = Largest(score.R2),
                W = Largest(score.R3),
            };
            Group.Barrier();
            Float4 best = max;
            for (int i = 0; i < side; i++)
                best = Max(best, reduce[ty * side + i]);
            var keep = new Float4
            {
                X = MathF.Exp(max.X - best.X),
                Y = MathF.Exp(max.Y - best.Y),
                Z = MathF.Exp(max.Z - best.Z),
                W = MathF.Exp(max.W - best.W),
            };
            max = best;
            score.R0 = Exp(score.R0, max.X);
            score.R1 = Exp(score.R1, max.Y);
            score.R2 = Exp(score.R2, max.Z);
            score.R3 = Exp(score.R3, max.W);
            // Each thread sums the keys it has seen; the threads of a row are added up once, at the end.
            sum = new Float4
            {
                X = sum.X * keep.X + Total(score.R0),
                Y = sum.Y * keep.Y + Total(score.R1),
                Z = sum.Z * keep.Z + Total(score.R2),
                W = sum.W * keep.W + Total(score.R3),
            };
            left = Float4x4.ScaleRows(keep, left);
            right = Float4x4.ScaleRows(keep, right);

            StoreTile(weights, score, ty, tx);
            for (int step = 0; step < Edge; step += Depth)
            {
                LoadSlab(qkv, start + 2 * width, ld, key0 + step, n, column0, d, strips.Cast<float>(), thread);
                Group.Barrier();
                MultiplySlab(weights, step, strips, ty, tx, ref left, ref right);
                Group.Barrier();
            }
        }

        reduce[ty * side + tx] = sum;
        Group.Barrier();
        Float4 total = default;
        for (int i = 0; i < side; i++)
            total = Float4.MultiplyAdd(1, reduce[ty * side + i], total);

        var inverse = new Float4 { X = 1 / total.X, Y = 1 / total.Y, Z = 1 / total.Z, W = 1 / total.W };
        int row = row0 + 4 * ty;
        int target = image * n * width + head % s.Heads * d;
        StoreColumns(result, target, width, row, n, column0 + 4 * tx, d, Float4x4.ScaleRows(inverse, left), 0);
        StoreColumns(result, target, width, row, n, column0 + Edge + 4 * tx, d, Float4x4.ScaleRows(inverse, right), 0);
        if (columnBlock != 0 || tx != 0)
            return;
        StoreStats(stats, head * n, row, n, max.X, total.X);
        StoreStats(stats, head * n, row + 1, n, max.Y, total.Y);
        StoreStats(stats, head * n, row + 2, n, max.Z, total.Z);
        StoreStats(stats, head * n, row + 3, n, max.W, total.W);
    }

    /// <summary>Writes the probabilities (B, H, N, N) from the maxima and sums of the forward pass.</summary>
    public static void Weights(ArrayView<float> qkv, ArrayView<float> stats, ArrayView<float> weights, AttentionArguments s)
    {
        int side = TTile.Side, n = s.Tokens, d = s.HeadDim, width = s.Heads * d, ld = 3 * width;
        int thread = Group.IdxX, tx = thread % side, ty = thread / side;
        int group = Grid.IdxX, keyBlock = group % s.TokenBlocks, block = group / s.TokenBlocks % s.TokenBlocks;
        int head = group / (s.TokenBlocks * s.TokenBlocks), start = head / s.Heads * n * ld + head % s.Heads * d;
        ArrayView<Float4> strips = SharedMemory.Allocate<Float4>(2 * Depth * Pitch);

        int row = block * Edge + 4 * ty, column = keyBlock * Edge + 4 * tx;
        Float4x4 score = Scores(qkv, start, ld, block * Edge, qkv, start + width, ld, keyBlock * Edge, n, d, strips, thread, ty, tx);
        Float4 max = LoadStats(stats, head * n, row, n, 0), log = LoadStats(stats, head * n, row, n, 1);
        score.R0 = Exp(Scaled(score.R0, s.Scale), max.X, log.X);
        score.R1 = Exp(Scaled(score.R1, s.Scale), max.Y, log.Y);
        score.R2 = Exp(Scaled(score.R2, s.Scale), max.Z, log.Z);
        score.R3 = Exp(Scaled(score.R3, s.Scale), max.W, log.W);
        StoreColumns(weights, head * n * n, n, row, n, column, n, score, 0);
    }
}
