using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Dino.Cli.Arguments;

/// <summary>
/// Numbers as they are typed, by one rule for every option: digits 0 to 9, for a real number a point and an exponent too (0.0005, 5e-4,
/// .5), a sign
/// before them or none. A comma, a space or _ between digits, other digits, hexadecimal numbers, NaN and infinity are refused, and so is
/// what the type has no room for: a number that is read otherwise than it was meant trains another network without a word.
/// </summary>
internal static partial class NumberWord
{
    /// <summary>What is wrong with a word as a number, to follow the option's name, and how to write it; null when nothing is.</summary>
    /// <param name="word">The word.</param>
    /// <param name="type">The number's type.</param>
    /// <param name="isList">Whether several numbers may stand there.</param>
    public static string? Fault(string word, Type type, bool isList = false)
    {
        bool whole = type != typeof(double) && type != typeof(float);
        string what = whole ? "a whole number" : "a number";
        if (!(whole ? Whole() : Real()).IsMatch(word))
        {
            string[] parts = isList ? word.Split(',', ';') : [];
            // 10,200 for several numbers is two of them; 0,5 is a half.
            if (parts.Length > 1 && parts.All((whole ? Whole() : Real()).IsMatch)
                && (whole || word.Contains('.', StringComparison.Ordinal) || parts.Length > 2))
                return $"needs {what}, not '{word}': write {string.Join(' ', parts)}, with spaces between several.";
            string[] likely = [.. Likely(word, whole).Distinct()];
            string hint = likely.Length > 0 ? $": write {string.Join(" or ", likely)}"
                : word.Any(char.IsDigit) || IsNotFinite(word) ? $": write one like {(whole ? "10" : "0.0005")}" : "";
            if (isList && word.Contains(',', StringComparison.Ordinal))
                hint += $"{(hint.Length > 0 ? "," : ":")} and several with spaces between them";
            return $"needs {what}, not '{word}'{hint}.";
        }
        if (Fits(word, type))
            return null;
        if (word[0] == '-' && (type == typeof(ulong) || type == typeof(uint)))
            return $"needs a whole number of at least 0, not '{word}': write it without the sign.";
        return whole
            ? $"needs {what}, not '{word}', which is out of range: write one between {Bound(type, "MinValue")} and {Bound(
                type, "MaxValue")}."
            : $"needs {what}, not '{word}', which is too {(IsTiny(word) ? "small" : "large")} for one: write one like 0.0005.";
    }

    /// <summary>Whether a type holds numbers.</summary>
    public static bool IsNumber(Type type) => Type.GetTypeCode(type) is >= TypeCode.SByte and <= TypeCode.Decimal && !type.IsEnum;

    private static bool Fits(string word, Type type)
    {
        try
        {
            object value = Convert.ChangeType(word, type, CultureInfo.InvariantCulture);
            double real = Convert.ToDouble(value, CultureInfo.InvariantCulture);
            return double.IsFinite(real) && (real != 0 || !HasValue(word));
        }
        catch (OverflowException)
        {
            return false;
        }
    }

    /// <summary>Whether a digit before the exponent is not 0.</summary>
    private static bool HasValue(string word) => word.Split('e', 'E')[0].Any(c => c is >= '1' and <= '9');

    private static bool IsTiny(string word) => double.Parse(word, CultureInfo.InvariantCulture) is > -1 and < 1;

    private static string Bound(Type type, string name) =>
        Convert.ToString(type.GetField(name)!.GetValue(null), CultureInfo.InvariantCulture)!;

    private static bool IsNotFinite(string word) =>
        word.Contains('∞', StringComparison.Ordinal)
            || word.TrimStart('+', '-').ToLowerInvariant() is "nan" or "inf" or "infinity" or "1.#inf" or "1.#nan";

    /// <summary>The numbers that the word may stand for, as they are to be written.</summary>
    private static IEnumerable<string> Likely(string word, bool whole)
    {
        string plain = Plain(word);
        var candidates = new List<string>();
        int comma = plain.LastIndexOf(','), point = plain.LastIndexOf('.');
        if (comma >= 0 && point >= 0)
        {
            // The last of the two parts the fraction off, the other one groups.
            (char group, char mark) = comma > point ? ('.', ',') : (',', '.');
            if (AreGroups(plain[..Math.Max(comma, point)].TrimStart('+', '-').Split(group)))
                candidates.Add(plain.Replace(group.ToString(), "", StringComparison.Ordinal).Replace(mark, '.'));
        }
        else if (comma >= 0 || plain.Count(c => c == '.') > 1)
        {
            char mark = comma >= 0 ? ',' : '.';
            string together = plain.Replace(mark.ToString(), "", StringComparison.Ordinal);
            string[] groups = plain.TrimStart('+', '-').Split(mark);
            bool grouped = AreGroups(groups);
            if (groups.Length == 2 && !(whole && grouped))
                candidates.Add(plain.Replace(mark, '.'));
            if (grouped)
                candidates.Add(together);
        }
        else
        {
            candidates.Add(plain);
        }
        foreach (string candidate in candidates)
        {
            if (!Real().IsMatch(candidate) || !double.IsFinite(double.Parse(candidate, CultureInfo.InvariantCulture)))
                continue;
            if (!whole)
                yield return candidate;
            else if (double.Parse(candidate, CultureInfo.InvariantCulture) is var value && Math.Abs(value) < 1e15
                && Math.Floor(value) == value)
                yield return value.ToString("F0", CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Whether the parts of a number are three digits each, the first one to three.</summary>
    private static bool AreGroups(string[] parts) =>
        parts[0].Length is >= 1 and <= 3 && parts[0][0] != '0' && parts.All(part => part.All(char.IsAsciiDigit))
            && parts.Skip(1).All(part => part.Length == 3);

    /// <summary>The word with ASCII's digits and minus, without what may stand between digits.</summary>
    private static string Plain(string word)
    {
        var plain = new StringBuilder();
        foreach (char c in word.Trim())
        {
            if (c is '_' or '\'' or '’' || char.IsWhiteSpace(c))
                continue;
            if (char.IsDigit(c))
                plain.Append((char)('0' + CharUnicodeInfo.GetDecimalDigitValue(c)));
            else
                plain.Append(c switch { '−' or '–' or '-' => '-', '，' or '、' or '٫' => ',', '．' => '.', _ => c });
        }
        return plain.ToString();
    }

    [GeneratedRegex(@"\A[+-]?[0-9]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex Whole();

    [GeneratedRegex(@"\A[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Real();
}
