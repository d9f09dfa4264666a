using System.Runtime.CompilerServices;
using static Dino.Tensors.Kernels.MemoryExtensions;

namespace Dino.Tensors.Kernels;

/// <summary>What a sum over a row adds up.</summary>
public interface IRowTerm<T> where T : struct, IReal<T>
{
    /// <summary>The sum with the terms of the elements i … i + Width − 1, as far as they lie before <paramref name="end"/>.</summary>
    T AddTo(T sum, int i, int end);
}

/// <summary>Two sums over the same elements.</summary>
public interface IRowTerms<T> where T : struct, IReal<T>
{
    /// <inheritdoc cref="IRowTerm{T}.AddTo"/>
    void AddTo(ref T first, ref T second, int i, int end);
}

/// <summary>What a sum down a column adds up.</summary>
public interface IColumnTerm<T> where T : struct, IReal<T>
{
    /// <summary>The sum with the term of a row.</summary>
    T AddTo(T sum, int row);
}

/// <summary>
/// Sums over a row, of any length as exact: pieces of it first, then the sums of 64 pieces each, then of 64 of those, then of all. Added up
/// one by one, 10⁷ equal
/// numbers are off by a percent.
/// </summary>
public static class RowSum
{
    /// <summary>Additions to a sum before it is put to those of other pieces.</summary>
    public const int Piece = 64;

    /// <summary>The sum of the terms of begin … end − 1 over all lanes, in an order that depends on their count alone.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Of<T, TLanes, TTerm>(TLanes lanes, TTerm term, int begin, int end)
        where T : struct, IReal<T>
        where TLanes : struct, ILanes
        where TTerm : struct, IRowTerm<T>
    {
        int step = lanes.Count * T.Width, i = begin + lanes.Id * T.Width, last = end - 3 * step - T.Width, pieces = 0;
        T a = T.Of(0), b = T.Of(0), c = T.Of(0), d = T.Of(0), some = T.Of(0), many = T.Of(0), all = T.Of(0);
        while (true)
        {
            int stop = Math.Min(last - i, 4 * (Piece - 1) * step) + i;
            // Four sums, since an addition takes four cycles.
            for (; i <= stop; i += 4 * step)
            {
                a = term.AddTo(a, i, NoEnd);
                b = term.AddTo(b, i + step, NoEnd);
                c = term.AddTo(c, i + 2 * step, NoEnd);
                d = term.AddTo(d, i + 3 * step, NoEnd);
            }
            if (i > last)
                break;
            Put(a + b + (c + d), ++pieces, ref some, ref many, ref all);
            a = b = c = d = T.Of(0);
        }
        for (; i < end; i += step)
            a = term.AddTo(a, i, end);
        return lanes.Sum(T.Sum(all + (many + (some + (a + b + (c + d))))));
    }

    /// <summary>The same of terms that are much work themselves, whose code is to be there twice only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float OfWork<T, TLanes, TTerm>(TLanes lanes, TTerm term, int begin, int end)
        where T : struct, IReal<T>
        where TLanes : struct, ILanes
        where TTerm : struct, IRowTerm<T>
    {
        int step = lanes.Count * T.Width, i = begin + lanes.Id * T.Width, last = end - T.Width, pieces = 0;
        T sum = T.Of(0), some = T.Of(0), many = T.Of(0), all = T.Of(0);
        while (true)
        {
            int stop = Math.Min(last - i, (Piece - 1) * step) + i;
            for (; i <= stop; i += step)
                sum = term.AddTo(sum, i, NoEnd);
            if (i > last)
                break;
            Put(sum, ++pieces, ref some, ref many, ref all);
            sum = T.Of(0);
        }
        if (i < end)
            sum = term.AddTo(sum, i, end);
        return lanes.Sum(T.Sum(all + (many + (some + sum))));
    }

    /// <summary>Two sums at once, as <see cref="Of"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void OfTwo<T, TLanes, TTerms>(TLanes lanes, TTerms terms, int begin, int end, out float first, out float second)
        where T : struct, IReal<T>
        where TLanes : struct, ILanes
        where TTerms : struct, IRowTerms<T>
    {
        int step = lanes.Count * T.Width, i = begin + lanes.Id * T.Width, last = end - step - T.Width, pieces = 0;
        T a = T.Of(0), b = T.Of(0), c = T.Of(0), d = T.Of(0);
        T someOfFirst = a, manyOfFirst = a, allOfFirst = a, someOfSecond = a, manyOfSecond = a, allOfSecond = a;
        while (true)
        {
            int stop = Math.Min(last - i, 2 * (Piece - 1) * step) + i;
            for (; i <= stop; i += 2 * step) // twice two sums: an addition takes four cycles
            {
                terms.AddTo(ref a, ref b, i, NoEnd);
                terms.AddTo(ref c, ref d, i + step, NoEnd);
            }
            if (i > last)
                break;
            Put(a + c, ++pieces, ref someOfFirst, ref manyOfFirst, ref allOfFirst);
            Put(b + d, pieces, ref someOfSecond, ref manyOfSecond, ref allOfSecond);
            a = b = c = d = T.Of(0);
        }
        for (; i < end; i += step)
            terms.AddTo(ref a, ref b, i, end);
        first = lanes.Sum(T.Sum(allOfFirst + (manyOfFirst + (someOfFirst + (a + c)))));
        second = lanes.Sum(T.Sum(allOfSecond + (manyOfSecond + (someOfSecond + (b + d)))));
    }

    /// <summary>The sum of the terms begin … end − 1 that one thread adds up by itself: of a column.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T OfColumn<T, TTerm>(TTerm term, int begin, int end)
        where T : struct, IReal<T>
        where TTerm : struct, IColumnTerm<T>
    {
        T some = T.Of(0), many = T.Of(0), all = T.Of(0);
        int pieces = 0;
        while (true)
        {
            T sum = T.Of(0);
            for (int stop = Math.Min(end - begin, Piece) + begin; begin < stop; begin++)
                sum = term.AddTo(sum, begin);
            if (begin >= end)
                return all + (many + (some + sum));
            Put(sum, ++pieces, ref some, ref many, ref all);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<T>(T piece, int pieces, ref T some, ref T many, ref T all) where T : struct, IReal<T>
    {
        some += piece;
        if (pieces % Piece != 0)
            return;
        many += some;
        some = T.Of(0);
        if (pieces % (Piece * Piece) != 0)
            return;
        all += many;
        many = T.Of(0);
    }
}

/// <summary>The largest element of a row.</summary>
public static class RowMax
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
public readonly struct Elements<T, TMemory>(TMemory x) : IRowTerm<T>
    where T : struct, IReal<T>
    where TMemory : struct, IMemory<TMemory, T>
{
    private readonly TMemory x = x;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T AddTo(T sum, int i, int end) => sum + x.Load(i, end);
}

/// <summary>
/// Σ x down a column, of numbers that lie <paramref name="stride"/> apart; <paramref name="column"/> is the first one's place in its row.
/// </summary>
internal readonly struct ColumnElements<T, TMemory>(TMemory x, int first, int stride, int column) : IColumnTerm<T>
    where T : struct, IReal<T>
    where TMemory : struct, IMemory<TMemory, T>
{
    private readonly TMemory x = x;
    private readonly int first = first, stride = stride, column = column;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T AddTo(T sum, int row)
    {
        int at = first + row * stride;
        return sum + x.Load(at, at - column + stride);
    }
}

/// <summary>Σ x · y</summary>
public readonly struct Products<T, TMemory>(TMemory x, TMemory y) : IRowTerm<T>
    where T : struct, IReal<T>
    where TMemory : struct, IMemory<TMemory, T>
{
    private readonly TMemory x = x, y = y;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T AddTo(T sum, int i, int end) => T.Fma(x.Load(i, end), y.Load(i, end), sum);
}

/// <summary>Σ ((x − mean) · 2⁻⁴⁰)²: of rows up to 10³¹ the squares do not overflow.</summary>
internal readonly struct SquaredDistances<T, TMemory>(TMemory x, float mean) : IRowTerm<T>
    where T : struct, IReal<T>
    where TMemory : struct, IMemory<TMemory, T>
{
    /// <summary>2⁻⁴⁰, exact in each product.</summary>
    public const float Scale = 9.09494702e-13f;

    private readonly TMemory x = x;
    private readonly float mean = mean;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T AddTo(T sum, int i, int end)
    {
        T d = T.Fma(x.Load(i, end, mean), T.Of(Scale), T.Of(-mean * Scale));
        return T.Fma(d, d, sum);
    }
}
