using System.Runtime.CompilerServices;
using static Dino.Tensors.Kernels.MemoryExtensions;

namespace Dino.Tensors.Kernels;

/// <summary>What a sum over a row adds up.</summary>
internal interface IRowTerm<T> where T : struct, IReal<T>
{
    /// <summary>The sum with the terms of the elements i … i + Width − 1, as far as they lie before <paramref name="end"/>.</summary>
    T AddTo(T sum, int i, int end);
}

/// <summary>Sums over a row.</summary>
internal static class RowSum
{
    /// <summary>The sum of the terms of begin … end − 1 over all lanes, in an order that depends on their count alone.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Of<T, TLanes, TTerm>(TLanes lanes, TTerm term, int begin, int end)
        where T : struct, IReal<T>
        where TLanes : struct, ILanes
        where TTerm : struct, IRowTerm<T>
    {
        int step = lanes.Count * T.Width, i = begin + lanes.Id * T.Width, last = end - 3 * step - T.Width;
        T a = T.Of(0), b = T.Of(0), c = T.Of(0), d = T.Of(0);
        // Four sums, since an addition takes four cycles.
        for (; i <= last; i += 4 * step)
        {
            a = term.AddTo(a, i, NoEnd);
            b = term.AddTo(b, i + step, NoEnd);
            c = term.AddTo(c, i + 2 * step, NoEnd);
            d = term.AddTo(d, i + 3 * step, NoEnd);
        }
        for (; i < end; i += step)
            a = term.AddTo(a, i, end);
        return lanes.Sum(T.Sum(a + b + (c + d)));
    }
}

/// <summary>The largest element of a row.</summary>
internal static class RowMax
{
    /// <summary>The largest of begin … end − 1 over all lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Of<T, TLanes, TMemory>(TLanes lanes, TMemory x, int begin, int end)
        where T : struct, IReal<T>
        where TLanes : struct, ILanes
        where TMemory : struct, IMemory<TMemory, T>
    {
        int step = lanes.Count * T.Width, i = begin + lanes.Id * T.Width;
        T a = T.Of(float.NegativeInfinity), b = a;
        for (; i <= end - step - T.Width; i += 2 * step)
        {
            a = T.Max(a, x.Load(i, NoEnd));
            b = T.Max(b, x.Load(i + step, NoEnd));
        }
        for (; i < end; i += step)
            a = T.Max(a, x.Load(i, end, float.NegativeInfinity));
        return lanes.Max(T.Highest(T.Max(a, b)));
    }
}

/// <summary>Σ x</summary>
internal readonly struct Elements<T, TMemory>(TMemory x) : IRowTerm<T>
    where T : struct, IReal<T>
    where TMemory : struct, IMemory<TMemory, T>
{
    private readonly TMemory x = x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T AddTo(T sum, int i, int end) => sum + x.Load(i, end);
}

/// <summary>Σ x · y</summary>
internal readonly struct Products<T, TMemory>(TMemory x, TMemory y) : IRowTerm<T>
    where T : struct, IReal<T>
    where TMemory : struct, IMemory<TMemory, T>
{
    private readonly TMemory x = x, y = y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T AddTo(T sum, int i, int end) => T.Fma(x.Load(i, end), y.Load(i, end), sum);
}

/// <summary>Σ (x − mean)²</summary>
internal readonly struct SquaredDistances<T, TMemory>(TMemory x, float mean) : IRowTerm<T>
    where T : struct, IReal<T>
    where TMemory : struct, IMemory<TMemory, T>
{
    private readonly TMemory x = x;
    private readonly float mean = mean;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T AddTo(T sum, int i, int end)
    {
        T d = x.Load(i, end, mean) - T.Of(mean);
        return T.Fma(d, d, sum);
    }
}
