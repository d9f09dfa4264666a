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
        const float Rounder = 12582912f; // 1.5 · 2²³: adding it leaves the nearest integer in the lowest bits
        TVector low = TSimd.Create(-87f), high = TSimd.Create(88f);
        TVector y = TSimd.WhereLess(high, x, high, x);
        TVector shifted = TSimd.MultiplyAdd(y, TSimd.Create(1.44269504f), TSimd.Create(Rounder));
        TVector n = TSimd.Subtract(shifted, TSimd.Create(Rounder));
        // ln 2 in two parts, the first with so few bits that its product with n is exact.
        TVector r = TSimd.MultiplyAdd(n, TSimd.Create(-0.693359375f), y);
        r = TSimd.MultiplyAdd(n, TSimd.Create(2.12194440e-4f), r);
        TVector p = TSimd.Create(0.00139262504f);
        p = TSimd.MultiplyAdd(p, r, TSimd.Create(0.00836323295f));
        p = TSimd.MultiplyAdd(p, r, TSimd.Create(0.0416665524f));
        p = TSimd.MultiplyAdd(p, r, TSimd.Create(0.166665763f));
        p = TSimd.MultiplyAdd(p, r, TSimd.Create(0.5f));
        p = TSimd.MultiplyAdd(TSimd.Multiply(r, r), p, r);
        p = TSimd.Add(p, TSimd.Create(1f));
        return TSimd.WhereLess(x, low, default, TSimd.ScaleByPowerOfTwo(p, shifted));
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
