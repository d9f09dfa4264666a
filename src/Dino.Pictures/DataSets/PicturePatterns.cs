using System.IO.Enumeration;

namespace Dino.Pictures.DataSets;

/// <summary>
/// Which files of a folder are meant. In a pattern * stands for any part of a name, ? for one character and ** for any folders; a pattern
/// without / is
/// looked for at every depth, and one that fits a folder stands for all that is in it. Large and small letters are the same.
/// </summary>
/// <param name="include">Files have to match one of these; all do if there are none.</param>
/// <param name="exclude">And none of these.</param>
public sealed class PicturePatterns(IReadOnlyList<string> include, IReadOnlyList<string> exclude)
{
    private readonly string[][] includeParts = [.. include.Select(Parts)], excludeParts = [.. exclude.Select(Parts)];

    /// <summary>Files have to match one of these; all do if there are none.</summary>
    public IReadOnlyList<string> Include { get; } = include;

    /// <summary>Files have to match none of these.</summary>
    public IReadOnlyList<string> Exclude { get; } = exclude;

    /// <summary>Everything.</summary>
    public static PicturePatterns All { get; } = new([], []);

    /// <summary>Whether the patterns leave nothing out.</summary>
    public bool IsAll => includeParts.Length == 0 && excludeParts.Length == 0;

    /// <summary>Whether a file is meant.</summary>
    /// <param name="name">Its path from the folder on, with /.</param>
    public bool Match(string name)
    {
        if (IsAll)
            return true;
        string[] parts = name.Split('/');
        return (includeParts.Length == 0 || includeParts.Any(pattern => Fits(pattern, parts)))
            && !excludeParts.Any(pattern => Fits(pattern, parts));
    }

    private static string[] Parts(string pattern)
    {
        pattern = pattern.Trim();
        if (pattern.StartsWith("./", StringComparison.Ordinal))
            pattern = pattern[2..];
        string[] parts = pattern.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return pattern.TrimEnd('/').Contains('/', StringComparison.Ordinal) ? parts : ["**", .. parts];
    }

    private static bool Fits(ReadOnlySpan<string> pattern, ReadOnlySpan<string> parts)
    {
        if (pattern.Length == 0)
            return true; // what is left of the name lies in a folder that fits
        if (pattern[0] == "**")
        {
            if (pattern.Length == 1)
                return true;
            for (int i = 0; i < parts.Length; i++)
            {
                if (Fits(pattern[1..], parts[i..]))
                    return true;
            }
            return false;
        }
        return parts.Length > 0 && FileSystemName.MatchesSimpleExpression(pattern[0], parts[0]) && Fits(pattern[1..], parts[1..]);
    }
}
