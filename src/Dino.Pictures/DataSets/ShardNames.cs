namespace Dino.Pictures.DataSets;

/// <summary>How a person can name many archives of one folder.</summary>
internal static class ShardNames
{
    /// <summary>Their names in one, with braces, where they are numbered without a gap; else the first of them.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="names">Their names in it.</param>
    public static string Of(string folder, IReadOnlyList<string> names)
    {
        string[] sorted = [.. names.Order(StringComparer.Ordinal)];
        string first = sorted[0], last = sorted[^1];
        int start = 0, end = 0;
        while (start < first.Length && start < last.Length && first[start] == last[start])
            start++;
        while (start > 0 && char.IsAsciiDigit(first[start - 1]))
            start--;
        while (end < first.Length - start && end < last.Length - start && !char.IsAsciiDigit(first[^(end + 1)])
            && first[^(end + 1)] == last[^(end + 1)])
            end++;
        string inOne = $"{first[..start]}{{{first[start..^end]}..{last[start..^end]}}}{first[^end..]}";
        return sorted.Length > 1 && BraceNotation.Expand(inOne) is { } all && all.Order(StringComparer.Ordinal).SequenceEqual(sorted)
            ? $"'{Path.Combine(folder, inOne)}'"
            : string.Join(", ", sorted.Take(2).Select(name => $"'{Path.Combine(folder, name)}'")) + (sorted.Length > 2 ? ", …" : "");
    }
}
