using System.Runtime.InteropServices;

namespace Dino.Tensors.Io;

/// <summary>Writes a file so that its name holds either the old content or the whole new one, never a part, even across a power cut.</summary>
public static partial class AtomicFile
{
    /// <summary>
    /// Lets <paramref name="write"/> fill a temporary file beside <paramref name="path"/>, flushes it to the disk, renames it over
    /// <paramref name="path"/> and flushes the folder. When anything fails, the temporary file is removed and the old one stays.
    /// What a killed process leaves behind is overwritten by the next write of the same path.
    /// </summary>
    /// <exception cref="IOException">The folder is missing, is read-only or is full.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        string full = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(full) ?? throw new ArgumentException($"'{path}' names a folder, not a file.", nameof(path));
        string temporary = Path.Combine(folder, $".{Path.GetFileName(full)}.tmp");
        // Opened for this process alone: a second writer of the same path fails here, and must not touch the file of the first.
        var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
        try
        {
            using (stream)
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, full, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
        FlushFolder(folder);
    }

    // The rename itself lives in the folder; .NET opens no folders, so this asks the C library. Windows journals renames.
    private static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        int descriptor = Open(folder, 0);
        if (descriptor < 0)
            return; // a folder that may be written but not read: the rename stands, its moment on the disk is the system's choice
        _ = Fsync(descriptor);
        _ = Close(descriptor);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int descriptor);
}
