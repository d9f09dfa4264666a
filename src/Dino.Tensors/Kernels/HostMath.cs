using System.Runtime.CompilerServices;

namespace Dino.Tensors.Kernels;

/// <summary>Exponential and error function over vectors, to a few units in the last place.</summary>
internal static class HostMath<TVector, TSimd>
    where TVector : struct
    where TSimd : struct, ISimd<TVector>
{
    /// <summary>eˣ with a relative error near 1e-7; 0 below −87, and no overflow above 88 (it stays at e⁸⁸).</summary>
    /// <remarks>x = n · ln 2 + r with |r| ≤ ln 2 / 2; eʳ is a polynomial of degree 6, 2ⁿ goes into the exponent bits.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Exp(TVector x)
    {
        TVector low = TSimd.Create(-87f), high = TSimd.Create(88f);
        return TSimd.WhereLess(x, low, default, ScaledExp(TSimd.WhereLess(high, x, high, x)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector ScaledExp(TVector x)
    {
        const float Rounder = 12582912f; // 1.5 · 2²³: adding it leaves the nearest integer in the lowest bits
        TVector shifted = TSimd.MultiplyAdd(x, TSimd.Create(1.44269504f), TSimd.Create(Rounder));
        TVector n = TSimd.Subtract(shifted, TSimd.Create(Rounder));
        // ln 2 in two parts, the first with so few bits that its product with n is exact.
        TVector r = TSimd.MultiplyAdd(n, TSimd.Create(-0.693145752f), x);
        r = TSimd.MultiplyAdd(n, TSimd.Create(-1.42860677e-6f), r);
        TVector square = TSimd.Multiply(r, r);
        TVector p = TSimd.MultiplyAdd(TSimd.Create(0.00139411087f), r, TSimd.Create(0.00837512640f));
        TVector middle = TSimd.MultiplyAdd(TSimd.Create(0.0416663529f), r, TSimd.Create(0.166664155f));
        TVector first = TSimd.MultiplyAdd(TSimd.Create(0.500000005f), r, TSimd.Create(1.00000004f));
        p = TSimd.MultiplyAdd(TSimd.MultiplyAdd(p, square, middle), square, first);
        return TSimd.ScaleByPowerOfTwo(TSimd.MultiplyAdd(p, r, TSimd.Create(1f)), shifted);
    }

    /// <summary>Φ(u) and φ(u), with the polynomials of <see cref="Real.NormalDistributionInParts"/>; a NaN's density is undefined.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector NormalDistribution(TVector u, out TVector density)
    {
        TVector end = TSimd.Create(13.15f), size = TSimd.Abs(u), a = TSimd.Min(size, end);
        TVector e = ScaledExp(TSimd.Multiply(TSimd.Multiply(TSimd.Create(-0.5f), a), size)); // size and not a: a NaN must come through
        e = TSimd.WhereLess(end, size, default, e);
        density = TSimd.Multiply(TSimd.Create(0.398942280f), e);
        TVector p = TSimd.Add(a, TSimd.Create(9.95257568f));
        p = TSimd.MultiplyAdd(p, a, TSimd.Create(45.1520576f));
        p = TSimd.MultiplyAdd(p, a, TSimd.Create(108.546906f));
        p = TSimd.MultiplyAdd(p, a, TSimd.Create(124.637085f));
        TVector q = TSimd.MultiplyAdd(TSimd.Create(2.50659204f), a, TSimd.Create(24.9492702f));
        q = TSimd.MultiplyAdd(q, a, TSimd.Create(115.64444f));
        q = TSimd.MultiplyAdd(q, a, TSimd.Create(297.574768f));
        q = TSimd.MultiplyAdd(q, a, TSimd.Create(415.985901f));
        q = TSimd.MultiplyAdd(q, a, TSimd.Create(249.27417f));
        TVector tail = TSimd.Multiply(e, TSimd.Divide(p, q));
        return TSimd.WhereLess(u, default, tail, TSimd.Subtract(TSimd.Create(1f), tail));
    }

    /// <summary>u · Φ(u).</summary>
    /// <remarks>Φ and φ are 0 or 1 from the bounds on, and infinity times 0 would be NaN.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Gelu(TVector u) => TSimd.Multiply(TSimd.Max(u, TSimd.Create(-13.15f)), NormalDistribution(u, out _));

    /// <summary>The derivative Φ(u) + u φ(u) of <see cref="Gelu"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector GeluSlope(TVector u)
    {
        TVector bounded = TSimd.Min(TSimd.Max(u, TSimd.Create(-13.15f)), TSimd.Create(13.15f));
        TVector distribution = NormalDistribution(u, out TVector density);
        return TSimd.MultiplyAdd(bounded, density, distribution);
    }

    /// <summary>erf(x) with an absolute error near 1e-7.</summary>
    /// <remarks>Below 1 an odd polynomial of degree 13, above it 1 − e⁻ᵖ with p a polynomial fitted to −ln erfc on [1, 4].</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Erf(TVector x)
    {
        TVector size = TSimd.Abs(x), square = TSimd.Multiply(x, x);
        TVector small = TSimd.Create(7.87587487e-05f);
        small = TSimd.MultiplyAdd(small, square, TSimd.Create(-0.000801686430f));
        small = TSimd.MultiplyAdd(small, square, TSimd.Create(0.00518908724f));
        small = TSimd.MultiplyAdd(small, square, TSimd.Create(-0.0268542115f));
        small = TSimd.MultiplyAdd(small, square, TSimd.Create(0.112835944f));
        small = TSimd.MultiplyAdd(small, square, TSimd.Create(-0.376126260f));
        small = TSimd.Multiply(TSimd.MultiplyAdd(small, square, TSimd.Create(1.12837911f)), x);

        TVector end = TSimd.Create(4f), z = TSimd.WhereLess(end, size, end, size);
        TVector large = TSimd.Create(1.32801279e-05f);
        large = TSimd.MultiplyAdd(large, z, TSimd.Create(-0.000317264639f));
        large = TSimd.MultiplyAdd(large, z, TSimd.Create(0.00343622360f));
        large = TSimd.MultiplyAdd(large, z, TSimd.Create(-0.0226261597f));
        large = TSimd.MultiplyAdd(large, z, TSimd.Create(0.103344753f));
        large = TSimd.MultiplyAdd(large, z, TSimd.Create(0.639036596f));
        large = TSimd.MultiplyAdd(large, z, TSimd.Create(1.12598276f));
        large = TSimd.MultiplyAdd(large, z, TSimd.Create(0.000735425798f));
        TVector one = TSimd.Create(1f);
        large = TSimd.Subtract(one, Exp(TSimd.Subtract(default, large)));
        return TSimd.WhereLess(size, one, small, TSimd.CopySign(large, x));
    }
}
