using Dino.Pictures.Archives;
using Dino.Tensors.Io;

namespace Dino.Pictures.DataSets;

/// <summary>What the names of a data set lead to: folders, lists of paths, archives.</summary>
internal static class DataPaths
{
    private const int HeadBytes = 512;

    private static readonly string[] compressed = [".tgz", ".tbz", ".tbz2", ".txz", ".tzst", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar"];

    /// <summary>Whether a file is an archive or a list by its name, so that pictures are named by it.</summary>
    public static bool IsArchiveOrList(string path) =>
        ListSource.IsNamedSo(path) || Path.GetExtension(path).ToLowerInvariant() is ".zip" or ".tar";

    /// <summary>What a name stands for: one source, or those of a name with braces.</summary>
    /// <exception cref="ImageFolderException">Something is missing, or is nothing that holds pictures.</exception>
    public static IReadOnlyList<FileSource> Open(string name)
    {
        try
        {
            var status = FileStatus.Of(name);
            if (status.Kind != FileKind.Missing || BraceNotation.Expand(name) is not { } names)
                return [Open(name, status)];
            string[] missing = [.. names.Where(one => FileStatus.Of(one).Kind == FileKind.Missing)];
            if (missing.Length > 0)
                throw new ImageFolderException($"'{RawName.Shown(name)}' stands for {names.Count} names, of which {missing.Length} are "
                    + $"missing: {string.Join(", ", missing.Take(5).Select(RawName.Shown))}{(missing.Length > 5 ? ", …" : "")}.");
            return [.. names.Select(one => Open(one, FileStatus.Of(one)))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageFolderException($"'{RawName.Shown(name)}' cannot be looked at: {e.Message}", e);
        }
    }

    /// <summary>Refuses to take pictures twice.</summary>
    /// <exception cref="ImageFolderException">One is there twice, or a folder lies in another.</exception>
    public static void ThrowIfTwice(IReadOnlyList<FileSource> sources)
    {
        if (sources.Count < 2)
            return;
        var known = new Dictionary<(ulong, ulong), FileSource>();
        var paths = new HashSet<string>(StringComparer.Ordinal);
        foreach (var source in sources)
        {
            var status = FileStatus.Of(source.Path);
            bool isNew = paths.Add(Path.TrimEndingDirectorySeparator(source.Path));
            if (!isNew || status.Number != 0 && !known.TryAdd((status.Volume, status.Number), source))
            {
                string other = isNew ? known[(status.Volume, status.Number)].Path : source.Path;
                throw new ImageFolderException(other == source.Path
                    ? $"'{RawName.Shown(source.Path)}' is named twice: its pictures would count twice. Name it once."
                    : $"'{RawName.Shown(source.Path)}' and '{RawName.Shown(other)}' are the same: its pictures would count twice. Name "
                        + $"it once.");
            }
        }
        foreach (var folder in sources.OfType<FolderSource>())
        {
            if (Above(folder.Path).Select(above => known.GetValueOrDefault(above)).OfType<FolderSource>().FirstOrDefault() is { } other)
                throw new ImageFolderException($"'{RawName.Shown(folder.Path)}' lies in '{RawName.Shown(other.Path)}', which is named, "
                    + $"too: its pictures would count twice. Name one of them.");
        }
    }

    /// <summary>The folders that a folder lies in, whatever links lead to it.</summary>
    private static IEnumerable<(ulong, ulong)> Above(string path)
    {
        var below = FileStatus.Of(path);
        while (true)
        {
            path = Path.Combine(path, "..");
            FileStatus status;
            try
            {
                status = FileStatus.Of(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                yield break;
            }
            if (status.Number == 0 || (status.Volume, status.Number) == (below.Volume, below.Number))
                yield break;
            yield return (status.Volume, status.Number);
            below = status;
        }
    }

    private static FileSource Open(string path, FileStatus status)
    {
        string shown = RawName.Shown(path);
        if (status.Kind == FileKind.Folder)
            return new FolderSource(Path.GetFullPath(path));
        if (status.Kind == FileKind.Missing)
            throw new ImageFolderException(IsArchiveOrList(path) ? $"There is no file '{shown}': check the path."
                : $"The folder '{shown}' does not exist: check the path.");
        if (status.Kind != FileKind.Regular)
            throw new ImageFolderException($"'{shown}' is {status.Description}: name the folder that holds the pictures.");

        string full = Path.GetFullPath(path), ending = Path.GetExtension(path).ToLowerInvariant();
        if (ListSource.IsNamedSo(path))
            return new ListSource(full);
        byte[] head = Head(path);
        // What it is goes before what it is called.
        bool isTar = TarListing.Recognises(head), isZip = ZipListing.Recognises(head);
        if (isZip || ending == ".zip" && !isTar)
            return new ArchiveSource(full, isZip: true);
        if (isTar || ending == ".tar")
            return new ArchiveSource(full, isZip: false);
        if (compressed.Contains(ending) || head.AsSpan().StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
            throw new ImageFolderException($"'{shown}' is compressed as a whole, so that its files cannot be read in place: unpack it, or "
                + $"make a .tar or .zip of it (a .tar.gz becomes a .tar by gunzip).");
        throw new ImageFolderException($"'{shown}' is a file: name the folder that holds the pictures, a .zip or .tar of it, or a list of "
            + $"paths (.txt, .lst).");
    }

    private static byte[] Head(string path)
    {
        using var stream = RegularFile.OpenStream(path);
        byte[] head = new byte[HeadBytes];
        return head[..stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
    }
}
