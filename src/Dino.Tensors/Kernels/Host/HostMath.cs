using System.Runtime.CompilerServices;

namespace Dino.Tensors.Kernels.Host;

/// <summary>Powers of two, and with them the tail of the normal distribution, over vectors, to a few units in the last place.</summary>
internal static class HostMath<TVector, TSimd>
    where TVector : struct
    where TSimd : struct, ISimd<TVector>
{
    // 1.5 · 2²³ rounds what it is added to; with 226 more, the lowest bits of the sum are the exponent bits of 2ⁿ⁺⁹⁹, and the rest of the
    // product is made 2⁻¹⁰⁰ times as large: it is rounded once where the result is subnormal.
    private const float Rounder = 12582912f + 226f, Small = 7.88860905e-31f;

    /// <summary>
    /// 2ˣ of x ≤ 0 (or rounded to a little more) with a relative error near 1e-7: subnormal numbers below −126, 0 below −150.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector PowerOfTwo(TVector x)
    {
        // The second operand comes out where one is NaN. At −226 the power of two is 0, as in Real.NothingLeft.
        TVector y = TSimd.Max(TSimd.Create(-226f), x), shifted = TSimd.Add(y, TSimd.Create(Rounder));
        return PowerOfTwo(shifted, TSimd.Subtract(y, TSimd.Subtract(shifted, TSimd.Create(Rounder))));
    }

    /// <summary>
    /// e^(−a²/2) of a in 0 … 14.5, of which Φ(−a) is the p / q-th part: <see cref="Real.NormalTailInParts"/>, to the same bits.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector NormalTail(TVector a, out TVector p, out TVector q)
    {
        p = TSimd.Add(a, TSimd.Create(9.95257568f));
        p = TSimd.MultiplyAdd(p, a, TSimd.Create(45.1520576f));
        p = TSimd.MultiplyAdd(p, a, TSimd.Create(108.546906f));
        p = TSimd.MultiplyAdd(p, a, TSimd.Create(124.637085f));
        q = TSimd.MultiplyAdd(TSimd.Create(2.50659204f), a, TSimd.Create(24.9492702f));
        q = TSimd.MultiplyAdd(q, a, TSimd.Create(115.64444f));
        q = TSimd.MultiplyAdd(q, a, TSimd.Create(297.574768f));
        q = TSimd.MultiplyAdd(q, a, TSimd.Create(415.985901f));
        q = TSimd.MultiplyAdd(q, a, TSimd.Create(249.27417f));
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
