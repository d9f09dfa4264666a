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
        T clamped = T.Min(T.Max(x, T.Of(-86.9f)), T.Of(88.7228f));
        T p = ExpRemainder(clamped, out T n);
        // Half the scale, twice: 2¹²⁸ has no float.
        p = p * T.Pow2(n - T.Of(1f)) * T.Of(2f);
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

    /// <summary>erf x = 2/√π ∫₀ˣ e^(−t²) dt.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Erf<T>(T x) where T : struct, IReal<T> => T.Erf(x);

    /// <summary><see cref="Erf"/> out of the operations of <typeparamref name="T"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T ErfInParts<T>(T x) where T : struct, IReal<T>
    {
        T a = T.Min(T.Abs(x), T.Of(4f)), t = a * a; // beyond 3.92 the nearest float is ±1
        T small = T.Of(7.87587545e-5f); // erf x / x over x² in [0, 1]
        small = T.Fma(small, t, T.Of(-0.000801686441f));
        small = T.Fma(small, t, T.Of(0.00518908744f));
        small = T.Fma(small, t, T.Of(-0.0268542120f));
        small = T.Fma(small, t, T.Of(0.112835947f));
        small = T.Fma(small, t, T.Of(-0.376126267f));
        small = T.Fma(small, t, T.Of(1.12837917f)) * a;
        T large = T.Of(-1.63714691e-6f); // −ln erfc x over [1, 4]
        large = T.Fma(large, a, T.Of(4.60580438e-5f));
        large = T.Fma(large, a, T.Of(-0.000596805635f));
        large = T.Fma(large, a, T.Of(0.00475959634f));
        large = T.Fma(large, a, T.Of(-0.0264211361f));
        large = T.Fma(large, a, T.Of(0.110080083f));
        large = T.Fma(large, a, T.Of(0.631826051f));
        large = T.Fma(large, a, T.Of(1.13023343f));
        large = T.Fma(large, a, T.Of(-0.000320138082f));
        large = T.Of(1f) - ExpRemainder(-large, out T n) * T.Pow2(n); // −large lies in [−17, 0.001], far inside the range of floats
        return T.KeepNaN(x, T.CopySign(T.WhereLess(a, T.Of(1f), small, large), x));
    }

    /// <summary>The standard normal density φ(x) = e^(−x²/2) / √(2π).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T NormalDensity<T>(T x) where T : struct, IReal<T> => T.Of(0.398942280f) * Exp(T.Of(-0.5f) * x * x);

    /// <summary>eˣ = 2ⁿ · what is returned, in [√½, √2].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T ExpRemainder<T>(T x, out T n) where T : struct, IReal<T>
    {
        // Adding 1.5 · 2²³ rounds to the nearest whole number on every device.
        n = T.Fma(x, T.Of(1.44269504f), T.Of(12582912f)) - T.Of(12582912f);
        T r = T.Fma(n, T.Of(-0.693145752f), x);
        r = T.Fma(n, T.Of(-1.42860677e-6f), r);
        T p = T.Of(0.00139411087f); // |r| ≤ ln 2 / 2
        p = T.Fma(p, r, T.Of(0.00837512640f));
        p = T.Fma(p, r, T.Of(0.0416663529f));
        p = T.Fma(p, r, T.Of(0.166664155f));
        p = T.Fma(p, r, T.Of(0.500000005f));
        p = T.Fma(p, r, T.Of(1.00000004f));
        return T.Fma(p, r, T.Of(1f));
    }
}
