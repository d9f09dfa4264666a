using System.Numerics;
using NUnit.Framework;

namespace Dino.Testing;

/// <summary>How far a value may be from the expected one: |actual − expected| ≤ Absolute + Relative · |expected|.</summary>
public readonly record struct Tolerance(double Absolute, double Relative)
{
    /// <summary>Equal values (0 and −0 count as equal).</summary>
    public static readonly Tolerance Exact = new(0, 0);

    /// <summary>Float32 with another order of summation: what executors of the same formula may differ by.</summary>
    public static readonly Tolerance Balanced = new(1e-5, 1e-4);

    /// <summary>Approximate hardware functions, or differences of float32 values such as finite differences.</summary>
    public static readonly Tolerance Loose = new(1e-3, 1e-2);

    /// <summary>A gradient in float32 against five-point differences of float32 outputs.</summary>
    public static readonly Tolerance Gradient = new(2e-4, 2e-3);

    /// <summary>Fails the test unless all values agree; the message names the worst element and how many are out.</summary>
    public void Check<T>(ReadOnlySpan<T> actual, ReadOnlySpan<T> expected, string what) where T : struct, INumber<T>
    {
        if (Differences(actual, expected, what, ignored: default, allowedFraction: 0) is { } message)
            Assert.Fail(message);
    }

    /// <summary>What is wrong, or null; elements in <paramref name="ignored"/> are not compared, a share may be out.</summary>
    internal string? Differences<T>(
        ReadOnlySpan<T> actual, ReadOnlySpan<T> expected, string what, Range? ignored, double allowedFraction)
        where T : struct, INumber<T>
    {
        if (actual.Length != expected.Length)
            return $"{what}: {actual.Length} values, expected {expected.Length}.";
        (int skip, int skipped) = ignored?.GetOffsetAndLength(expected.Length) ?? (0, 0);
        int outside = 0, worst = -1;
        double worstExcess = double.NegativeInfinity;
        for (int i = 0; i < expected.Length; i++)
        {
            if (i >= skip && i < skip + skipped)
                continue;
            double e = double.CreateChecked(expected[i]), a = double.CreateChecked(actual[i]);
            double excess = a.Equals(e) ? 0 : Math.Abs(a - e) - (Absolute + Relative * Math.Abs(e));
            if (excess <= 0)
                continue;
            outside++; // also when the excess is not a number
            if (worst < 0 || double.IsNaN(excess) || excess > worstExcess)
                (worst, worstExcess) = (i, double.IsNaN(excess) ? double.PositiveInfinity : excess);
        }
        return outside <= allowedFraction * (expected.Length - skipped)
            ? null
            : $"{what}: {outside} of {expected.Length - skipped} values are out of tolerance (absolute {Absolute:g3}, relative "
                + $"{Relative:g3}, "
                + $"{allowedFraction:p2} may be). Worst at [{worst}]: {actual[worst]:g9}, expected {expected[worst]:g9}.";
    }
}
