using Dino.Tensors.Kernels.Gemm;
using Dino.Tensors.Kernels.Simt;
using ILGPU;

namespace Dino.Tensors.Kernels.Attention;

/// <summary>The backward kernels: δ, then dQ by blocks of queries, then dK and dV by blocks of keys.</summary>
internal static partial class SimtAttention<TTile>
{
    /// <summary>δ (B, H, N) = Σ dO ∘ O over a head's dimensions; one thread for each, <paramref name="count"/> = B · H · N.</summary>
    public static void Delta(
        ArrayView<float> result, ArrayView<float> gradResult, ArrayView<float> delta, int count, AttentionArguments s)
    {
        int index = Grid.IdxX * Group.DimX + Group.IdxX;
        if (index >= count)
            return;
        int token = index % s.Tokens, head = index / s.Tokens % s.Heads, image = index / (s.Tokens * s.Heads);
        int at = ((image * s.Tokens + token) * s.Heads + head) * s.HeadDim;
        float sum = 0;
        for (int p = 0; p < s.HeadDim; p++)
            sum += result.Read(at + p) * gradResult.Read(at + p);
        delta.Write(index, sum);
    }

    /// <summary>The queries' part of the gradient (B, N, 3D).</summary>
    public static void BackwardQueries(
        ArrayView<float> qkv, ArrayView<float> stats, ArrayView<float> delta, ArrayView<float> gradResult, ArrayView<float> gradQkv,
        AttentionArguments s)
    {
        int side = TTile.Side, n = s.Tokens, d = s.HeadDim, width = s.Heads * d, ld = 3 * width;
        int thread = Group.IdxX, tx = thread % side, ty = thread / side;
        int group = Grid.IdxX, columnBlock = group % s.ColumnBlocks, block = group / s.ColumnBlocks % s.TokenBlocks;
        int head = group / (s.ColumnBlocks * s.TokenBlocks), image = head / s.Heads;
        int start = image * n * ld + head % s.Heads * d, gradStart = image * n * width + head % s.Heads * d;
        int row0 = block * Edge, row = row0 + 4 * ty, column0 = columnBlock * 2 * Edge;

        ArrayView<Float4> strips = SharedMemory.Allocate<Float4>(2 * Depth * Pitch);
        ArrayView<Float4> tile = SharedMemory.Allocate<Float4>(Edge * Pitch);

        Float4 max = LoadStats(stats, head * n, row, n, 0), log = LoadStats(stats, head * n, row, n, 1),
            shift = LoadRows(delta, head * n, row, n);
        Float4x4 left = default, right = default;
        for (int key0 = 0; key0 < n; key0 += Edge)
        {
            Float4x4 score = Scores(qkv, start, ld, row0, qkv, start + width, ld, key0, n, d, strips, thread, ty, tx);
            Float4x4 gradP = Scores(gradResult, gradStart, width, row0, qkv, start + 2 * width, ld, key0, n, d, strips, thread, ty, tx);
            int keys = n - key0 - 4 * tx;
            score.R0 = GradScore(Exp(Mask(Scaled(score.R0, s.Scale), keys), max.X, log.X), gradP.R0, shift.X, s.Scale);
            score.R1 = GradScore(Exp(Mask(Scaled(score.R1, s.Scale), keys), max.Y, log.Y), gradP.R1, shift.Y, s.Scale);
            score.R2 = GradScore(Exp(Mask(Scaled(score.R2, s.Scale), keys), max.Z, log.Z), gradP.R2, shift.Z, s.Scale);
            score.R3 = GradScore(Exp(Mask(Scaled(score.R3, s.Scale), keys), max.W, log.W), gradP.R3, shift.W, s.Scale);
            StoreTile(tile, score, ty, tx);
            for (int step = 0; step < Edge; step += Depth)
            {
                LoadSlab(qkv, start + width, ld, key0 + step, n, column0, d, strips.Cast<float>(), thread);
                Group.Barrier();
                MultiplySlab(tile, step, strips, ty, tx, ref left, ref right);
                Group.Barrier();
            }
        }
        StoreColumns(gradQkv, start, ld, row, n, column0 + 4 * tx, d, left, s.Accumulate);
        StoreColumns(gradQkv, start, ld, row, n, column0 + Edge + 4 * tx, d, right, s.Accumulate);
    }

    /// <summary>The keys' and values' part of the gradient (B, N, 3D); a group's rows are keys, its columns queries.</summary>
    public static void BackwardKeys(
        ArrayView<float> qkv, ArrayView<float> stats, ArrayView<float> delta, ArrayView<float> gradResult, ArrayView<float> gradQkv,
        AttentionArguments s)
    {
        int side = TTile.Side, n = s.Tokens, d = s.HeadDim, width = s.Heads * d, ld = 3 * width;
        int thread = Group.IdxX, tx = thread % side, ty = thread / side;
        int group = Grid.IdxX, columnBlock = group % s.ColumnBlocks, block = group / s.ColumnBlocks % s.TokenBlocks;
        int head = group / (s.ColumnBlocks * s.TokenBlocks), image = head / s.Heads;
        int start = image * n * ld + head % s.Heads * d, gradStart = image * n * width + head % s.Heads * d;
        int row0 = block * Edge, row = row0 + 4 * ty, column0 = columnBlock * 2 * Edge;

        ArrayView<Float4> strips = SharedMemory.Allocate<Float4>(2 * Depth * Pitch);
        ArrayView<Float4> tile = SharedMemory.Allocate<Float4>(Edge * Pitch);

        Float4x4 leftK = default, rightK = default, leftV = default, rightV = default;
        for (int query0 = 0; query0 < n; query0 += Edge)
        {
            Float4x4 score = Scores(qkv, start + width, ld, row0, qkv, start, ld, query0, n, d, strips, thread, ty, tx);
            Float4x4 gradP = Scores(qkv, start + 2 * width, ld, row0, gradResult, gradStart, width, query0, n, d, strips, thread, ty, tx);
            Float4 max = LoadStats(stats, head * n, query0 + 4 * tx, n, 0), log = LoadStats(stats, head * n, query0 + 4 * tx, n, 1);
            Float4 shift = LoadRows(delta, head * n, query0 + 4 * tx, n);
            score.R0 = ExpColumns(Scaled(score.R0, s.Scale), max, log);
            score.R1 = ExpColumns(Scaled(score.R1, s.Scale), max, log);
            score.R2 = ExpColumns(Scaled(score.R2, s.Scale), max, log);
            score.R3 = ExpColumns(Scaled(score.R3, s.Scale), max, log);
            StoreTile(tile, score, ty, tx);
            for (int step = 0; step < Edge; step += Depth)
            {
                LoadSlab(gradResult, gradStart, width, query0 + step, n, column0, d, strips.Cast<float>(), thread);
                Group.Barrier();
                MultiplySlab(tile, step, strips, ty, tx, ref leftV, ref rightV);
                Group.Barrier();
            }

            score.R0 = GradColumns(score.R0, gradP.R0, shift, s.Scale);
            score.R1 = GradColumns(score.R1, gradP.R1, shift, s.Scale);
            score.R2 = GradColumns(score.R2, gradP.R2, shift, s.Scale);
            score.R3 = GradColumns(score.R3, gradP.R3, shift, s.Scale);
            StoreTile(tile, score, ty, tx);
            for (int step = 0; step < Edge; step += Depth)
            {
                LoadSlab(qkv, start, ld, query0 + step, n, column0, d, strips.Cast<float>(), thread);
                Group.Barrier();
                MultiplySlab(tile, step, strips, ty, tx, ref leftK, ref rightK);
                Group.Barrier();
            }
        }
        StoreColumns(gradQkv, start + width, ld, row, n, column0 + 4 * tx, d, leftK, s.Accumulate);
        StoreColumns(gradQkv, start + width, ld, row, n, column0 + Edge + 4 * tx, d, rightK, s.Accumulate);
        StoreColumns(gradQkv, start + 2 * width, ld, row, n, column0 + 4 * tx, d, leftV, s.Accumulate);
        StoreColumns(gradQkv, start + 2 * width, ld, row, n, column0 + Edge + 4 * tx, d, rightV, s.Accumulate);
    }

    private static Float4 GradScore(Float4 p, Float4 gradP, float shift, float scale) => new()
    {
        X = p.X * (gradP.X - shift) * scale,
        Y = p.Y * (gradP.Y - shift) * scale,
        Z = p.Z * (gradP.Z - shift) * scale,
        W = p.W * (gradP.W - shift) * scale,
    };

    private static Float4 GradColumns(Float4 p, Float4 gradP, Float4 shift, float scale) => new()
    {
        X = p.X * (gradP.X - shift.X) * scale,
        Y = p.Y * (gradP.Y - shift.Y) * scale,
        Z = p.Z * (gradP.Z - shift.Z) * scale,
        W = p.W * (gradP.W - shift.W) * scale,
    };

    private static Float4 ExpColumns(Float4 score, Float4 max, Float4 log) => new()
    {
        X = MathF.Exp(score.X - max.X - log.X),
        Y = MathF.Exp(score.Y - max.Y - log.Y),
        Z = MathF.Exp(score.Z - max.Z - log.Z),
        W = MathF.Exp(score.W - max.W - log.W),
    };
}
