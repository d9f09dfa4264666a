using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels.Simt;

namespace Dino.Tensors.Kernels;

/// <summary>
/// Elementary functions over <see cref="IReal{T}"/>: the same polynomials on every device, within about two units in the last place.
/// </summary>
/// <remarks>Coefficients are fitted in double precision over the interval that each comment names.</remarks>
public static class Real
{
    private const float Log2E = 1.44269502f;

    // A sum of 2⁻¹⁰⁰ times its size, multiplied by 2ⁿ⁺⁹⁹, is rounded once where 2ⁿ has no normal number.
    private const float Small = 7.88860905e-31f;

    /// <summary>
    /// Where the last power of two in e^ of what is not positive becomes 0, and with it the product: below −104 that is the result anyway,
    /// and a product
    /// that underflows by itself takes a hundred cycles more. Padding, −∞, is met in every row.
    /// </summary>
    internal const float NothingLeft = -156.7f;

    /// <summary>The same for e^ of any number, whose powers of two are two.</summary>
    internal const float NothingLeftOfTwo = -174.9f;

    /// <summary>eˣ: subnormal numbers and 0 below −87.3, infinity above 88.72.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Exp<T>(T x) where T : struct, IReal<T> => T.Exp(x);

    /// <summary><see cref="Exp"/> out of the operations of <typeparamref name="T"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T ExpInParts<T>(T x) where T : struct, IReal<T>
    {
        // Beyond these limits the result is 0 or infinity by itself.
        T y = T.Min(T.Max(x, T.Of(NothingLeftOfTwo)), T.Of(89f)), n = Round(y, T.Of(Log2E)), f = T.Fma(y, T.Of(Log2E), -n);
        T normal = T.Max(n, T.Of(-125f)), p = TwiceTwoTo(T.Fma(y, T.Of(1.92596303e-8f), f));
        return T.KeepNaN(x, p * T.Pow2(normal - T.Of(1f)) * T.Pow2(n - normal));
    }

    /// <summary>eˣ of x ≤ 0 (or rounded to a little more), subnormal numbers and 0 among the results, at less work.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ExpOfNegative<T>(T x) where T : struct, IReal<T> => T.ExpOfNegative(x);

    /// <summary><see cref="ExpOfNegative"/> out of the operations of <typeparamref name="T"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T ExpOfNegativeInParts<T>(T x) where T : struct, IReal<T>
    {
        T y = T.Min(T.Max(x, T.Of(NothingLeft)), T.Of(19f)), n = Round(y, T.Of(Log2E)), f = T.Fma(y, T.Of(Log2E), -n);
        return T.KeepNaN(x, PowerOfTwo(n, T.Fma(y, T.Of(1.92596303e-8f), f)));
    }

    /// <summary>a · b of two floats, rounded by itself: no compiler makes it part of a fused multiply-add.</summary>
    public static float Product(float a, float b) => Intrinsics.Product(a, b);

    /// <summary>ln x: −infinity of 0, NaN below.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Log<T>(T x) where T : struct, IReal<T>
    {
        // 2²³ times a subnormal number is normal.
        T smallest = T.Of(1.17549435e-38f);
        T e = T.Exponent(T.WhereLess(x, smallest, x * T.Of(8388608f), x), out T m) - T.WhereLess(x, smallest, T.Of(23f), T.Of(0f));
        // ln m = 2 artanh s with s = (m − 1) / (m + 1), |s| ≤ 0.1716.
        T s = (m - T.Of(1f)) / (m + T.Of(1f)), t = s * s;
        T p = T.Of(2f / 9);
        p = T.Fma(p, t, T.Of(2f / 7));
        p = T.Fma(p, t, T.Of(2f / 5));
        p = T.Fma(p, t, T.Of(2f / 3));
        p = T.Fma(p * t, s, s + s);
        p = T.Fma(e, T.Of(0.693145752f), T.Fma(e, T.Of(1.42860677e-6f), p));
        p = T.WhereLess(T.Of(float.MaxValue), x, x, p);
        return T.KeepNaN(x, T.WhereLess(T.Of(0f), x, p, T.WhereLess(x, T.Of(0f), T.Of(float.NaN), T.Of(float.NegativeInfinity))));
    }

    /// <summary>
    /// e^(−x²/2), of which the standard normal density is 1/√(2π) and the tail Φ(−|x|) of its distribution function the
    /// <paramref name="ratio"/>. Beyond 14.5 it is 0, and <paramref name="size"/>, otherwise |x|, stays there: infinity times 0 is NaN.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T NormalTail<T>(T x, out T size, out T ratio) where T : struct, IReal<T> => T.NormalTail(x, out size, out ratio);

    /// <summary><see cref="NormalTail"/> out of the operations of <typeparamref name="T"/>.</summary>
    /// <remarks>The ratio is the best rational approximation of these degrees on [0, 13.2], off by 1e-8 of the value; beyond, what it
    /// multiplies is subnormal or 0.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T NormalTailInParts<T>(T x, out T size, out T ratio) where T : struct, IReal<T>
    {
        T a = T.KeepNaN(x, T.Min(T.Abs(x), T.Of(14.5f)));
        T p = a + T.Of(9.95257568f);
        p = T.Fma(p, a, T.Of(45.1520576f));
        p = T.Fma(p, a, T.Of(108.546906f));
        p = T.Fma(p, a, T.Of(124.637085f));
        T q = T.Fma(T.Of(2.50659204f), a, T.Of(24.9492702f));
        q = T.Fma(q, a, T.Of(115.64444f));
        q = T.Fma(q, a, T.Of(297.574768f));
        q = T.Fma(q, a, T.Of(415.985901f));
        q = T.Fma(q, a, T.Of(249.27417f));
        (size, ratio) = (a, p / q);
        T square = a * a, scale = T.Of(-0.5f * Log2E), n = Round(square, scale);
        return PowerOfTwo(n, T.Fma(square, scale, -n));
    }

    /// <summary>The whole number nearest to a · b: adding 1.5 · 2²³ rounds, on every device.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Round<T>(T a, T b) where T : struct, IReal<T> => T.Fma(a, b, T.Of(12582912f)) - T.Of(12582912f);

    /// <summary>2ⁿ⁺ᶠ for whole n in −226 … 28, |f| ≤ ½, in normal and subnormal numbers; 0 for the first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T PowerOfTwo<T>(T n, T f) where T : struct, IReal<T>
    {
        // In pairs, at half the latency of one chain.
        T square = f * f, p = T.Fma(T.Of(0.0003070682f * Small), f, T.Of(0.0026798076f * Small));
        p = T.Fma(p, square, T.Fma(T.Of(0.0192370899f * Small), f, T.Of(0.111006893f * Small)));
        p = T.Fma(p, square, T.Fma(T.Of(0.480452925f * Small), f, T.Of(1.38629436f * Small)));
        return T.Fma(p, f, T.Of(2f * Small)) * T.Pow2(n + T.Of(99f));
    }

    /// <summary>2¹⁺ᶠ for |f| ≤ ½: 2¹²⁸ has no float, half of it has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T TwiceTwoTo<T>(T f) where T : struct, IReal<T>
    {
        T square = f * f, p = T.Fma(T.Of(0.0003070682f), f, T.Of(0.0026798076f));
        p = T.Fma(p, square, T.Fma(T.Of(0.0192370899f), f, T.Of(0.111006893f)));
        p = T.Fma(p, square, T.Fma(T.Of(0.480452925f), f, T.Of(1.38629436f)));
        return T.Fma(p, f, T.Of(2f));
    }
}
