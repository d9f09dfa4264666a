using System.Runtime.InteropServices;

namespace Dino.Train.Evaluation.Features;

/// <summary>
/// Rows of features in a file of their own that ends with the object: they may be more than memory holds, and what fits stays in the
/// system's cache.
/// </summary>
internal sealed class FeatureStore : IDisposable
{
    private readonly List<int> labels = [];
    private readonly FileStream file;

    /// <summary>An empty store of rows of <paramref name="dim"/> numbers.</summary>
    /// <param name="dim">The length of a row.</param>
    /// <param name="folder">Where the file is; null for the system's folder of temporary files.</param>
    public FeatureStore(int dim, string? folder = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(dim);
        Dim = dim;
        string path = Path.Combine(folder ?? Path.GetTempPath(), $"dino-features-{Guid.NewGuid():N}");
        file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
        if (!OperatingSystem.IsWindows())
            File.Delete(path); // without a name it goes with the process, even with one that is killed
    }

    /// <summary>The length of a row.</summary>
    public int Dim { get; }

    /// <summary>The number of rows.</summary>
    public int Count => labels.Count;

    /// <summary>The class of each row.</summary>
    public IReadOnlyList<int> Labels => labels;

    /// <summary>Adds a row for each label.</summary>
    public void Append(ReadOnlySpan<float> rows, ReadOnlySpan<int> classes)
    {
        if (rows.Length != classes.Length * Dim)
            throw new ArgumentException($"{rows.Length} values are not {Dim} for each of {classes.Length} labels.", nameof(rows));
        RandomAccess.Write(file.SafeFileHandle, MemoryMarshal.AsBytes(rows), (long)Count * Dim * sizeof(float));
        labels.AddRange(classes);
    }

    /// <summary>Reads one row.</summary>
    public void Read(int row, Span<float> destination) => Read(row, 1, destination);

    /// <summary>Reads successive rows.</summary>
    public void Read(int first, int count, Span<float> destination)
    {
        if (first < 0 || count < 0 || first > Count - count)
            throw new ArgumentOutOfRangeException(nameof(first), $"Rows {first} … {first + count - 1} are not among {Count}.");
        var bytes = MemoryMarshal.AsBytes(destination[..(count * Dim)]);
        long at = (long)first * Dim * sizeof(float);
        while (bytes.Length > 0)
        {
            int read = RandomAccess.Read(file.SafeFileHandle, bytes, at);
            if (read == 0)
                throw new IOException($"{file.Name} became shorter while it was read.");
            bytes = bytes[read..];
            at += read;
        }
    }

    /// <summary>Closes and deletes the file.</summary>
    public void Dispose() => file.Dispose();
}
