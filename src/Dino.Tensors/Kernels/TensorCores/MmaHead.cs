using Dino.Tensors.Kernels.Gemm;
using Dino.Tensors.Kernels.Simt;
using ILGPU;

namespace Dino.Tensors.Kernels.TensorCores;

/// <summary>
/// A warp's 16 rows beside 64 columns, as sums: eight fragments. Of scores the columns are tokens, of results dimensions of the head.
/// </summary>
internal struct MmaSums
{
    public Float4 T0, T1, T2, T3, T4, T5, T6, T7;

    /// <summary>Rows g times one factor, rows g + 8 times the other.</summary>
    public void Scale(float first, float second)
    {
        T0 = Scaled(T0, first, second);
        T1 = Scaled(T1, first, second);
        T2 = Scaled(T2, first, second);
        T3 = Scaled(T3, first, second);
        T4 = Scaled(T4, first, second);
        T5 = Scaled(T5, first, second);
        T6 = Scaled(T6, first, second);
        T7 = Scaled(T7, first, second);
    }

    private static Float4 Scaled(Float4 a, float first, float second)
        => new() { X = a.X * first, Y = a.Y * first, Z = a.Z * second, W = a.W * second };
}

/// <summary>A warp's 16 tokens with the 64 dimensions of a head as A's fragments: eight in tf32; in bf16 the first four.</summary>
internal struct MmaRows
{
    public Word4 F0, F1, F2, F3, F4, F5, F6, F7;
}

/// <summary>
/// Blocks of 64 tokens with the 64 dimensions of a head in shared memory, and the products of a warp's 16 rows with them.
/// </summary>
/// <remarks>
/// Words run along the dimensions for scores and along the tokens for results. In tf32, where a word is one number, one block serves both.
/// A
/// product over tokens takes its other operand from the sums of a product before, whose lanes hold columns 2t and 2t + 1 where a fragment
/// asks for
/// t and t + 4: as the order of a sum is free, the block's tokens are read in that other order, and nothing moves between lanes.
/// </remarks>
internal static class MmaHead<TNumber> where TNumber : struct, IMmaNumber
{
    /// <summary>Dimensions of a head, and tokens of a block.</summary>
    public const int Dim = 64, Tokens = 64;

    /// <summary>Threads of a group: four warps of 16 rows each.</summary>
    public const int GroupSize = 128;

    /// <summary>Whether a block for results is a block for scores too.</summary>
    public static bool OneBlockServesBoth => TNumber.StepsPerWord == 1;

    // Lines are 4 or 8 words longer than needed, so that the lanes of a fragment read from 32 banks.
    private static int DimPitch => Dim / TNumber.StepsPerWord + 4;

    private static int TokenPitch => TNumber.StepsPerWord == 1 ? Dim + 4 : Dim + 8;

    /// <summary>Four words of memory that a block for scores takes.</summary>
    public static int DimBlock => Tokens * DimPitch / 4;

    /// <summary>Four words of memory that a block for results takes beside that.</summary>
    public static int TokenBlock => OneBlockServesBoth ? 0 : Tokens / TNumber.StepsPerWord * TokenPitch / 4;

    /// <summary>A lane's fragments of 16 rows from row0.</summary>
    public static MmaRows Rows(ArrayView<float> source, OperandPlace place, int row0, int lane)
    {
        int row = row0 + lane / 4, step = lane % 4 * TNumber.StepsPerWord, fragment = 8 * TNumber.StepsPerWord;
        MmaRows rows = default;
        rows.F0 = Fragment(source, place, row, step);
        rows.F1 = Fragment(source, place, row, step + fragment);
        rows.F2 = Fragment(source, place, row, step + 2 * fragment);
        rows.F3 = Fragment(source, place, row, step + 3 * fragment);
        if (TNumber.StepsPerWord > 1)
            return rows;
        rows.F4 = Fragment(source, place, row, step + 4 * fragment);
        rows.F5 = Fragment(source, place, row, step + 5 * fragment);
        rows.F6 = Fragment(source, place, row, step + 6 * fragment);
        rows.F7 = Fragment(source, place, row, step + 7 * fragment);
        return rows;
    }

    /// <summary>Fills a block for scores from token0 on; tokens beyond the last are 0.</summary>
    public static void FillForScores(ArrayView<float> source, OperandPlace place, int token0, ArrayView<Word4> block, int thread)
    {
        int line = Dim / TNumber.StepsPerWord / 4;
        for (int unit = thread; unit < Tokens * line; unit += GroupSize)
        {
            int token = unit / line, at = unit % line;
            block[token * (DimPitch / 4) + at] = TNumber.AlongSteps(source, place, token0 + token, 4 * TNumber.StepsPerWord * at);
        }
    }

    /// <summary>Fills a block for results, where one for scores does not serve.</summary>
    public static void FillForResults(ArrayView<float> source, OperandPlace place, int token0, ArrayView<Word4> block, int thread)
    {
        if (OneBlockServesBoth)
            return;
        const int line = Dim / 4;
        var transposed = new OperandPlace(place.Start, place.Ld, place.Steps, place.Rows);
        for (int unit = thread; unit < Tokens / TNumber.StepsPerWord * line; unit += GroupSize)
        {
            int word = unit / line, at = unit % line;
            block[word * (TokenPitch / 4) + at] = TNumber.AlongRows(source, transposed, 4 * at, token0 + TNumber.StepsPerWord * word);
        }
    }

    /// <summary>The scores of a warp's rows with 8 tokens of a block, from <paramref name="token"/> on.</summary>
    public static Float4 Scores(MmaRows rows, ArrayView<Word4> block, int token, int lane)
    {
        int from = (token + lane / 4) * DimPitch + lane % 4;
        ArrayView<uint> words = block.Cast<uint>();
        ArrayView<uint> place = words.SubView(from, words.IntLength - from);
        Float4 sum = default;
        sum = TNumber.Multiply(sum, rows.F0, place[0], place[4]);
        sum = TNumber.Multiply(sum, rows.F1, place[8], place[12]);
        sum = TNumber.Multiply(sum, rows.F2, place[16], place[20]);
        sum = TNumber.Multiply(sum, rows.F3, place[24], place[28]);
        if (TNumber.StepsPerWord > 1)
            return sum;
        sum = TNumber.Multiply(sum, rows.F4, place[32], place[36]);
        sum = TNumber.Multiply(sum, rows.F5, place[40], place[44]);
        sum = TNumber.Multiply(sum, rows.F6, place[48], place[52]);
        sum = TNumber.Multiply(sum, rows.F7, place[56], place[60]);
        return sum;
    }

    /// <summary>Adds the product of the sums over 16 tokens, from <paramref name="token"/> on, with a block for results.</summary>
    public static void AddResults(ref MmaSums sum, Float4 first, Float4 second, ArrayView<Word4> block, int token, int lane)
    {
        ArrayView<uint> words = block.Cast<uint>();
        if (TNumber.StepsPerWord > 1)
        {
            int from = (token / 2 + lane % 4) * TokenPitch + lane / 4;
            Add(ref sum, TNumber.OfSums(first, second), words.SubView(from, words.IntLength - from), 4 * TokenPitch);
            return;
        }
        int start = (token + lane % 4 * 2) * TokenPitch + lane / 4;
        Add(ref sum, TNumber.OfSums(first, first), words.SubView(start, words.IntLength - start), TokenPitch);
        start += 8 * TokenPitch;
        Add(ref sum, TNumber.OfSums(second, second), words.SubView(start, words.IntLength - start), TokenPitch);
    }

    /// <summary>Writes a warp's 16 rows of results, or adds them to what is there.</summary>
    public static void Store(ArrayView<float> target, OperandPlace place, int row0, int lane, MmaSums sum, int accumulate)
    {
        int row = row0 + lane / 4, column = lane % 4 * 2;
        StoreFragment(target, place, row, column, sum.T0, accumulate);
        StoreFragment(target, place, row, column + 8, sum.T1, accumulate);
        StoreFragment(target, place, row, column + 16, sum.T2, accumulate);
        StoreFragment(target, place, row, column + 24, sum.T3, accumulate);
        StoreFragment(target, place, row, column + 32, sum.T4, accumulate);
        StoreFragment(target, place, row, column + 40, sum.T5, accumulate);
        StoreFragment(target, place, row, column + 48, sum.T6, accumulate);
        StoreFragment(target, place, row, column + 56, sum.T7, accumulate);
    }

    private static void StoreFragment(ArrayView<float> target, OperandPlace place, int row, int column, Float4 sum, int accumulate)
    {
        StorePair(target, place, row, column, new Float2 { X = sum.X, Y = sum.Y }, accumulate);
        StorePair(target, place, row + 8, column, new Float2 { X = sum.Z, Y = sum.W }, accumulate);
    }

    private static void StorePair(ArrayView<float> target, OperandPlace place, int row, int column, Float2 pair, int accumulate)
    {
        if (row >= place.Rows)
            return;
        int at = place.Start + row * place.Ld + column;
        if (accumulate != 0)
        {
            Float2 there = target.ReadPair(at);
            pair = new() { X = pair.X + there.X, Y = pair.Y + there.Y };
        }
        target.WritePair(at, pair);
    }

    private static Word4 Fragment(ArrayView<float> source, OperandPlace place, int row, int step) => new()
    {
        X = TNumber.Word(source, place, row, step),
        Y = TNumber.Word(source, place, row + 8, step),
        Z = TNumber.Word(source, place, row, step + 4 * TNumber.StepsPerWord),
        W = TNumber.Word(source, place, row + 8, step + 4 * TNumber.StepsPerWord),
    };

    // The second word of a column is this far from the first.
    private static void Add(ref MmaSums sum, Word4 a, ArrayView<uint> place, int second)
    {
        sum.T0 = TNumber.Multiply(sum.T0, a, place[0], place[second]);
        sum.T1 = TNumber.Multiply(sum.T1, a, place[8], place[second + 8]);
        sum.T2 = TNumber.Multiply(sum.T2, a, place[16], place[second + 16]);
        sum.T3 = TNumber.Multiply(sum.T3, a, place[24], place[second + 24]);
        sum.T4 = TNumber.Multiply(sum.T4, a, place[32], place[second + 32]);
        sum.T5 = TNumber.Multiply(sum.T5, a, place[40], place[second + 40]);
        sum.T6 = TNumber.Multiply(sum.T6, a, place[48], place[second + 48]);
        sum.T7 = TNumber.Multiply(sum.T7, a, place[56], place[second + 56]);
    }
}
