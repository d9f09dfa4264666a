using System.Security.Cryptography;
using System.Text;

namespace Dino.Tensors.Io;

/// <summary>
/// Writes a file so that its name holds either the old content or the whole new one, never a part, even across a power cut.
/// </summary>
public static class AtomicFile
{
    private const string Prefix = ".", Suffix = ".tmp";
    private const int MostBytes = 255; // of a name, on every common file system

    /// <summary>
    /// Lets <paramref name="write"/> fill a temporary file beside <paramref name="path"/>, sends it to the disk, renames it over
    /// <paramref name="path"/> and sends the folder to the disk. When anything fails, the temporary file is removed and the old file stays.
    /// What a killed process left behind is replaced by the next write of the same path.
    /// </summary>
    /// <exception cref="IOException">
    /// The folder is missing, is read-only or full, or the disk fails; the message names the file and has the system's words.
    /// </exception>
    public static void Write(string path, Action<Stream> write)
    {
        string full = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(full) ?? throw new ArgumentException($"'{path}' names a folder, not a file.", nameof(path));
        string temporary = Path.Combine(folder, Prefix + Short(Path.GetFileName(full)) + Suffix);
        var stream = Create(temporary, full);
        try
        {
            using (stream)
            {
                try
                {
                    write(stream);
                    DurableFile.Sync(stream);
                    DurableFile.Close(stream);
                }
                // A file that is longer than the system allows.
                catch (ArgumentOutOfRangeException e) when (e.TargetSite?.DeclaringType?.Namespace?.StartsWith(
                    "System", StringComparison.Ordinal) == true)
                {
                    throw new IOException($"{full} cannot be written: it would be longer than the system allows (ulimit -f). {Kept(full)}",
                        e);
                }
            }
            DurableFile.Rename(temporary, full);
        }
        catch (Exception e)
        {
            Remove(temporary);
            if (e is IOException && ((string[])[temporary, full, folder])
                .FirstOrDefault(at => e.Message.EndsWith($" : '{at}'", StringComparison.Ordinal)) is { } place)
                throw new IOException($"{full} cannot be written: {e.Message[..^$" : '{place}'".Length]}. {Kept(full)}", e);
            throw;
        }
    }

    /// <summary>
    /// Removes what killed processes left of writing files into a folder. Call it only while no other process writes there: it cannot tell
    /// whose file is unfinished.
    /// </summary>
    /// <param name="folder">The folder; one that is missing has none.</param>
    /// <param name="isOurs">
    /// Whether files of a name (without folder) are written by the caller; others are not touched, nor is a link.
    /// </param>
    public static void RemoveLeftovers(string folder, Func<string, bool> isOurs)
    {
        if (!Directory.Exists(folder))
            return;
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles(Prefix + "*" + Suffix))
        {
            if (file.LinkTarget is null && isOurs(file.Name[Prefix.Length..^Suffix.Length]))
                Remove(file.FullName);
        }
    }

    /// <summary>A new file, opened for this process alone: no link is followed, and a second writer of the same path fails.</summary>
    private static FileStream Create(string temporary, string path)
    {
        for (int attempt = 0; ; attempt++)
        {
            try
            {
                return new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
            }
            catch (UnauthorizedAccessException e)
            {
                throw new UnauthorizedAccessException($"{path} cannot be written: the folder does not allow it.", e);
            }
            catch (IOException) when (attempt < 3 && new FileInfo(temporary) is { Exists: true } or { LinkTarget: not null })
            {
                RemoveUnlessHeld(temporary, path);
            }
        }
    }

    private static void RemoveUnlessHeld(string temporary, string path)
    {
        if (new FileInfo(temporary).LinkTarget is null)
        {
            try
            {
                new FileStream(temporary, FileMode.Open, FileAccess.Write, FileShare.None).Dispose();
            }
            catch (IOException e) when (e is not FileNotFoundException)
            {
                throw new IOException($"{path} is being written by another process.", e);
            }
        }
        File.Delete(temporary);
    }

    // A name of the greatest length has no room for more.
    private static string Short(string name)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        return bytes.Length + Prefix.Length + Suffix.Length <= MostBytes ? name : Convert.ToHexStringLower(SHA256.HashData(bytes));
    }

    private static void Remove(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The first error is the one to hear of; the next write of the path tries again.
        }
    }

    private static string Kept(string path) => File.Exists(path) ? "The file of that name is as it was." : "";
}
