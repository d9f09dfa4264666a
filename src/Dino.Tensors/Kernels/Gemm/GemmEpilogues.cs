using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dino.Tensors.Kernels;

/// <summary>
/// What happens to an element of C once its sum is complete, while it is still in the first-level cache.
/// </summary>
internal unsafe interface IGemmEpilogue
{
    /// <summary>False for the epilogue that does nothing, so that its calls vanish at compile time.</summary>
    static abstract bool Active { get; }

    /// <summary>Finishes <paramref name="count"/> ≤ 32 neighbours of a row in place; they start at (batch, row, column).</summary>
    void Apply(float* c, int batch, int row, int column, int count);
}

/// <summary>C as it is.</summary>
internal readonly unsafe struct NoEpilogue : IGemmEpilogue
{
    public static bool Active => false;

    public void Apply(float* c, int batch, int row, int column, int count)
    {
    }
}

/// <summary>C + bias (N).</summary>
internal readonly unsafe struct BiasEpilogue(float* bias) : IGemmEpilogue
{
    public static bool Active => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Apply(float* c, int batch, int row, int column, int count)
    {
        float* from = bias + column;
        int j = 0;
        for (; j + 8 <= count; j += 8)
            (Vector256.Load(c + j) + Vector256.Load(from + j)).Store(c + j);
        for (; j < count; j++)
            c[j] += from[j];
    }
}

/// <summary>C + bias (N) + residual, the latter of C's shape with its own leading dimension; bias may be null.</summary>
internal readonly unsafe struct BiasResidualEpilogue(float* bias, float* residual, long ld, long stride) : IGemmEpilogue
{
    public static bool Active => true;

    public void Apply(float* c, int batch, int row, int column, int count)
    {
        float* skip = residual + batch * stride + row * ld + column;
        if (bias != null)
            new BiasEpilogue(bias).Apply(c, batch, row, column, count);
        new BiasEpilogue(skip - column).Apply(c, batch, row, column, count);
    }
}

/// <summary>u · Φ(u) of u = C + bias (N), exact; u itself goes to <c>before</c> (unless null), which the backward pass needs.</summary>
internal readonly unsafe struct BiasGeluEpilogue(float* bias, float* before, long ld, long stride) : IGemmEpilogue
{
    public static bool Active => true;

    public void Apply(float* c, int batch, int row, int column, int count)
    {
        if (bias != null)
            new BiasEpilogue(bias).Apply(c, batch, row, column, count);
        if (before != null)
            new ReadOnlySpan<float>(c, count).CopyTo(new Span<float>(before + batch * stride + row * ld + column, count));
        int j = 0;
        for (; j + 8 <= count; j += 8)
            Gelu(c + j);
        if (j == count)
            return;
        float* rest = stackalloc float[8]; // the same arithmetic for the last few: one more vector, mostly unused
        for (int i = 0; i < 8; i++)
            rest[i] = j + i < count ? c[j + i] : 0;
        Gelu(rest);
        for (int i = 0; j + i < count; i++)
            c[j + i] = rest[i];
    }

    private static void Gelu(float* x)
    {
        if (Vector256.IsHardwareAccelerated)
        {
            Gelu<Vector256<float>, Simd256>(x);
            return;
        }
        Gelu<Vector128<float>, Simd128>(x);
        Gelu<Vector128<float>, Simd128>(x + 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Gelu<TVector, TSimd>(float* x) where TVector : struct where TSimd : struct, ISimd<TVector>
    {
        TVector u = TSimd.Load(x), half = TSimd.Multiply(u, TSimd.Create(0.5f));
        TVector erf = HostMath<TVector, TSimd>.Erf(TSimd.Multiply(u, TSimd.Create(0.707106781f)));
        TSimd.Store(TSimd.MultiplyAdd(half, erf, half), x);
    }
}
