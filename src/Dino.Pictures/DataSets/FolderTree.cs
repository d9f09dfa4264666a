using Dino.Tensors.Io;

namespace Dino.Pictures.DataSets;

/// <summary>A file below a folder.</summary>
/// <param name="Name">Its path from the folder on, with / on every system.</param>
/// <param name="Status">Its size, time and number.</param>
/// <param name="ByLink">Whether the way to it leads over a link.</param>
internal readonly record struct FolderEntry(string Name, FileStatus Status, bool ByLink);

/// <summary>
/// The files below a folder. Links are followed, but no folder is read twice within one first-level folder, nor where it lies in itself: a
/// folder is
/// read by its own name before it is by a link's. What is no file, and a folder that cannot be listed, is reported and left out.
/// </summary>
internal static class FolderTree
{
    // What systems and programs put beside the files that people mean: archives of macOS, thumbnails of Synology and Windows, dustbins.
    private static readonly HashSet<string> clutter = new(
        ["__MACOSX", "@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "Thumbs.db", "ehthumbs.db", "desktop.ini",
            "Icon\r"],
        StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a name is passed over without a word: hidden (.ipynb_checkpoints, ._1.jpg), or clutter that systems make.</summary>
    public static bool IsPassedOver(string name) => name.StartsWith('.') || clutter.Contains(name);

    /// <summary>The files of a folder and everything below it, in ordinal order of their names.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="skipped">Takes in what cannot be read.</param>
    /// <param name="cancel">Stops between two entries.</param>
    /// <exception cref="IOException">The folder itself cannot be listed.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder itself is closed.</exception>
    public static List<FolderEntry> Files(string root, SkippedFiles skipped, CancellationToken cancel = default)
    {
        var files = new List<FolderEntry>();
        var itself = FileStatus.Of(root);
        var walk = new Walk(root, itself, files, skipped, cancel);
        foreach (string name in FolderNames.Of(root))
        {
            if (!IsPassedOver(name))
                walk.Add(name);
        }
        files.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return files;
    }

    /// <summary>The files, or the folders, of a folder itself, in ordinal order of their names.</summary>
    /// <exception cref="IOException">The folder cannot be listed.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder is closed.</exception>
    public static string[] Names(string folder, FileKind kind) =>
        [.. FolderNames.Of(folder).Where(name => !IsPassedOver(name) && TryStatus(Path.Combine(folder, name)).Kind == kind)];

    private static FileStatus TryStatus(string path)
    {
        try
        {
            return FileStatus.Of(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }

    private sealed class Walk
    {
        private readonly string root;
        private readonly List<FolderEntry> files;
        private readonly SkippedFiles skipped;
        private readonly CancellationToken cancel;
        private readonly (ulong, ulong) own;
        private readonly Dictionary<(ulong, ulong), string> seen = [];
        private readonly Queue<(string Name, FileStatus Status)> links = new();
        private readonly Stack<(string Name, FileStatus Status, bool ByLink)> folders = new();

        public Walk(string root, FileStatus itself, List<FolderEntry> files, SkippedFiles skipped, CancellationToken cancel)
        {
            (this.root, this.files, this.skipped, this.cancel) = (root, files, skipped, cancel);
            own = (itself.Volume, itself.Number);
            seen[own] = "";
        }

        /// <summary>Takes in an entry of the root and all that is below it.</summary>
        public void Add(string first)
        {
            // Each first-level folder is a class, and may share folders with another class.
            if (seen.Count > 1)
            {
                seen.Clear();
                seen[own] = "";
            }
            Take(first, byLink: false);
            while (true)
            {
                if (folders.TryPop(out var folder))
                    List(folder.Name, folder.Status, folder.ByLink);
                else if (links.TryDequeue(out var link))
                    List(link.Name, link.Status, byLink: true);
                else
                    return;
            }
        }

        private void Take(string name, bool byLink)
        {
            cancel.ThrowIfCancellationRequested();
            string path = Path.Combine(root, name);
            FileStatus status;
            try
            {
                status = FileStatus.Of(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                skipped.Report(path, $"it cannot be looked at ({e.Message.TrimEnd('.')})");
                return;
            }
            if (status.Kind == FileKind.Regular)
                files.Add(new FolderEntry(name, status, byLink || status.IsLink));
            else if (status.Kind == FileKind.Folder && status.IsLink)
                links.Enqueue((name, status));
            else if (status.Kind == FileKind.Folder)
                folders.Push((name, status, byLink));
            else if (status.Kind != FileKind.Missing || status.IsLink)
                skipped.Report(path, $"it is {status.Description}");
        }

        private void List(string name, FileStatus status, bool byLink)
        {
            string path = Path.Combine(root, name);
            if (status.Number != 0 && !seen.TryAdd((status.Volume, status.Number), name))
            {
                string known = seen[(status.Volume, status.Number)];
                skipped.Report(path, known.Length == 0 ? "it leads back to the folder itself"
                    : $"it leads to {RawName.Shown(known)}, which is read already");
                return;
            }
            string[] names;
            try
            {
                names = FolderNames.Of(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                skipped.Report(path, $"the folder cannot be listed ({e.Message.TrimEnd('.')})");
                return;
            }
            foreach (string child in names)
            {
                if (!IsPassedOver(child))
                    Take($"{name}/{child}", byLink);
            }
        }
    }
}
