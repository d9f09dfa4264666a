using System.Globalization;

namespace Dino.Pictures.DataSets;

/// <summary>
/// Many names in one, as shells and WebDataset have it: <c>train-{000..009}.tar</c> is ten, <c>{train,val}.zip</c> two.
/// </summary>
internal static class BraceNotation
{
    private const int Most = 100_000;

    /// <summary>The names that one stands for, in order; null where it holds no braces of this kind.</summary>
    /// <exception cref="ImageFolderException">They are more than can be meant.</exception>
    public static IReadOnlyList<string>? Expand(string name)
    {
        var names = new List<string> { "" };
        int at = 0;
        bool any = false;
        while (at < name.Length)
        {
            int open = name.IndexOf('{', at), close = open < 0 ? -1 : name.IndexOf('}', open);
            if (close < 0)
                break;
            var choices = Choices(name[(open + 1)..close]);
            string before = name[at..(choices is null ? close + 1 : open)];
            any |= choices is not null;
            choices ??= [""];
            if ((long)names.Count * choices.Length > Most)
                throw TooMany(name);
            names = [.. names.SelectMany(start => choices.Select(choice => start + before + choice))];
            at = close + 1;
        }
        return any ? [.. names.Select(start => start + name[at..])] : null;
    }

    private static string[]? Choices(string inside)
    {
        if (inside.Contains(',', StringComparison.Ordinal))
            return inside.Split(',');
        string[] ends = inside.Split("..");
        if (ends.Length is not (2 or 3) || !ends.All(end => end.Length is > 0 and < 19 && end.All(char.IsAsciiDigit)))
            return null;
        long first = Number(ends[0]), last = Number(ends[1]), step = ends.Length == 3 ? Math.Max(1, Number(ends[2])) : 1;
        long count = Math.Abs(last - first) / step + 1;
        if (count > Most)
            throw TooMany($"{{{inside}}}");
        // Zeros in front of one of them are meant for all.
        bool isPadded = ends[..2].Any(end => end.Length > 1 && end[0] == '0');
        string form = isPadded ? "D" + Math.Max(ends[0].Length, ends[1].Length) : "D";
        return [.. Enumerable.Range(0, (int)count).Select(i =>
            (first + (last < first ? -i : i) * step).ToString(form, CultureInfo.InvariantCulture))];
    }

    private static long Number(string digits) => long.Parse(digits, CultureInfo.InvariantCulture);

    private static ImageFolderException TooMany(string name) => new($"'{name}' stands for more than {Most} names.");
}
