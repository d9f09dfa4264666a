using Dino.Tensors.Io;

namespace Dino.Pictures.DataSets;

/// <summary>What looks wrong with the pictures of a folder, though each of them can be read.</summary>
internal static class FolderRemarks
{
    /// <summary>The remarks, each a line.</summary>
    /// <param name="samples">The pictures.</param>
    /// <param name="several">Whether they are of several sources, which may name the same files.</param>
    public static IEnumerable<string> Of(IReadOnlyList<SourceFile> samples, bool several)
    {
        if (Twice(samples, several) is { } twice)
            yield return twice;
        if (Pairs(samples) is { } pairs)
            yield return pairs;
    }

    /// <summary>Files that are reached by more than one name.</summary>
    private static string? Twice(IReadOnlyList<SourceFile> samples, bool several)
    {
        // Only links, files entered in more than one folder, and those of several sources can be: else nothing is kept.
        if (!several && !samples.Any(file => file.ByLink || file.Status.Names > 1))
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
        string how = several ? "" : ", by links";
        return example is null ? null : $"{count} pictures are there by a second name{how} ({example}): each name counts as a picture";
    }

    /// <summary>Pictures of one name but for the ending, in one folder: copies in two formats.</summary>
    private static string? Pairs(IReadOnlyList<SourceFile> samples)
    {
        var groups = SameStems.Of(samples);
        if (groups.Count == 0)
            return null;
        string first = samples[groups[0][0]].Name, second = samples[groups[0][1]].Name;
        return $"{groups.Sum(group => group.Count - 1)} pictures have the name of another in their folder but for the ending "
            + $"({RawName.Shown(first)} and {RawName.Shown(Path.GetFileName(second))}): if one is a mask or a copy of the other, leave it "
            + $"out with `Exclude` '*{Path.GetExtension(second)}'";
    }
}
