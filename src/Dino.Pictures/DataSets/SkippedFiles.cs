using System.Collections.Concurrent;

namespace Dino.Pictures.DataSets;

/// <summary>The files that gave no picture, each with its reason and reported once. Safe to use from many threads.</summary>
public sealed class SkippedFiles
{
    private readonly ConcurrentDictionary<string, string> reasons = new(StringComparer.Ordinal);
    private readonly Action<string, string>? onSkipped;

    /// <summary>Calls <paramref name="onSkipped"/> (path, reason) at the first report of each file, on the thread that met it.</summary>
    public SkippedFiles(Action<string, string>? onSkipped = null) => this.onSkipped = onSkipped;

    /// <summary>Number of files reported.</summary>
    public int Count => reasons.Count;

    /// <summary>Path and reason of every file, sorted by path.</summary>
    public IReadOnlyList<(string Path, string Reason)> Snapshot() =>
        [.. reasons.Select(entry => (entry.Key, entry.Value)).OrderBy(entry => entry.Key, StringComparer.Ordinal)];

    /// <summary>Notes a file, unless it is known already.</summary>
    public void Report(string path, string reason)
    {
        if (reasons.TryAdd(path, reason))
            onSkipped?.Invoke(path, reason);
    }
}
