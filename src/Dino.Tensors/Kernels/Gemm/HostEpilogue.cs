using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels.Host;

namespace Dino.Tensors.Kernels.Gemm;

/// <summary>The end of a product on the host: what happens to a piece of C while it is still in the first-level cache.</summary>
internal unsafe interface IHostEpilogue
{
    /// <summary>False for the one that does nothing, so that its calls vanish at compile time.</summary>
    static abstract bool Active { get; }

    /// <summary>Asks for what <see cref="Apply"/> will read and write besides C in a piece of the result.</summary>
    void Prefetch(int row, int column, int rows, int columns);

    /// <summary>Finishes a piece of at most 32 columns in place, its rows <paramref name="ldc"/> apart, which starts at (row, column).
    /// </summary>
    void Apply(float* c, long ldc, int row, int column, int rows, int columns);
}

/// <summary>C as it is.</summary>
internal readonly unsafe struct NoEpilogue : IHostEpilogue
{
    public static bool Active => false;

    public void Prefetch(int row, int column, int rows, int columns)
    {
    }

    public void Apply(float* c, long ldc, int row, int column, int rows, int columns)
    {
    }
}

/// <summary>
/// Any <see cref="IEpilogue"/> over vectors of any width. Other and kept are of the result's shape (M, N), rows <c>ld</c> apart; what is
/// null is left out.
/// </summary>
internal readonly unsafe struct HostEpilogue<TEpilogue, TNumber>(float* other, float* factors, float* kept, int rowsPerSample, long ld)
    : IHostEpilogue
    where TEpilogue : struct, IEpilogue
    where TNumber : struct, IVectorNumber<TNumber>
{
    // What a forward pass keeps is not wanted again soon: whole cache lines of it are written past the caches, which saves reading them
    // first.
    private readonly bool past = !TEpilogue.ReadsOther && kept != null && (nint)kept % 64 == 0 && ld % 16 == 0;

    public static bool Active => true;

    public void Prefetch(int row, int column, int rows, int columns)
    {
        if (TEpilogue.ReadsOther)
            HostPrefetch.Rows(other + row * ld + column, ld, rows, columns);
        if (kept != null && !past)
            HostPrefetch.Rows(kept + row * ld + column, ld, rows, columns);
    }

    // A call for each piece: the JIT inlines only so much into one method, and here that is to be the formulas, whole.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Apply(float* c, long ldc, int row, int column, int rows, int columns)
    {
        float* from = other + row * ld + column, to = kept + row * ld + column, factor = factors + column;
        bool keeps = kept != null, passes = past && 2 * TNumber.Width % 16 == 0;
        int w = TNumber.Width;
        for (int end = row + rows; row < end; row++, c += ldc, from += ld, to += ld)
        {
            TNumber each = TNumber.Of(!TEpilogue.ScalesColumns && rowsPerSample > 0 ? factors[row / rowsPerSample] : 1);
            int j = 0;
            // Two at a time share their constants and wait for their quotients together.
            for (; j + 2 * w <= columns; j += 2 * w)
            {
                TNumber other0 = TEpilogue.ReadsOther ? TNumber.Load(from + j) : default;
                TNumber other1 = TEpilogue.ReadsOther ? TNumber.Load(from + j + w) : default;
                TNumber factor0 = TEpilogue.ScalesColumns ? TNumber.Load(factor + j) : each;
                TNumber factor1 = TEpilogue.ScalesColumns ? TNumber.Load(factor + j + w) : each;
                TNumber y0 = TEpilogue.Finish(TNumber.Load(c + j), other0, factor0, out TNumber kept0);
                TNumber y1 = TEpilogue.Finish(TNumber.Load(c + j + w), other1, factor1, out TNumber kept1);
                if (passes)
                {
                    TNumber.StorePastCaches(kept0, to + j);
                    TNumber.StorePastCaches(kept1, to + j + w);
                }
                else if (keeps)
                {
                    TNumber.Store(kept0, to + j);
                    TNumber.Store(kept1, to + j + w);
                }
                TNumber.Store(y0, c + j);
                TNumber.Store(y1, c + j + w);
            }
            for (; j < columns; j += w)
                ApplyToRest(c + j, from + j, factor + j, to + j, each, Math.Min(w, columns - j));
        }
    }

    // The same arithmetic for a vector or less. A method of its own: memory on the stack would cost every call of the other.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void ApplyToRest(float* c, float* from, float* factor, float* to, TNumber each, int count)
    {
        float* rest = stackalloc float[3 * 16];
        for (int i = 0; i < count; i++)
        {
            rest[i] = c[i];
            rest[16 + i] = TEpilogue.ReadsOther ? from[i] : 0;
            rest[32 + i] = TEpilogue.ScalesColumns ? factor[i] : 0;
        }
        TNumber scale = TEpilogue.ScalesColumns ? TNumber.Load(rest + 32) : each;
        TNumber y = TEpilogue.Finish(TNumber.Load(rest), TNumber.Load(rest + 16), scale, out TNumber keep);
        TNumber.Store(y, rest);
        TNumber.Store(keep, rest + 16);
        for (int i = 0; i < count; i++)
            c[i] = rest[i];
        for (int i = 0; i < count && kept != null; i++)
            to[i] = rest[16 + i];
    }
}
