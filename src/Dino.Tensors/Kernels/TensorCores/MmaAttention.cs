using Dino.Tensors.Kernels.Attention;
using Dino.Tensors.Kernels.Gemm;
using Dino.Tensors.Kernels.Simt;
using ILGPU;

namespace Dino.Tensors.Kernels.TensorCores;

/// <summary>
/// Fused attention on tensor cores, for heads of 64 dimensions: as <see cref="SimtAttention{TTile}"/>, but a warp has 16 rows to itself,
/// and
/// scores go from one product to the next in registers.
/// </summary>
internal static class MmaAttention<TNumber> where TNumber : struct, IMmaNumber
{
    // A score no key has: its exponential is 0 whatever the maximum. Not −∞, whose difference with itself is NaN.
    private const float Nothing = -3e38f;

    /// <summary>Threads of a group.</summary>
    public const int GroupSize = MmaHead<TNumber>.GroupSize;

    /// <summary>Tokens of a group.</summary>
    public const int Edge = MmaHead<TNumber>.Tokens;

    private const int Dim = MmaHead<TNumber>.Dim;

    /// <summary>Writes the result (B, N, D) and of each row (B, H, N, 2) the largest score and log Σ exp(score − largest).</summary>
    public static void Forward(ArrayView<float> qkv, ArrayView<float> result, ArrayView<float> stats, AttentionArguments s)
    {
        int thread = Group.IdxX, lane = thread % TensorCore.Lanes, n = s.Tokens, width = s.Heads * Dim;
        int block = Grid.IdxX % s.TokenBlocks, head = Grid.IdxX / s.TokenBlocks, row0 = block * Edge + thread / TensorCore.Lanes * 16;
        OperandPlace query = s.PlaceOf(head, 0), key = s.PlaceOf(head, 1), value = s.PlaceOf(head, 2);
        ArrayView<Word4> memory = SharedMemory.Allocate<Word4>(
            MmaHead<TNumber>.DimBlock + (MmaHead<TNumber>.OneBlockServesBoth ? MmaHead<TNumber>.DimBlock : MmaHead<TNumber>.TokenBlock));
        ArrayView<Word4> keys = memory.SubView(0, MmaHead<TNumber>.DimBlock);
        ArrayView<Word4> values = memory.SubView(
            MmaHead<TNumber>.DimBlock, MmaHead<TNumber>.OneBlockServesBoth ? MmaHead<TNumber>.DimBlock : MmaHead<TNumber>.TokenBlock);

        MmaRows rows = MmaHead<TNumber>.Rows(qkv, query, row0, lane);
        MmaSums sum = default, p = default;
        float max0 = Nothing, max1 = Nothing, total0 = 0, total1 = 0;
        for (int key0 = 0; key0 < n; key0 += Edge)
        {
            MmaHead<TNumber>.FillForScores(qkv, key, key0, keys, thread);
            if (MmaHead<TNumber>.OneBlockServesBoth)
                MmaHead<TNumber>.FillForScores(qkv, value, key0, values, thread);
            MmaHead<TNumber>.FillForResults(qkv, value, key0, values, thread);
            Group.Barrier();
            int left = n - key0 - lane % 4 * 2;
            p.T0 = Mask(MmaHead<TNumber>.Scores(rows, keys, 0, lane), s.Scale, left);
            p.T1 = Mask(MmaHead<TNumber>.Scores(rows, keys, 8, lane), s.Scale, left - 8);
            p.T2 = Mask(MmaHead<TNumber>.Scores(rows, keys, 16, lane), s.Scale, left - 16);
            p.T3 = Mask(MmaHead<TNumber>.Scores(rows, keys, 24, lane), s.Scale, left - 24);
            p.T4 = Mask(MmaHead<TNumber>.Scores(rows, keys, 32, lane), s.Scale, left - 32);
            p.T5 = Mask(MmaHead<TNumber>.Scores(rows, keys, 40, lane), s.Scale, left - 40);
            p.T6 = Mask(MmaHead<TNumber>.Scores(rows, keys, 48, lane), s.Scale, left - 48);
            p.T7 = Mask(MmaHead<TNumber>.Scores(rows, keys, 56, lane), s.Scale, left - 56);

            Float4 largest = Max(Max(Max(p.T0, p.T1), Max(p.T2, p.T3)), Max(Max(p.T4, p.T5), Max(p.T6, p.T7)));
            float best0 = MathF.Max(max0, MaxOfRow(MathF.Max(largest.X, largest.Y)));
            float best1 = MathF.Max(max1, MaxOfRow(MathF.Max(largest.Z, largest.W)));
            float keep0 = MathF.Exp(max0 - best0), keep1 = MathF.Exp(max1 - best1);
            (max0, max1) = (best0, best1);
            p.T0 = Exp(p.T0, max0, max1);
            p.T1 = Exp(p.T1, max0, max1);
            p.T2 = Exp(p.T2, max0, max1);
            p.T3 = Exp(p.T3, max0, max1);
            p.T4 = Exp(p.T4, max0, max1);
            p.T5 = Exp(p.T5, max0, max1);
            p.T6 = Exp(p.T6, max0, max1);
            p.T7 = Exp(p.T7, max0, max1);
            // Each lane sums the keys it has seen; the four lanes of a row are added up once, at the end.
            Float4 seen = Add(Add(Add(p.T0, p.T1), Add(p.T2, p.T3)), Add(Add(p.T4, p.T5), Add(p.T6, p.T7)));
            total0 = total0 * keep0 + (seen.X + seen.Y);
            total1 = total1 * keep1 + (seen.Z + seen.W);
            sum.Scale(keep0, keep1);
            MmaHead<TNumber>.AddResults(ref sum, p.T0, p.T1, values, 0, lane);
            MmaHead<TNumber>.AddResults(ref sum, p.T2, p.T3, values, 16, lane);
            MmaHead<TNumber>.AddResults(ref sum, p.T4, p.T5, values, 32, lane);
            MmaHead<TNumber>.AddResults(ref sum, p.T6, p.T7, values, 48, lane);
            Group.Barrier();
        }

        total0 = SumOfRow(total0);
        total1 = SumOfRow(total1);
        sum.Scale(1 / total0, 1 / total1);
        MmaHead<TNumber>.Store(result, s.PlaceOfResult(head), row0, lane, sum, accumulate: 0);
        int row = row0 + lane / 4;
        if (lane % 4 == 0 && row < n)
            StoreStats(stats, head * n + row, max0, total0);
        if (lane % 4 == 0 && row + 8 < n)
            StoreStats(stats, head * n + row + 8, max1, total1);
    }

    /// <summary>The queries' part of the gradient (B, N, 3D).</summary>
    public static void BackwardQueries(
        ArrayView<float> qkv, ArrayView<float> stats, ArrayView<float> delta, ArrayView<float> gradResult, ArrayView<float> gradQkv,
        AttentionArguments s)
    {
        int thread = Group.IdxX, lane = thread % TensorCore.Lanes, n = s.Tokens;
        int block = Grid.IdxX % s.TokenBlocks, head = Grid.IdxX / s.TokenBlocks, row0 = block * Edge + thread / TensorCore.Lanes * 16;
        OperandPlace query = s.PlaceOf(head, 0), key = s.PlaceOf(head, 1), value = s.PlaceOf(head, 2);
        ArrayView<Word4> memory = SharedMemory.Allocate<Word4>(2 * MmaHead<TNumber>.DimBlock + MmaHead<TNumber>.TokenBlock);
        ArrayView<Word4> keys = memory.SubView(0, MmaHead<TNumber>.DimBlock);
        ArrayView<Word4> values = memory.SubView(MmaHead<TNumber>.DimBlock, MmaHead<TNumber>.DimBlock);
        ArrayView<Word4> keysOfResults = MmaHead<TNumber>.OneBlockServesBoth
            ? keys : memory.SubView(2 * MmaHead<TNumber>.DimBlock, MmaHead<TNumber>.TokenBlock);

        MmaRows rows = MmaHead<TNumber>.Rows(qkv, query, row0, lane),
            grads = MmaHead<TNumber>.Rows(gradResult, s.PlaceOfResult(head), row0, lane);
        int row = row0 + lane / 4;
        float max0 = ReadStats(stats, head, row, n, 0), max1 = ReadStats(stats, head, row + 8, n, 0);
        float log0 = ReadStats(stats, head, row, n, 1), log1 = ReadStats(stats, head, row + 8, n, 1);
        float shift0 = Read(delta, head, row, n), shift1 = Read(delta, head, row + 8, n);
        MmaSums sum = default;
        for (int key0 = 0; key0 < n; key0 += Edge)
        {
            MmaHead<TNumber>.FillForScores(qkv, key, key0, keys, thread);
            MmaHead<TNumber>.FillForScores(qkv, value, key0, values, thread);
            MmaHead<TNumber>.FillForResults(qkv, key, key0, keysOfResults, thread);
            Group.Barrier();
            for (int token = 0; token < Edge; token += 16)
            {
                int left = n - key0 - token - lane % 4 * 2;
                Float4 first = Exp(Mask(MmaHead<TNumber>.Scores(rows, keys, token, lane), s.Scale, left), max0, max1, log0, log1);
                Float4 second = Exp(Mask(MmaHead<TNumber>.Scores(rows, keys, token + 8, lane), s.Scale, left - 8), max0, max1, log0, log1);
                first = GradScore(first, MmaHead<TNumber>.Scores(grads, values, token, lane), shift0, shift1, s.Scale);
                second = GradScore(second, MmaHead<TNumber>.Scores(grads, values, token + 8, lane), shift0, shift1, s.Scale);
                MmaHead<TNumber>.AddResults(ref sum, first, second, keysOfResults, token, lane);
            }
            Group.Barrier();
        }
        MmaHead<TNumber>.Store(gradQkv, query, row0, lane, sum, s.Accumulate);
    }

    /// <summary>The keys' and values' part of the gradient (B, N, 3D); a group's rows are keys, its columns queries.</summary>
    public static void BackwardKeys(
        ArrayView<float> qkv, ArrayView<float> stats, ArrayView<float> delta, ArrayView<float> gradResult, ArrayView<float> gradQkv,
        AttentionArguments s)
    {
        int thread = Group.IdxX, lane = thread % TensorCore.Lanes, n = s.Tokens;
        int block = Grid.IdxX % s.TokenBlocks, head = Grid.IdxX / s.TokenBlocks, row0 = block * Edge + thread / TensorCore.Lanes * 16;
        OperandPlace query = s.PlaceOf(head, 0), key = s.PlaceOf(head, 1), value = s.PlaceOf(head, 2), result = s.PlaceOfResult(head);
        ArrayView<Word4> memory = SharedMemory.Allocate<Word4>(2 * (MmaHead<TNumber>.DimBlock + MmaHead<TNumber>.TokenBlock));
        ArrayView<Word4> queries = memory.SubView(0, MmaHead<TNumber>.DimBlock);
        ArrayView<Word4> grads = memory.SubView(MmaHead<TNumber>.DimBlock, MmaHead<TNumber>.DimBlock);
        ArrayView<Word4> queriesOfResults = MmaHead<TNumber>.OneBlockServesBoth
            ? queries : memory.SubView(2 * MmaHead<TNumber>.DimBlock, MmaHead<TNumber>.TokenBlock);
        ArrayView<Word4> gradsOfResults = MmaHead<TNumber>.OneBlockServesBoth
            ? grads : memory.SubView(2 * MmaHead<TNumber>.DimBlock + MmaHead<TNumber>.TokenBlock, MmaHead<TNumber>.TokenBlock);

        MmaRows keyRows = MmaHead<TNumber>.Rows(qkv, key, row0, lane), valueRows = MmaHead<TNumber>.Rows(qkv, value, row0, lane);
        MmaSums sumK = default, sumV = default;
        for (int query0 = 0; query0 < n; query0 += Edge)
        {
            MmaHead<TNumber>.FillForScores(qkv, query, query0, queries, thread);
            MmaHead<TNumber>.FillForScores(gradResult, result, query0, grads, thread);
            MmaHead<TNumber>.FillForResults(qkv, query, query0, queriesOfResults, thread);
            MmaHead<TNumber>.FillForResults(gradResult, result, query0, gradsOfResults, thread);
            Group.Barrier();
            for (int token = 0; token < Edge; token += 16)
            {
                int column = query0 + token + lane % 4 * 2;
                Float4 first = ExpColumns(MmaHead<TNumber>.Scores(keyRows, queries, token, lane), stats, head, column, n, s.Scale);
                Float4 second = ExpColumns(MmaHead<TNumber>.Scores(keyRows, queries, token + 8, lane), stats, head, column + 8, n, s.Scale);
                MmaHead<TNumber>.AddResults(ref sumV, first, second, gradsOfResults, token, lane);
                first = GradColumns(first, MmaHead<TNumber>.Scores(valueRows, grads, token, lane), delta, head, column, n, s.Scale);
                second = GradColumns(second, MmaHead<TNumber>.Scores(valueRows, grads, token + 8, lane), delta, head, column + 8, n,
                    s.Scale);
                MmaHead<TNumber>.AddResults(ref sumK, first, second, queriesOfResults, token, lane);
            }
            Group.Barrier();
        }
        MmaHead<TNumber>.Store(gradQkv, key, row0, lane, sumK, s.Accumulate);
        MmaHead<TNumber>.Store(gradQkv, value, row0, lane, sumV, s.Accumulate);
    }

    // Apart: in the sum of both the logarithm would lose its digits to a large score.
    private static void StoreStats(ArrayView<float> stats, int row, float max, float total)
    {
        stats.Write(2 * row, max);
        stats.Write(2 * row + 1, MathF.Log(total));
    }

    private static float ReadStats(ArrayView<float> stats, int head, int row, int n, int part) =>
        row < n ? stats.Read(2 * (head * n + row) + part) : 0;

    private static float Read(ArrayView<float> source, int head, int row, int n) => row < n ? source.Read(head * n + row) : 0;

    // A row's columns are spread over four neighbouring lanes.
    private static float MaxOfRow(float value)
    {
        value = MathF.Max(value, Warp.ShuffleXor(value, 1));
        return MathF.Max(value, Warp.ShuffleXor(value, 2));
    }

    private static float SumOfRow(float value)
    {
        value += Warp.ShuffleXor(value, 1);
        return value + Warp.ShuffleXor(value, 2);
    }

    private static Float4 Mask(Float4 score, float scale, int columns) => new()
    {
        X = columns > 0 ? Intrinsics.Product(score.X, scale) : Nothing,
        Y = columns > 1 ? Intrinsics.Product(score.Y, scale) : Nothing,
        Z = columns > 0 ? Intrinsics.Product(score.Z, scale) : Nothing,
        W = columns > 1 ? Intrinsics.Product(score.W, scale) : Nothing,
    };

    private static Float4 Exp(Float4 score, float shift0, float shift1) => new()
    {
        X = MathF.Exp(score.X - shift0),
        Y = MathF.Exp(score.Y - shift0),
        Z = MathF.Exp(score.Z - shift1),
        W = MathF.Exp(score.W - shift1),
    };

    private static Float4 GradScore(Float4 p, Float4 gradP, float shift0, float shift1, float scale) => new()
    {
        X = p.X * (gradP.X - shift0) * scale,
        Y = p.Y * (gradP.Y - shift0) * scale,
        Z = p.Z * (gradP.Z - shift1) * scale,
        W = p.W * (gradP.W - shift1) * scale,
    };

    private static Float4 Exp(Float4 score, float max0, float max1, float log0, float log1) => new()
    {
        X = MathF.Exp(score.X - max0 - log0),
        Y = MathF.Exp(score.Y - max0 - log0),
        Z = MathF.Exp(score.Z - max1 - log1),
        W = MathF.Exp(score.W - max1 - log1),
    };

    private static Float4 ExpColumns(Float4 score, ArrayView<float> stats, int head, int column, int n, float scale)
    {
        float max0 = -Nothing, max1 = -Nothing, log0 = 0, log1 = 0;
        if (column < n)
            (max0, log0) = (stats.Read(2 * (head * n + column)), stats.Read(2 * (head * n + column) + 1));
        if (column + 1 < n)
            (max1, log1) = (stats.Read(2 * (head * n + column) + 2), stats.Read(2 * (head * n + column) + 3));
        return new()
        {
            X = MathF.Exp(Below(score.X, scale, max0) - log0),
            Y = MathF.Exp(Below(score.Y, scale, max1) - log1),
            Z = MathF.Exp(Below(score.Z, scale, max0) - log0),
            W = MathF.Exp(Below(score.W, scale, max1) - log1),
        };
    }

    // The products of keys with queries may have other last bits than those of queries with keys, whose maximum it is.
    private static float Below(float score, float scale, float max)
    {
        float difference = Intrinsics.Product(score, scale) - max;
        return difference > 0 ? 0 : difference;
    }

    private static Float4 GradColumns(Float4 p, Float4 gradP, ArrayView<float> delta, int head, int column, int n, float scale)
    {
        float shift0 = Read(delta, head, column, n), shift1 = Read(delta, head, column + 1, n);
        return new()
        {
            X = p.X * (gradP.X - shift0) * scale,
            Y = p.Y * (gradP.Y - shift1) * scale,
            Z = p.Z * (gradP.Z - shift0) * scale,
            W = p.W * (gradP.W - shift1) * scale,
        };
    }

    private static Float4 Max(Float4 a, Float4 b)
        => new() { X = MathF.Max(a.X, b.X), Y = MathF.Max(a.Y, b.Y), Z = MathF.Max(a.Z, b.Z), W = MathF.Max(a.W, b.W) };

    private static Float4 Add(Float4 a, Float4 b) => new() { X = a.X + b.X, Y = a.Y + b.Y, Z = a.Z + b.Z, W = a.W + b.W };
}
