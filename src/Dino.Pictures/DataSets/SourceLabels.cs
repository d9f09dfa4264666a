namespace Dino.Pictures.DataSets;

/// <summary>Names by which several sources are told apart: as much of the end of their paths as it takes.</summary>
internal static class SourceLabels
{
    /// <summary>What the names of each source's files begin with, with / at its end; empty where there is only one source.</summary>
    public static string[] Of(IReadOnlyList<FileSource> sources)
    {
        if (sources.Count < 2)
            return [.. sources.Select(_ => "")];
        string[][] parts = [.. sources.Select(source =>
            source.Path.Split(['/', Path.DirectorySeparatorChar], StringSplitOptions.RemoveEmptyEntries))];
        int[] taken = [.. parts.Select(part => Math.Min(1, part.Length))];
        while (true)
        {
            string[] labels = [.. parts.Select((part, i) => string.Join('/', part[^taken[i]..]))];
            int[] same = [.. labels.Select((label, i) => (label, i)).GroupBy(entry => entry.label, StringComparer.Ordinal)
                .Where(group => group.Count() > 1).SelectMany(group => group).Select(entry => entry.i)
                .Where(i => taken[i] < parts[i].Length)];
            if (same.Length == 0)
                return [.. labels.Select(label => label + "/")];
            foreach (int i in same)
                taken[i]++;
        }
    }
}
