using System.Globalization;

namespace Dino.Tensors;

/// <summary>
/// Floats as words of one width, by NumPy's rules: with exponents where some are very large, very small, or far from each other.
/// </summary>
internal static class FloatText
{
    private const int MostDecimals = 8;

    public static string[] Of(IReadOnlyList<float> values)
    {
        float[] finite = [.. values.Where(float.IsFinite)];
        double[] sizes = [.. finite.Where(value => value != 0).Select(value => Math.Abs((double)value))];
        bool withExponent = sizes.Length > 0 && (sizes.Max() >= 1e8 || sizes.Min() < 1e-4 || sizes.Max() / sizes.Min() > 1000);
        return withExponent ? WithExponent(values, finite) : Plain(values, finite);
    }

    private static string[] Plain(IReadOnlyList<float> values, float[] finite)
    {
        // Before the point and after it.
        (string Whole, string Fraction)[] parts = [.. finite.Select(Split)];
        int left = parts.Select(p => p.Whole.Length).DefaultIfEmpty().Max(),
            right = parts.Select(p => p.Fraction.Length).DefaultIfEmpty().Max();
        left = Math.Max(left, WidthOfNonFinite(values) - right - 1);
        return [.. values.Select(value => float.IsFinite(value) && Split(value) is var (whole, fraction)
            ? $"{whole.PadLeft(left)}.{fraction.PadRight(right)}"
            : NonFinite(value).PadLeft(left + 1 + right))];

        static (string Whole, string Fraction) Split(float value)
        {
            decimal rounded = Math.Round(decimal.Parse(Shortest(value), NumberStyles.Float, CultureInfo.InvariantCulture), MostDecimals);
            string[] parts = rounded.ToString("0.########", CultureInfo.InvariantCulture).Split('.');
            return ((value == 0 && float.IsNegative(value) ? "-" : "") + parts[0], parts.Length > 1 ? parts[1] : "");
        }
    }

    private static string[] WithExponent(IReadOnlyList<float> values, float[] finite)
    {
        (string Sign, string Digits, int Exponent)[] parts = [.. finite.Select(Split)];
        int left = parts.Max(p => p.Sign.Length + 1), decimals = parts.Max(p => p.Digits.Length - 1);
        int exponentDigits = Math.Max(2, parts.Max(p => Math.Abs(p.Exponent).ToString(CultureInfo.InvariantCulture).Length));
        int right = decimals + 2 + exponentDigits;
        left = Math.Max(left, WidthOfNonFinite(values) - right - 1);
        return [.. values.Select(value => float.IsFinite(value) ? Word(value) : NonFinite(value).PadLeft(left + 1 + right))];

        string Word(float value)
        {
            var (sign, digits, exponent) = Split(value);
            string size = Math.Abs(exponent).ToString(CultureInfo.InvariantCulture).PadLeft(exponentDigits, '0');
            return $"{(sign + digits[0]).PadLeft(left)}.{digits[1..].PadRight(decimals, '0')}e{(exponent < 0 ? '-' : '+')}{size}";
        }

        // ±d.ddd · 10ᵉ
        static (string Sign, string Digits, int Exponent) Split(float value)
        {
            string sign = float.IsNegative(value) ? "-" : "";
            string[] halves = Shortest(Math.Abs(value)).Split('E');
            string number = halves[0];
            int exponent = halves.Length > 1 ? int.Parse(halves[1], CultureInfo.InvariantCulture) : 0;
            int first = number.AsSpan().IndexOfAnyExcept('0', '.'), point = number.IndexOf('.', StringComparison.Ordinal);
            if (first < 0)
                return (sign, "0", 0);
            if (point < 0)
                point = number.Length;
            string digits = number.Replace(".", "", StringComparison.Ordinal).Trim('0');
            return (sign, digits, exponent + point - first - (first < point ? 1 : 0));
        }
    }

    /// <summary>The fewest digits that are read as this float.</summary>
    private static string Shortest(float value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static string NonFinite(float value) => float.IsNaN(value) ? "nan" : value < 0 ? "-inf" : "inf";

    private static int WidthOfNonFinite(IReadOnlyList<float> values) =>
        values.All(float.IsFinite) ? 0 : values.Any(float.IsNegativeInfinity) ? 4 : 3;
}
