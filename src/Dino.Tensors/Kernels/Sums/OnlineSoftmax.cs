using System.Runtime.CompilerServices;

namespace Dino.Tensors.Kernels.Sums;

/// <summary>
/// The largest of a row and Σ e^(scale·(x − largest)) in one read (Milakov and Gimelshein, 2018): the sum is rescaled when a larger number
/// comes, here once a block instead of once an element.
/// </summary>
internal static class OnlineSoftmax
{
    /// <summary>Steps a block: few enough that the block's second read comes from the nearest cache.</summary>
    public const int BlockSteps = 8;

    /// <summary>
    /// The start of a running maximum. Finite: the difference of what lies beyond a row, −∞, is not NaN; far enough down: e^ of any real
    /// difference is 0.
    /// </summary>
    public const float Lowest = float.MinValue;

    /// <summary>Blocks whose sums are added up before they are put to those of other blocks: a row may be long.</summary>
    public const int PieceBlocks = 64;

    /// <summary>Takes x[first], x[first + step] … before <paramref name="blockEnd"/> into a running maximum and sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add<T, TMemory>(TMemory x, int first, int blockEnd, int end, int step, T scale, ref T max, ref T total)
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        T highest = max;
        for (int i = first; i < blockEnd; i += step)
            highest = T.Max(highest, x.Load(i, end, float.NegativeInfinity));
        T sum = T.Of(0);
        for (int i = first; i < blockEnd; i += step)
            sum += Real.ExpOfNegative((x.Load(i, end, float.NegativeInfinity) - highest) * scale);
        total = Raise(total, max, highest, scale) + sum;
        max = highest;
    }

    /// <summary>A sum that belongs to the maximum <paramref name="from"/>, for the maximum <paramref name="to"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Raise<T>(T total, T from, T to, T scale) where T : struct, IReal<T> => total * Real.ExpOfNegative((from - to) * scale);

    /// <summary>
    /// ln Σ e^(scale · (x − highest)) over a row, of the running maxima and sums of all lanes. The maximum stays apart: added to the
    /// logarithm it
    /// would take the digits that x − highest keeps. Every lane must call it.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float LogSum<TLanes, T>(TLanes lanes, T scale, T max, T total, out float highest)
        where TLanes : struct, ILanes
        where T : struct, IReal<T>
    {
        highest = lanes.Max(T.Highest(max));
        float sum = lanes.Sum(T.Sum(Raise(total, max, T.Of(highest), scale)));
        return T.Highest(Real.Log(T.Of(sum)));
    }

    /// <summary>The same over x[begin … end − 1].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float LogSum<TLanes, T, TMemory>(TLanes lanes, TMemory x, int begin, int end, T scale, out float highest)
        where TLanes : struct, ILanes
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        int step = lanes.Count * T.Width, block = begin + lanes.Id * T.Width;
        T max = T.Of(Lowest), all = T.Of(0);
        while (block < end)
        {
            T before = max, total = T.Of(0);
            for (int n = 0; n < PieceBlocks && block < end; n++, block += BlockSteps * step)
                Add(x, block, Math.Min(end - block, BlockSteps * step) + block, end, step, scale, ref max, ref total);
            all = Raise(all, before, max, scale) + total;
        }
        return LogSum(lanes, scale, max, all, out highest);
    }
}
