using System.Text.Json;
using Dino.Tensors.Io;

namespace Dino.Pictures.DataSets;

/// <summary>
/// A database of pictures and queries with right answers, in the layout of the revisited Oxford and Paris sets: a folder <c>jpg</c> and a
/// ground-truth file.
/// </summary>
/// <param name="Images">Paths of the database's pictures.</param>
/// <param name="QueryImages">Paths of the queries' pictures.</param>
/// <param name="Queries">What is right for each query.</param>
public sealed record RetrievalSet(IReadOnlyList<string> Images, IReadOnlyList<string> QueryImages, IReadOnlyList<RetrievalQuery> Queries)
{
    private static readonly JsonSerializerOptions json = new() { PropertyNameCaseInsensitive = true };

    /// <summary>
    /// Opens a set. The ground truth is the official file, or the JSON of its content: <c>imlist</c>, <c>qimlist</c> (names without
    /// extension) and
    /// <c>gnd</c>, a list of <c>easy</c>, <c>hard</c>, <c>junk</c> and <c>bbx</c>.
    /// </summary>
    /// <param name="root">The folder that holds <c>jpg</c>.</param>
    /// <param name="groundTruth">The file, or null for the only <c>gnd_*.json</c>, or else <c>gnd_*.pkl</c>, of the folder.</param>
    /// <exception cref="ImageFolderException">Something is missing or cannot be.</exception>
    public static RetrievalSet Open(string root, string? groundTruth)
    {
        if (FileStatus.Of(root).Kind != FileKind.Folder)
            throw new ImageFolderException($"There is no folder {RawName.Shown(root)}.");
        string path = groundTruth ?? Only(root);
        GroundTruth truth = Read(path);
        if (truth.Imlist is not { Length: > 0 } images || truth.Qimlist is not { Length: > 0 } queries || truth.Gnd is not { } gnd
            || gnd.Length != queries.Length)
            throw new ImageFolderException($"{path} is no ground truth: it needs imlist, qimlist, and gnd with an entry for each query.");
        for (int i = 0; i < gnd.Length; i++)
        {
            foreach (int number in (int[])[.. gnd[i].Easy ?? [], .. gnd[i].Hard ?? [], .. gnd[i].Junk ?? []])
            {
                if (number < 0 || number >= images.Length)
                    throw new ImageFolderException($"{path}: query {i} names picture {number} of {images.Length}.");
            }
            if (gnd[i].Bbx is { } box && (box.Length != 4 || !(box[2] > box[0] && box[3] > box[1])))
                throw new ImageFolderException($"{path}: query {i} has a box that is none (left, top, right, bottom).");
        }
        string folder = Path.Combine(root, "jpg");
        return new RetrievalSet(
            [.. images.Select(name => Path.Combine(folder, name + ".jpg"))],
            [.. queries.Select(name => Path.Combine(folder, name + ".jpg"))],
                [.. gnd.Select(entry => new RetrievalQuery(entry.Easy ?? [], entry.Hard ?? [], entry.Junk ?? [], entry.Bbx))]);
    }

    private static string Only(string root)
    {
        string[] all = [.. FolderTree.Names(root, FileKind.Regular).Where(name => name.StartsWith("gnd_", StringComparison.Ordinal))];
        string[] texts = [.. all.Where(name => name.EndsWith(".json", StringComparison.Ordinal))];
        // The published file may stay beside the JSON that was made of it.
        string[] found = texts.Length > 0 ? texts : [.. all.Where(name => name.EndsWith(".pkl", StringComparison.Ordinal))];
        return found.Length == 1 ? Path.Combine(root, found[0])
            : throw new ImageFolderException($"{root} holds {found.Length} files gnd_*.json or gnd_*.pkl; name the ground truth with "
                + $"`GroundTruth`.");
    }

    private static GroundTruth Read(string path)
    {
        try
        {
            using var stream = RegularFile.OpenStream(path);
            Span<byte> start = stackalloc byte[2];
            int read = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
            stream.Position = 0;
            if (PickledData.Is(start[..read]))
                return PickledData.Read(stream).Deserialize<GroundTruth>(json) ?? new GroundTruth(null, null, null);
            return JsonSerializer.Deserialize<GroundTruth>(stream, json) ?? new GroundTruth(null, null, null);
        }
        catch (Exception e) when (e is JsonException or InvalidDataException)
        {
            throw new ImageFolderException($"{path} is no ground truth: {e.Message}", e);
        }
        catch (FileNotFoundException e)
        {
            throw new ImageFolderException($"There is no ground truth {path}.", e);
        }
    }

    private sealed record GroundTruth(string[]? Imlist, string[]? Qimlist, Entry[]? Gnd);

    private sealed record Entry(int[]? Easy, int[]? Hard, int[]? Junk, double[]? Bbx);
}
