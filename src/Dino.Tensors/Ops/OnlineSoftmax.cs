using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>
/// The largest of a row and Σ e^(scale·(x − largest)) in one read (Milakov and Gimelshein, 2018): the sum is rescaled when a larger number
/// comes, here once a block instead of once an element.
/// </summary>
internal static class OnlineSoftmax
{
    /// <summary>Steps a block: few enough that the block's second read comes from the nearest cache.</summary>
    public const int BlockSteps = 8;

    /// <summary>
    /// The start of a running maximum, and what lies beyond a row. Finite: no difference of two such is NaN; far enough down: e^ of any
    /// real difference is 0.
    /// </summary>
    public const float Lowest = float.MinValue;

    /// <summary>Takes x[first], x[first + step] … before <paramref name="blockEnd"/> into a running maximum and sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add<T, TMemory>(TMemory x, int first, int blockEnd, int end, int step, T scale, ref T max, ref T total)
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        T highest = max;
        for (int i = first; i < blockEnd; i += step)
            highest = T.Max(highest, x.Load(i, end, Lowest));
        T sum = T.Of(0);
        for (int i = first; i < blockEnd; i += step)
            sum += Real.Exp((x.Load(i, end, Lowest) - highest) * scale);
        total = T.Fma(total, Real.Exp((max - highest) * scale), sum);
        max = highest;
    }

    /// <summary>ln Σ e^(scale·x) over a row, of the running maxima and sums of all lanes. Every lane must call it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float LogSum<TLanes, T>(TLanes lanes, T scale, T max, T total)
        where TLanes : struct, ILanes
        where T : struct, IReal<T>
    {
        T highest = T.Of(lanes.Max(T.Highest(max)));
        float sum = lanes.Sum(T.Sum(total * Real.Exp((max - highest) * scale)));
        return T.Highest(T.Fma(highest, scale, Real.Log(T.Of(sum))));
    }

    /// <summary>ln Σ e^(scale·x) over x[begin … end − 1].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float LogSum<TLanes, T, TMemory>(TLanes lanes, TMemory x, int begin, int end, T scale)
        where TLanes : struct, ILanes
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        int step = lanes.Count * T.Width;
        T max = T.Of(Lowest), total = T.Of(0);
        for (int block = begin + lanes.Id * T.Width; block < end; block += BlockSteps * step)
            Add(x, block, Math.Min(end, block + BlockSteps * step), end, step, scale, ref max, ref total);
        return LogSum(lanes, scale, max, total);
    }
}
