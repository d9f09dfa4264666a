namespace Dino.Pictures.DataSets;

/// <summary>
/// Names as people count them: 2.png before 10.png. Digits that stand together are one number of any length, the rest is compared
/// ordinally.
/// </summary>
internal sealed class NaturalOrder : IComparer<string>
{
    private NaturalOrder()
    {
    }

    /// <summary>The order.</summary>
    public static NaturalOrder Instance { get; } = new();

    /// <summary>Compares two names; of names that count the same (1 and 01) the ordinal order decides.</summary>
    public int Compare(string? x, string? y)
    {
        ReadOnlySpan<char> a = x, b = y;
        while (a.Length > 0 && b.Length > 0)
        {
            if (char.IsAsciiDigit(a[0]) && char.IsAsciiDigit(b[0]))
            {
                var first = TakeNumber(ref a);
                var second = TakeNumber(ref b);
                int difference = first.Length != second.Length ? first.Length.CompareTo(second.Length) : first.SequenceCompareTo(second);
                if (difference != 0)
                    return difference;
            }
            else
            {
                if (a[0] != b[0])
                    return a[0].CompareTo(b[0]);
                a = a[1..];
                b = b[1..];
            }
        }
        return a.Length != b.Length ? a.Length.CompareTo(b.Length) : string.CompareOrdinal(x, y);
    }

    /// <summary>The name with every number written without leading zeros: equal for names that count the same.</summary>
    public static string Canonical(string name) => Rewrite(name, static number => number.ToString());

    /// <summary>
    /// What is wrong with names that are to be taken in this order, one after the other in time; null if they count in one way.
    /// </summary>
    /// <param name="names">Names without endings, in this order.</param>
    public static string? Doubt(IReadOnlyList<string> names)
    {
        for (int i = 1; i < names.Count; i++)
        {
            if (Canonical(names[i - 1]) == Canonical(names[i]))
                return names[i - 1] == names[i] ? $"two are named '{names[i]}'" : $"'{names[i - 1]}' and '{names[i]}' are the same number";
        }
        if (names.Count < 2)
            return null;
        string form = Form(names[0]);
        if (!form.Contains('#', StringComparison.Ordinal))
            return $"'{names[0]}' has no number";
        if (names.FirstOrDefault(name => Form(name) != form) is { } other)
            return $"'{names[0]}' and '{other}' are numbered in different ways";
        // 1.5 and 1.25 are two counters here, and would be decimals to a clock; of equal length both readings agree.
        return names.Select(Fractions).Distinct().Skip(1).Any() ? $"'{names[0]}' … '{names[^1]}' may be counters or decimals" : null;
    }

    private static string Form(string name) => Rewrite(name, static _ => "#");

    private static string Fractions(string name)
    {
        var lengths = new List<int>();
        for (int i = 1; i < name.Length - 1; i++)
        {
            if (name[i] is '.' or ',' && char.IsAsciiDigit(name[i - 1]) && char.IsAsciiDigit(name[i + 1]))
                lengths.Add(name.AsSpan(i + 1).IndexOfAnyExceptInRange('0', '9') is >= 0 and var end ? end : name.Length - i - 1);
        }
        return string.Join(' ', lengths);
    }

    private static string Rewrite(string name, Func<ReadOnlySpan<char>, string> number)
    {
        var text = new System.Text.StringBuilder(name.Length);
        for (ReadOnlySpan<char> rest = name; rest.Length > 0;)
        {
            if (char.IsAsciiDigit(rest[0]))
            {
                text.Append(number(TakeNumber(ref rest)));
            }
            else
            {
                text.Append(rest[0]);
                rest = rest[1..];
            }
        }
        return text.ToString();
    }

    private static ReadOnlySpan<char> TakeNumber(ref ReadOnlySpan<char> text)
    {
        int end = text.IndexOfAnyExceptInRange('0', '9');
        var digits = end < 0 ? text : text[..end];
        text = end < 0 ? [] : text[end..];
        var number = digits.TrimStart('0');
        return number.Length > 0 ? number : digits[^1..];
    }
}
