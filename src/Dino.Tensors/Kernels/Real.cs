using System.Runtime.CompilerServices;

namespace Dino.Tensors.Kernels;

/// <summary>
/// Elementary functions over <see cref="IReal{T}"/>: the same polynomials on every device, within about two units in the last place.
/// </summary>
/// <remarks>Coefficients are Chebyshev interpolations made in double precision over the interval that each comment names.</remarks>
internal static class Real
{
    /// <summary>eˣ; below −86.9 it is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Exp<T>(T x) where T : struct, IReal<T> => T.Exp(x);

    /// <summary><see cref="Exp"/> out of the operations of <typeparamref name="T"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ExpInParts<T>(T x) where T : struct, IReal<T>
    {
        T p = ScaledExp(x);
        p = T.WhereLess(x, T.Of(-86.9f), T.Of(0f), p);
        p = T.WhereLess(T.Of(88.7228f), x, T.Of(float.PositiveInfinity), p);
        return T.KeepNaN(x, p);
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
    /// The standard normal distribution Φ(x) = ∫₋∞ˣ φ(t) dt and its density φ(x) = e^(−x²/2) / √(2π). Below −13.15 both are 0.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T NormalDistribution<T>(T x, out T density) where T : struct, IReal<T> => T.NormalDistribution(x, out density);

    /// <summary><see cref="NormalDistribution"/> out of the operations of <typeparamref name="T"/>.</summary>
    /// <remarks>
    /// Φ(−a) = e^(−a²/2) · p(a) / q(a) for a ≥ 0, so that the tail keeps its relative precision and the density costs one multiplication.
    /// p / q is the best rational approximation of these degrees to e^(a²/2) · Φ(−a) on [0, 13.2]; it is off by 1e-8 of the value.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T NormalDistributionInParts<T>(T x, out T density) where T : struct, IReal<T>
    {
        T end = T.Of(13.15f), size = T.Abs(x), a = T.KeepNaN(x, T.Min(size, end));
        T e = T.WhereLess(end, size, T.Of(0f), ScaledExp(T.Of(-0.5f) * a * a));
        density = T.Of(0.398942280f) * e;
        T p = a + T.Of(9.95257568f);
        p = T.Fma(p, a, T.Of(45.1520576f));
        p = T.Fma(p, a, T.Of(108.546906f));
        p = T.Fma(p, a, T.Of(124.637085f));
        T q = T.Fma(T.Of(2.50659204f), a, T.Of(24.9492702f));
        q = T.Fma(q, a, T.Of(115.64444f));
        q = T.Fma(q, a, T.Of(297.574768f));
        q = T.Fma(q, a, T.Of(415.985901f));
        q = T.Fma(q, a, T.Of(249.27417f));
        T tail = e * (p / q);
        return T.WhereLess(x, T.Of(0f), tail, T.Of(1f) - tail);
    }

    /// <summary>eˣ for x in −86.9 … 88.7228, anything otherwise.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T ScaledExp<T>(T x) where T : struct, IReal<T>
    {
        // Adding 1.5 · 2²³ rounds to the nearest whole number on every device. The last one, 128, meets p < 1: no overflow.
        T n = T.Fma(x, T.Of(1.44269504f), T.Of(12582912f)) - T.Of(12582912f);
        T r = T.Fma(n, T.Of(-0.693145752f), x);
        r = T.Fma(n, T.Of(-1.42860677e-6f), r);
        T square = r * r; // in pairs: half the latency of one chain
        T p = T.Fma(T.Of(0.00139411087f), r, T.Of(0.00837512640f)); // |r| ≤ ln 2 / 2
        p = T.Fma(p, square, T.Fma(T.Of(0.0416663529f), r, T.Of(0.166664155f)));
        p = T.Fma(p, square, T.Fma(T.Of(0.500000005f), r, T.Of(1.00000004f)));
        return T.ScaleByPowerOfTwo(T.Fma(p, r, T.Of(1f)), n);
    }
}
