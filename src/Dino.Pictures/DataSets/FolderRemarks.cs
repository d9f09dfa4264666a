using Dino.Tensors.Io;

namespace Dino.Pictures.DataSets;

/// <summary>What looks wrong with the pictures of a folder, though each of them can be read.</summary>
internal static class FolderRemarks
{
    /// <summary>The remarks, each a line.</summary>
    /// <param name="samples">The pictures, in ordinal order of their names.</param>
    public static IEnumerable<string> Of(IReadOnlyList<FolderEntry> samples)
    {
        if (Twice(samples) is { } twice)
            yield return twice;
        if (Pairs(samples) is { } pairs)
            yield return pairs;
    }

    /// <summary>Files that are reached by more than one name.</summary>
    private static string? Twice(IReadOnlyList<FolderEntry> samples)
    {
        // Only links and files entered in more than one folder can be: nothing is kept for folders without such.
        if (!samples.Any(file => file.ByLink || file.Status.Names > 1))
            return null;
        var first = new Dictionary<(ulong, ulong), string>();
        int count = 0;
        string? example = null;
        foreach (var file in samples)
        {
            if (file.Status.Number == 0 || first.TryAdd((file.Status.Volume, file.Status.Number), file.Name))
                continue;
            count++;
            example ??= $"{RawName.Shown(first[(file.Status.Volume, file.Status.Number)])} and {RawName.Shown(file.Name)} are one file";
        }
        return example is null ? null : $"{count} pictures are there by a second name, by links ({example}): each name counts as a picture";
    }

    /// <summary>Pictures of one name but for the ending, in one folder: masks are kept so.</summary>
    private static string? Pairs(IReadOnlyList<FolderEntry> samples)
    {
        // In ordinal order all names that begin with "x." stand together; of those the ones named "x" but for the ending are wanted.
        var open = new Stack<string>();
        int count = 0;
        string? example = null;
        foreach (var file in samples)
        {
            while (open.TryPeek(out string? top) && !Continues(file.Name, Stem(top)))
                open.Pop();
            if (!open.TryPeek(out string? other) || !Stem(other).SequenceEqual(Stem(file.Name)))
            {
                open.Push(file.Name);
                continue;
            }
            count++;
            string ending = Path.GetExtension(file.Name);
            example ??= $"({RawName.Shown(other)} and {RawName.Shown(Path.GetFileName(file.Name))}): "
                + $"if one is a mask or a copy of the other, leave it out with `Exclude` '*{ending}'";
        }
        return example is null ? null : $"{count} pictures have the name of another in their folder but for the ending {example}";
    }

    private static bool Continues(ReadOnlySpan<char> name, ReadOnlySpan<char> stem) =>
        name.StartsWith(stem) && name[stem.Length..].StartsWith(".");

    private static ReadOnlySpan<char> Stem(string name) => name.AsSpan(0, name.Length - Path.GetExtension(name.AsSpan()).Length);
}
