using System.Runtime.CompilerServices;

namespace Dino.Tensors.Kernels;

/// <summary>Powers of two and GELU over vectors, to a few units in the last place.</summary>
internal static class HostMath<TVector, TSimd>
    where TVector : struct
    where TSimd : struct, ISimd<TVector>
{
    // 1.5 · 2²³ rounds what it is added to; with 226 more, the lowest bits of the sum are the exponent bits of 2ⁿ⁺⁹⁹, and the rest of the
    // product is made 2⁻¹⁰⁰ times as large: it is rounded once where the result is subnormal.
    private const float Rounder = 12582912f + 226f, Small = 7.88860905e-31f;

    /// <summary>2ˣ of x ≤ 0 (or rounded to a little more) with a relative error near 1e-7: subnormal numbers below −126, 0 below −150.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector PowerOfTwo(TVector x)
    {
        // The second operand comes out where one is NaN. At −226 the power of two is 0, as in Real.NothingLeft.
        TVector y = TSimd.Max(TSimd.Create(-226f), x), shifted = TSimd.Add(y, TSimd.Create(Rounder));
        return PowerOfTwo(shifted, TSimd.Subtract(y, TSimd.Subtract(shifted, TSimd.Create(Rounder))));
    }

    /// <summary>u · Φ(u), off by 1.6e-7 of |u| or of 1, whichever is more, as libtorch's: see <see cref="Ops.GeluOp"/>.</summary>
    /// <remarks>
    /// max(u, 0) − |u| Φ(−|u|), the latter as |u|/2 − s P(s) / Q(s) with s = u²: the best rational approximation of these degrees up to 5.4, where
    /// in this arithmetic it is 0. It takes half the work of the normal tail below, whose every digit is right; here only the sum counts.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Gelu(TVector u)
    {
        TVector a = TSimd.Min(TSimd.Create(5.39999962f), TSimd.Abs(u)), s = TSimd.Multiply(a, a);
        TVector p = TSimd.MultiplyAdd(TSimd.Create(2.27768948e-8f), s, TSimd.Create(6.49040465e-6f));
        TVector q = TSimd.MultiplyAdd(TSimd.Create(1.20866233e-6f), s, TSimd.Create(7.65105949e-5f));
        p = TSimd.MultiplyAdd(p, s, TSimd.Create(0.000176267029f));
        q = TSimd.MultiplyAdd(q, s, TSimd.Create(0.001925496f));
        p = TSimd.MultiplyAdd(p, s, TSimd.Create(0.00472240473f));
        q = TSimd.MultiplyAdd(q, s, TSimd.Create(0.029027942f));
        p = TSimd.MultiplyAdd(p, s, TSimd.Create(0.0344921483f));
        q = TSimd.MultiplyAdd(q, s, TSimd.Create(0.253123277f));
        p = TSimd.MultiplyAdd(p, s, TSimd.Create(0.398942054f));
        q = TSimd.MultiplyAdd(q, s, TSimd.Create(1f));
        TVector inner = TSimd.Divide(TSimd.Multiply(s, p), q);
        return TSimd.Add(TSimd.Max(u, default), TSimd.MultiplyAdd(a, TSimd.Create(-0.5f), inner));
    }

    /// <summary>The same, and its derivative Φ(u) + u φ(u).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Gelu(TVector u, out TVector slope)
    {
        TVector e = NormalTail(u, out TVector size, out TVector ratio);
        TVector tail = TSimd.Multiply(e, TSimd.MultiplyAdd(TSimd.Create(-0.398942280f), size, ratio));
        slope = TSimd.WhereLess(u, default, tail, TSimd.Subtract(TSimd.Create(1f), tail));
        return TSimd.Subtract(TSimd.Max(u, default), TSimd.Multiply(TSimd.Multiply(size, e), ratio));
    }

    /// <summary>As <see cref="Real.NormalTailInParts"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector NormalTail(TVector u, out TVector size, out TVector ratio)
    {
        TVector a = TSimd.Min(TSimd.Create(14.5f), TSimd.Abs(u));
        TVector p = TSimd.Add(a, TSimd.Create(9.95257568f));
        p = TSimd.MultiplyAdd(p, a, TSimd.Create(45.1520576f));
        p = TSimd.MultiplyAdd(p, a, TSimd.Create(108.546906f));
        p = TSimd.MultiplyAdd(p, a, TSimd.Create(124.637085f));
        TVector q = TSimd.MultiplyAdd(TSimd.Create(2.50659204f), a, TSimd.Create(24.9492702f));
        q = TSimd.MultiplyAdd(q, a, TSimd.Create(115.64444f));
        q = TSimd.MultiplyAdd(q, a, TSimd.Create(297.574768f));
        q = TSimd.MultiplyAdd(q, a, TSimd.Create(415.985901f));
        q = TSimd.MultiplyAdd(q, a, TSimd.Create(249.27417f));
        (size, ratio) = (a, TSimd.Divide(p, q));
        TVector square = TSimd.Multiply(a, a), scale = TSimd.Create(-0.5f * 1.44269502f);
        TVector shifted = TSimd.MultiplyAdd(square, scale, TSimd.Create(Rounder));
        return PowerOfTwo(shifted, TSimd.MultiplyAdd(square, scale, TSimd.Subtract(TSimd.Create(Rounder), shifted)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector PowerOfTwo(TVector shifted, TVector f)
    {
        TVector square = TSimd.Multiply(f, f);
        TVector p = TSimd.MultiplyAdd(TSimd.Create(0.0003070682f * Small), f, TSimd.Create(0.0026798076f * Small));
        TVector middle = TSimd.MultiplyAdd(TSimd.Create(0.0192370899f * Small), f, TSimd.Create(0.111006893f * Small));
        TVector first = TSimd.MultiplyAdd(TSimd.Create(0.480452925f * Small), f, TSimd.Create(1.38629436f * Small));
        p = TSimd.MultiplyAdd(TSimd.MultiplyAdd(p, square, middle), square, first);
        return TSimd.Multiply(TSimd.MultiplyAdd(p, f, TSimd.Create(2f * Small)), TSimd.AsExponent(shifted));
    }
}
