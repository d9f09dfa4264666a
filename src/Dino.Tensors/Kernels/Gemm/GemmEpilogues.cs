using System.Runtime.CompilerServices;

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
    void Apply<TVector, TSimd>(float* c, int row, int column, int count) where TVector : struct where TSimd : struct, ISimd<TVector>;
}

/// <summary>C as it is.</summary>
internal readonly unsafe struct NoEpilogue : IGemmEpilogue
{
    public static bool Active => false;

    public void Prefetch(int row, int column, int rows, int columns)
    {
    }

    public void Apply<TVector, TSimd>(float* c, int row, int column, int count) where TVector : struct where TSimd : struct, ISimd<TVector>
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

    public void Apply<TVector, TSimd>(float* c, int row, int column, int count) where TVector : struct where TSimd : struct, ISimd<TVector>
    {
        float* from = residual + row * ld + column;
        float factor = keep == null ? 1 : keep[row / rowsPerSample];
        TVector factors = TSimd.Create(factor);
        int j = 0;
        for (; j + TSimd.Width <= count; j += TSimd.Width)
            TSimd.Store(TSimd.MultiplyAdd(TSimd.Load(c + j), factors, TSimd.Load(from + j)), c + j);
        for (; j < count; j++)
            c[j] = MathF.FusedMultiplyAdd(c[j], factor, from[j]);
    }
}

/// <summary>C · factor[column]: the rows of a weight scaled after the product instead of before.</summary>
internal readonly unsafe struct ColumnScaleEpilogue(float* factors) : IGemmEpilogue
{
    public static bool Active => true;

    public void Prefetch(int row, int column, int rows, int columns)
    {
    }

    public void Apply<TVector, TSimd>(float* c, int row, int column, int count) where TVector : struct where TSimd : struct, ISimd<TVector>
    {
        float* factor = factors + column;
        int j = 0;
        for (; j + TSimd.Width <= count; j += TSimd.Width)
            TSimd.Store(TSimd.Multiply(TSimd.Load(c + j), TSimd.Load(factor + j)), c + j);
        for (; j < count; j++)
            c[j] *= factor[j];
    }
}

/// <summary>u · Φ(u) of u = C; u itself goes to <c>before</c> (M, N) unless that is null: the backward pass needs it.</summary>
internal readonly unsafe struct GeluEpilogue(float* before, long ld) : IGemmEpilogue
{
    // u is not wanted again soon: whole cache lines of it are written past the caches, which saves reading them first.
    private readonly bool past = before != null && (nint)before % 64 == 0 && ld % 16 == 0;

    public static bool Active => true;

    public void Prefetch(int row, int column, int rows, int columns)
    {
        if (before != null && !past)
            HostPrefetch.Rows(before + row * ld + column, ld, rows, columns);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Apply<TVector, TSimd>(float* c, int row, int column, int count) where TVector : struct where TSimd : struct, ISimd<TVector>
    {
        float* kept = before + row * ld + column;
        int w = TSimd.Width, j = 0;
        for (; j + 2 * w <= count; j += 2 * w)
        {
            // Two at a time share their constants and wait for their quotients together.
            TVector u0 = TSimd.Load(c + j), u1 = TSimd.Load(c + j + w);
            if (past && 2 * w % 16 == 0)
            {
                TSimd.StorePastCaches(u0, kept + j);
                TSimd.StorePastCaches(u1, kept + j + w);
            }
            else if (before != null)
            {
                TSimd.Store(u0, kept + j);
                TSimd.Store(u1, kept + j + w);
            }
            TSimd.Store(HostMath<TVector, TSimd>.Gelu(u0), c + j);
            TSimd.Store(HostMath<TVector, TSimd>.Gelu(u1), c + j + w);
        }
        for (; j < count; j += w)
            ApplyToRest<TVector, TSimd>(c + j, before == null ? c + j : kept + j, Math.Min(w, count - j));
    }

    // The same arithmetic for a vector or less. A method of its own: memory on the stack would cost every call of the other.
    private static void ApplyToRest<TVector, TSimd>(float* c, float* kept, int count) where TVector : struct where TSimd : struct, ISimd<TVector>
    {
        float* rest = stackalloc float[16];
        for (int i = 0; i < count; i++)
            rest[i] = kept[i] = c[i];
        TSimd.Store(HostMath<TVector, TSimd>.Gelu(TSimd.Load(rest)), rest);
        for (int i = 0; i < count; i++)
            c[i] = rest[i];
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Apply<TVector, TSimd>(float* c, int row, int column, int count) where TVector : struct where TSimd : struct, ISimd<TVector>
    {
        float* u = before + row * ld + column, y = output + row * ld + column;
        int j = 0;
        for (; j + TSimd.Width <= count; j += TSimd.Width)
            Through<TVector, TSimd>(c + j, u + j, y + j);
        if (j < count)
            ApplyToRest<TVector, TSimd>(c + j, u + j, y + j, count - j);
    }

    private static void ApplyToRest<TVector, TSimd>(float* dy, float* u, float* y, int count)
        where TVector : struct
        where TSimd : struct, ISimd<TVector>
    {
        float* rest = stackalloc float[3 * 16];
        for (int i = 0; i < count; i++)
            (rest[i], rest[16 + i]) = (dy[i], u[i]);
        Through<TVector, TSimd>(rest, rest + 16, rest + 32);
        for (int i = 0; i < count; i++)
            (dy[i], y[i]) = (rest[i], rest[32 + i]);
    }

    // dy becomes dy · (Φ(u) + u φ(u)), y becomes u · Φ(u).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Through<TVector, TSimd>(float* dy, float* u, float* y) where TVector : struct where TSimd : struct, ISimd<TVector>
    {
        TSimd.Store(HostMath<TVector, TSimd>.Gelu(TSimd.Load(u), out TVector slope), y);
        TSimd.Store(TSimd.Multiply(TSimd.Load(dy), slope), dy);
    }
}
