namespace Dino.Pictures.DataSets;

/// <summary>Files of one name but for the ending, in one folder.</summary>
internal static class SameStems
{
    /// <summary>Their numbers, those of one name together, in ordinal order of names.</summary>
    public static List<List<int>> Of(IReadOnlyList<SourceFile> files)
    {
        // In ordinal order all names that begin with "x." stand together; of those the ones named "x" but for the ending are wanted.
        var open = new Stack<(int First, List<int>? Group)>();
        var groups = new List<List<int>>();
        foreach (int file in Sorted(files))
        {
            string name = files[file].Name;
            while (open.TryPeek(out var top) && !Continues(name, Stem(files[top.First].Name)))
                open.Pop();
            if (!open.TryPeek(out var other) || !Stem(files[other.First].Name).SequenceEqual(Stem(name)))
            {
                open.Push((file, null));
                continue;
            }
            if (other.Group is { } group)
            {
                group.Add(file);
                continue;
            }
            open.Pop();
            groups.Add([other.First, file]);
            open.Push((other.First, groups[^1]));
        }
        return groups;
    }

    private static IEnumerable<int> Sorted(IReadOnlyList<SourceFile> files)
    {
        var numbers = Enumerable.Range(0, files.Count);
        for (int i = 1; i < files.Count; i++)
        {
            if (string.CompareOrdinal(files[i - 1].Name, files[i].Name) > 0)
                return numbers.OrderBy(file => files[file].Name, StringComparer.Ordinal);
        }
        return numbers;
    }

    private static bool Continues(ReadOnlySpan<char> name, ReadOnlySpan<char> stem) =>
        name.StartsWith(stem) && name[stem.Length..].StartsWith(".");

    private static ReadOnlySpan<char> Stem(string name) => name.AsSpan(0, name.Length - Path.GetExtension(name.AsSpan()).Length);
}
