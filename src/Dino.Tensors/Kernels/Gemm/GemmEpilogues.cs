using System.Runtime.Intrinsics;

namespace Dino.Tensors.Kernels;

/// <summary>
/// What happens to an element of C once its sum is complete, while it is still in the first-level cache.
/// </summary>
internal unsafe interface IGemmEpilogue
{
    /// <summary>False for the epilogue that does nothing, so that its calls vanish at compile time.</summary>
    static abstract bool Active { get; }

    /// <summary>Asks for what <see cref="Apply"/> will read and write besides C in a piece of the result.</summary>
    void Prefetch(int row, int column, int rows, int columns);

    /// <summary>Finishes <paramref name="count"/> ≤ 32 neighbours of a row in place; they start at (row, column).</summary>
    void Apply(float* c, int row, int column, int count);
}

/// <summary>C as it is.</summary>
internal readonly unsafe struct NoEpilogue : IGemmEpilogue
{
    public static bool Active => false;

    public void Prefetch(int row, int column, int rows, int columns)
    {
    }

    public void Apply(float* c, int row, int column, int count)
    {
    }
}

/// <summary>
/// residual + keep[row / rowsPerSample] · C, the residual of C's shape (M, N); keep may be null and then is 1 (a branch of a residual connection).
/// </summary>
internal readonly unsafe struct BranchEpilogue(float* residual, float* keep, int rowsPerSample, long ld) : IGemmEpilogue
{
    public static bool Active => true;

    public void Prefetch(int row, int column, int rows, int columns) => HostPrefetch.Rows(residual + row * ld + column, ld, rows, columns);

    public void Apply(float* c, int row, int column, int count)
    {
        float* from = residual + row * ld + column;
        float factor = keep == null ? 1 : keep[row / rowsPerSample];
        int j = 0;
        for (; j + 8 <= count; j += 8)
            (Vector256.Load(c + j) * factor + Vector256.Load(from + j)).Store(c + j);
        for (; j < count; j++)
            c[j] = c[j] * factor + from[j];
    }
}

/// <summary>C · factor[column]: the rows of a weight scaled after the product instead of before.</summary>
internal readonly unsafe struct ColumnScaleEpilogue(float* factors) : IGemmEpilogue
{
    public static bool Active => true;

    public void Prefetch(int row, int column, int rows, int columns)
    {
    }

    public void Apply(float* c, int row, int column, int count)
    {
        float* factor = factors + column;
        int j = 0;
        for (; j + 8 <= count; j += 8)
            (Vector256.Load(c + j) * Vector256.Load(factor + j)).Store(c + j);
        for (; j < count; j++)
            c[j] *= factor[j];
    }
}

/// <summary>u · Φ(u) of u = C, exact; u itself goes to <c>before</c> (M, N) unless that is null: the backward pass needs it.</summary>
internal readonly unsafe struct GeluEpilogue(float* before, long ld) : IGemmEpilogue
{
    public static bool Active => true;

    public void Prefetch(int row, int column, int rows, int columns)
    {
        if (before != null)
            HostPrefetch.Rows(before + row * ld + column, ld, rows, columns);
    }

    public void Apply(float* c, int row, int column, int count)
    {
        if (before != null)
            new ReadOnlySpan<float>(c, count).CopyTo(new Span<float>(before + row * ld + column, count));
        int j = 0;
        for (; j + 8 <= count; j += 8)
            GeluVectors.Forward(c + j);
        if (j == count)
            return;
        float* rest = stackalloc float[8]; // the same arithmetic for the last few: one more vector, mostly unused
        for (int i = 0; i < 8; i++)
            rest[i] = j + i < count ? c[j + i] : 0;
        GeluVectors.Forward(rest);
        for (int i = 0; j + i < count; i++)
            c[j + i] = rest[i];
    }
}

/// <summary>
/// C · GELU′(u), the gradient through a GELU, given its input u (M, N); GELU(u) goes to <c>output</c> (M, N), remade at little cost.
/// </summary>
internal readonly unsafe struct GeluBackwardEpilogue(float* before, float* output, long ld) : IGemmEpilogue
{
    public static bool Active => true;

    public void Prefetch(int row, int column, int rows, int columns)
    {
        HostPrefetch.Rows(before + row * ld + column, ld, rows, columns);
        HostPrefetch.Rows(output + row * ld + column, ld, rows, columns);
    }

    public void Apply(float* c, int row, int column, int count)
    {
        float* u = before + row * ld + column, y = output + row * ld + column;
        int j = 0;
        for (; j + 8 <= count; j += 8)
            GeluVectors.Backward(c + j, u + j, y + j);
        if (j == count)
            return;
        float* rest = stackalloc float[24];
        for (int i = 0; i < 8; i++)
            (rest[i], rest[8 + i]) = j + i < count ? (c[j + i], u[j + i]) : (0, 0);
        GeluVectors.Backward(rest, rest + 8, rest + 16);
        for (int i = 0; j + i < count; i++)
            (c[j + i], y[j + i]) = (rest[i], rest[16 + i]);
    }
}

/// <summary>The GELU of eight floats in vectors of eight or four.</summary>
internal static unsafe class GeluVectors
{
    /// <summary>x becomes x · Φ(x).</summary>
    public static void Forward(float* x)
    {
        if (Vector256.IsHardwareAccelerated)
        {
            Forward<Vector256<float>, Simd256>(x);
            return;
        }
        Forward<Vector128<float>, Simd128>(x);
        Forward<Vector128<float>, Simd128>(x + 4);
    }

    /// <summary>dy becomes dy · (Φ(x) + x φ(x)), y becomes x · Φ(x).</summary>
    public static void Backward(float* dy, float* x, float* y)
    {
        if (Vector256.IsHardwareAccelerated)
        {
            Backward<Vector256<float>, Simd256>(dy, x, y);
            return;
        }
        Backward<Vector128<float>, Simd128>(dy, x, y);
        Backward<Vector128<float>, Simd128>(dy + 4, x + 4, y + 4);
    }

    private static void Forward<TVector, TSimd>(float* x) where TVector : struct where TSimd : struct, ISimd<TVector> =>
        TSimd.Store(HostMath<TVector, TSimd>.Gelu(TSimd.Load(x)), x);

    private static void Backward<TVector, TSimd>(float* dy, float* x, float* y) where TVector : struct where TSimd : struct, ISimd<TVector>
    {
        TSimd.Store(HostMath<TVector, TSimd>.Gelu(TSimd.Load(x), out TVector slope), y);
        TSimd.Store(TSimd.Multiply(TSimd.Load(dy), slope), dy);
    }
}
