using System.Runtime.CompilerServices;

namespace Dino.Tensors.Kernels;

/// <summary>The numbers of a row, read from memory or made of what is there.</summary>
public interface IRowNumbers<T> where T : struct, IReal<T>
{
    /// <summary>The numbers i … i + Width − 1; 0 at or beyond <paramref name="end"/>.</summary>
    T At(int i, int end);
}

/// <summary>‖x‖₂ of a row, also where the squares overflow or vanish: those are added up once more on another scale.</summary>
public static class RowNorm
{
    /// <summary>The norm over all lanes; every lane must call it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Of<T, TLanes, TNumbers>(TLanes lanes, TNumbers x, int begin, int end)
        where T : struct, IReal<T>
        where TLanes : struct, ILanes
        where TNumbers : struct, IRowNumbers<T>
    {
        float squares = RowSum.Of<T, TLanes, Squares<T, TNumbers>>(lanes, new(x), begin, end);
        return Of<T, TLanes, TNumbers>(lanes, x, begin, end, squares);
    }

    /// <summary>The same where the sum of the squares is known already.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Of<T, TLanes, TNumbers>(TLanes lanes, TNumbers x, int begin, int end, float squares)
        where T : struct, IReal<T>
        where TLanes : struct, ILanes
        where TNumbers : struct, IRowNumbers<T>
    {
        // 2¹⁰⁰ and 2⁻⁸⁰: between them no square of weight was lost. The rows of a group share the barriers of the second sum, which is why
        // it
        // is asked for without one, too.
        float scale = squares > 1.26765060e30f ? 8.27180613e-25f : squares < 8.27180613e-25f ? 1.26765060e30f : 0f;
        float scaled = RowSum.OfWork<T, TLanes, ScaledSquares<T, TNumbers>>(lanes, new(x, scale), begin, scale != 0 ? end : begin);
        return scale != 0 ? MathF.Sqrt(scaled) / scale : MathF.Sqrt(squares);
    }
}

/// <summary>A row as it lies in memory.</summary>
public readonly struct StoredNumbers<T, TMemory>(TMemory x) : IRowNumbers<T>
    where T : struct, IReal<T>
    where TMemory : struct, IMemory<TMemory, T>
{
    private readonly TMemory x = x;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T At(int i, int end) => x.Load(i, end);
}

/// <summary>Σ x²</summary>
internal readonly struct Squares<T, TNumbers>(TNumbers x) : IRowTerm<T>
    where T : struct, IReal<T>
    where TNumbers : struct, IRowNumbers<T>
{
    private readonly TNumbers x = x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T AddTo(T sum, int i, int end)
    {
        T v = x.At(i, end);
        return T.Fma(v, v, sum);
    }
}

/// <summary>Σ (scale · x)²</summary>
internal readonly struct ScaledSquares<T, TNumbers>(TNumbers x, float scale) : IRowTerm<T>
    where T : struct, IReal<T>
    where TNumbers : struct, IRowNumbers<T>
{
    private readonly TNumbers x = x;
    private readonly float scale = scale;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T AddTo(T sum, int i, int end)
    {
        T v = x.At(i, end) * T.Of(scale);
        return T.Fma(v, v, sum);
    }
}

/// <summary>Σ x² and Σ x · y</summary>
internal readonly struct SquaresAndProducts<T, TMemory>(TMemory x, TMemory y) : IRowTerms<T>
    where T : struct, IReal<T>
    where TMemory : struct, IMemory<TMemory, T>
{
    private readonly TMemory x = x, y = y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddTo(ref T first, ref T second, int i, int end)
    {
        T v = x.Load(i, end);
        first = T.Fma(v, v, first);
        second = T.Fma(v, y.Load(i, end), second);
    }
}
