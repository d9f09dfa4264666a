using System.Numerics;
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

    /// <summary>Finishes <paramref name="count"/> ≤ 32 neighbours of a row in place; they start at (row, column).</summary>
    void Apply(float* c, int row, int column, int count);
}

/// <summary>C as it is.</summary>
internal readonly unsafe struct NoEpilogue : IHostEpilogue
{
    public static bool Active => false;

    public void Prefetch(int row, int column, int rows, int columns)
    {
    }

    public void Apply(float* c, int row, int column, int count)
    {
    }
}

/// <summary>Any <see cref="IEpilogue"/> over vectors. Other and kept are of C's shape (M, N); what is null is left out.</summary>
internal readonly unsafe struct HostEpilogue<TEpilogue>(float* other, float* factors, float* kept, int rowsPerSample, long ld) : IHostEpilogue
    where TEpilogue : struct, IEpilogue
{
    // What a forward pass keeps is not wanted again soon: whole cache lines of it are written past the caches, which saves reading them first.
    private readonly bool past = !TEpilogue.ReadsOther && kept != null && (nint)kept % 64 == 0 && ld % 16 == 0;

    public static bool Active => true;

    public void Prefetch(int row, int column, int rows, int columns)
    {
        if (TEpilogue.ReadsOther)
            HostPrefetch.Rows(other + row * ld + column, ld, rows, columns);
        if (kept != null && !past)
            HostPrefetch.Rows(kept + row * ld + column, ld, rows, columns);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Apply(float* c, int row, int column, int count)
    {
        float* from = other + row * ld + column, to = kept + row * ld + column, factor = factors + column;
        Simd each = Simd.Of(!TEpilogue.ScalesColumns && rowsPerSample > 0 ? factors[row / rowsPerSample] : 1);
        int w = Simd.Width, j = 0;
        // Two at a time share their constants and wait for their quotients together.
        for (; j + 2 * w <= count; j += 2 * w)
        {
            Simd other0 = TEpilogue.ReadsOther ? Load(from + j) : default, other1 = TEpilogue.ReadsOther ? Load(from + j + w) : default;
            Simd factor0 = TEpilogue.ScalesColumns ? Load(factor + j) : each, factor1 = TEpilogue.ScalesColumns ? Load(factor + j + w) : each;
            Simd y0 = TEpilogue.Finish(Load(c + j), other0, factor0, out Simd kept0);
            Simd y1 = TEpilogue.Finish(Load(c + j + w), other1, factor1, out Simd kept1);
            if (past)
            {
                kept0.Value.StoreAlignedNonTemporal(to + j);
                kept1.Value.StoreAlignedNonTemporal(to + j + w);
            }
            else if (kept != null)
            {
                Store(kept0, to + j);
                Store(kept1, to + j + w);
            }
            Store(y0, c + j);
            Store(y1, c + j + w);
        }
        for (; j + w <= count; j += w)
        {
            Simd y = TEpilogue.Finish(
                Load(c + j), TEpilogue.ReadsOther ? Load(from + j) : default, TEpilogue.ScalesColumns ? Load(factor + j) : each, out Simd keep);
            if (kept != null)
                Store(keep, to + j);
            Store(y, c + j);
        }
        if (j < count)
            ApplyToRest(c + j, from + j, factor + j, to + j, each, count - j);
    }

    // The same arithmetic for less than a vector. A method of its own: memory on the stack would cost every call of the other.
    private void ApplyToRest(float* c, float* from, float* factor, float* to, Simd each, int count)
    {
        float* rest = stackalloc float[3 * 16];
        for (int i = 0; i < count; i++)
        {
            rest[i] = c[i];
            rest[16 + i] = TEpilogue.ReadsOther ? from[i] : 0;
            rest[32 + i] = TEpilogue.ScalesColumns ? factor[i] : 0;
        }
        Simd y = TEpilogue.Finish(Load(rest), Load(rest + 16), TEpilogue.ScalesColumns ? Load(rest + 32) : each, out Simd keep);
        Store(y, rest);
        Store(keep, rest + 16);
        for (int i = 0; i < count; i++)
            c[i] = rest[i];
        for (int i = 0; i < count && kept != null; i++)
            to[i] = rest[16 + i];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Simd Load(float* source) => new(Unsafe.ReadUnaligned<Vector<float>>(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Simd value, float* target) => Unsafe.WriteUnaligned(target, value.Value);
}
