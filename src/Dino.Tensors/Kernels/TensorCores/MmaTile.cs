using Dino.Tensors.Kernels.Gemm;
using ILGPU;

namespace Dino.Tensors.Kernels.TensorCores;

/// <summary>
/// A strip of an operand in shared memory: 128 rows (of A, or columns of B) and 16 words of k, from which warps take fragments.
/// </summary>
/// <remarks>
/// It lies as it came from memory, [row][word] or [word][row], each line 4 or 8 words longer than needed: then the 32 lanes of a fragment
/// read from 32 banks.
/// </remarks>
internal static class MmaStrip<TNumber, TLayout>
    where TNumber : struct, IMmaNumber
    where TLayout : struct, IOperandLayout
{
    /// <summary>Rows of a strip.</summary>
    public const int Rows = 128;

    /// <summary>Words of k in a strip.</summary>
    public const int Words = 16;

    /// <summary>Four words of memory that the strip takes.</summary>
    public const int Length = Rows * (Words + 4) / 4;

    private const int WordPitch = Words + 4, RowPitch = Rows + 8;

    /// <summary>Steps of k in a strip.</summary>
    public static int Steps => Words * TNumber.StepsPerWord;

    /// <summary>Where a row's word is.</summary>
    public static int At(int row, int word) => TLayout.AlongSteps ? row * WordPitch + word : word * RowPitch + row;

    /// <summary>A unit of a strip, 0 … 511: four neighbours of a line. Neighbouring units are neighbours in memory.</summary>
    public static Word4 Read(ArrayView<float> source, OperandPlace place, int row0, int step0, int unit) => TLayout.AlongSteps
        ? TNumber.AlongSteps(source, place, row0 + unit / 4, step0 + unit % 4 * 4 * TNumber.StepsPerWord)
        : TNumber.AlongRows(source, place, row0 + unit % 32 * 4, step0 + unit / 32 * TNumber.StepsPerWord);

    /// <summary>Puts the unit into a strip.</summary>
    public static void Write(ArrayView<Word4> strip, int unit, Word4 words) =>
        strip[(TLayout.AlongSteps ? At(unit / 4, unit % 4 * 4) : At(unit % 32 * 4, unit / 32)) / 4] = words;

    /// <summary>A's fragment of 16 rows from a lane's place in the strip.</summary>
    public static Word4 FragmentA(ArrayView<uint> place, int row, int word) => new()
    {
        X = place[At(row, word)],
        Y = place[At(row + 8, word)],
        Z = place[At(row, word + 4)],
        W = place[At(row + 8, word + 4)],
    };

    /// <summary>B's fragment of 8 columns.</summary>
    public static MmaColumns FragmentB(ArrayView<uint> place, int row, int word) =>
        new() { X = place[At(row, word)], Y = place[At(row, word + 4)] };
}

/// <summary>B's fragment: two words of a column.</summary>
internal struct MmaColumns
{
    public uint X, Y;
}

/// <summary>A warp's sums, 64 rows and 32 columns: four fragments below each other, each of four beside each other.</summary>
internal struct MmaTile<TNumber> where TNumber : struct, IMmaNumber
{
    public Float4x4 R0, R1, R2, R3;

    /// <summary>Adds a product over 8 words of k.</summary>
    public void Add<TLayoutA, TLayoutB>(ArrayView<uint> a, ArrayView<uint> b, int word)
        where TLayoutA : struct, IOperandLayout
        where TLayoutB : struct, IOperandLayout
    {
        MmaColumns b0 = MmaStrip<TNumber, TLayoutB>.FragmentB(b, 0, word), b1 = MmaStrip<TNumber, TLayoutB>.FragmentB(b, 8, word);
        MmaColumns b2 = MmaStrip<TNumber, TLayoutB>.FragmentB(b, 16, word), b3 = MmaStrip<TNumber, TLayoutB>.FragmentB(b, 24, word);
        R0 = Row(MmaStrip<TNumber, TLayoutA>.FragmentA(a, 0, word), b0, b1, b2, b3, R0);
        R1 = Row(MmaStrip<TNumber, TLayoutA>.FragmentA(a, 16, word), b0, b1, b2, b3, R1);
        R2 = Row(MmaStrip<TNumber, TLayoutA>.FragmentA(a, 32, word), b0, b1, b2, b3, R2);
        R3 = Row(MmaStrip<TNumber, TLayoutA>.FragmentA(a, 48, word), b0, b1, b2, b3, R3);
    }

    private static Float4x4 Row(Word4 a, MmaColumns b0, MmaColumns b1, MmaColumns b2, MmaColumns b3, Float4x4 sum) => new()
    {
        R0 = TNumber.Multiply(sum.R0, a, b0.X, b0.Y),
        R1 = TNumber.Multiply(sum.R1, a, b1.X, b1.Y),
        R2 = TNumber.Multiply(sum.R2, a, b2.X, b2.Y),
        R3 = TNumber.Multiply(sum.R3, a, b3.X, b3.Y),
    };
}
