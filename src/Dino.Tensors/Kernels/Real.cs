using System.Runtime.CompilerServices;

namespace Dino.Tensors.Kernels;

/// <summary>
/// Elementary functions over <see cref="IReal{T}"/>: the same polynomials on every device, within about two units in the last place.
/// </summary>
/// <remarks>Coefficients are fitted in double precision over the interval that each comment names.</remarks>
internal static class Real
{
    private const float Log2E = 1.44269502f;

    /// <summary>eˣ; below −87 it is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Exp<T>(T x) where T : struct, IReal<T> => T.Exp(x);

    /// <summary><see cref="Exp"/> out of the operations of <typeparamref name="T"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ExpInParts<T>(T x) where T : struct, IReal<T>
    {
        // Rounded limits: the scale of the last n on either side makes 0 or infinity by itself.
        T y = T.Min(T.Max(x, T.Of(-87.3f)), T.Of(89f)), n = Round(y, T.Of(Log2E)), f = T.Fma(y, T.Of(Log2E), -n);
        return T.KeepNaN(x, PowerOfTwo(n, T.Fma(y, T.Of(1.92596303e-8f), f)));
    }

    /// <summary>ln x for positive normal x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Log<T>(T x) where T : struct, IReal<T>
    {
        T e = T.Exponent(x, out T m);
        // ln m = 2 artanh s with s = (m − 1) / (m + 1), |s| ≤ 0.1716.
        T s = (m - T.Of(1f)) / (m + T.Of(1f)), t = s * s;
        T p = T.Of(2f / 9);
        p = T.Fma(p, t, T.Of(2f / 7));
        p = T.Fma(p, t, T.Of(2f / 5));
        p = T.Fma(p, t, T.Of(2f / 3));
        p = T.Fma(p * t, s, s + s);
        return T.KeepNaN(x, T.Fma(e, T.Of(0.693145752f), T.Fma(e, T.Of(1.42860677e-6f), p)));
    }

    /// <summary>
    /// e^(−x²/2), of which the standard normal density is 1/√(2π) and the tail Φ(−|x|) of its distribution function the
    /// <paramref name="ratio"/>. Beyond 13.2 it is 0, and <paramref name="size"/>, otherwise |x|, stays there: infinity times 0 is NaN.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T NormalTail<T>(T x, out T size, out T ratio) where T : struct, IReal<T> => T.NormalTail(x, out size, out ratio);

    /// <summary><see cref="NormalTail"/> out of the operations of <typeparamref name="T"/>.</summary>
    /// <remarks>The ratio is the best rational approximation of these degrees on [0, 13.2], off by 1e-8 of the value.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T NormalTailInParts<T>(T x, out T size, out T ratio) where T : struct, IReal<T>
    {
        T a = T.KeepNaN(x, T.Min(T.Abs(x), T.Of(13.2f)));
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

    /// <summary>2ⁿ⁺ᶠ for whole n in −126 … 128, |f| ≤ ½; 0 for the first, and infinity from 2¹²⁸ on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T PowerOfTwo<T>(T n, T f) where T : struct, IReal<T>
    {
        // Twice 2ᶠ on half the scale, since 2¹²⁸ has no float; in pairs, at half the latency of one chain.
        T square = f * f, p = T.Fma(T.Of(0.0003070682f), f, T.Of(0.0026798076f));
        p = T.Fma(p, square, T.Fma(T.Of(0.0192370899f), f, T.Of(0.111006893f)));
        p = T.Fma(p, square, T.Fma(T.Of(0.480452925f), f, T.Of(1.38629436f)));
        return T.Fma(p, f, T.Of(2f)) * T.Pow2(n - T.Of(1f));
    }
}
