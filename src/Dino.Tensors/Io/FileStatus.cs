namespace Dino.Tensors.Io;

/// <summary>What a path leads to.</summary>
public enum FileKind
{
    /// <summary>Nothing: no such name, or a link to nowhere.</summary>
    Missing,

    /// <summary>A file with content.</summary>
    Regular,

    /// <summary>A folder.</summary>
    Folder,

    /// <summary>A pipe with a name (FIFO), which gives nothing until another process writes.</summary>
    Pipe,

    /// <summary>A socket.</summary>
    Socket,

    /// <summary>A device such as /dev/zero, which may have no end.</summary>
    Device,
}

/// <summary>What a path leads to, links followed; found out without opening it.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Length">Bytes of a file.</param>
/// <param name="Modified">When its content was last changed, in 100 ns since the year 1 (UTC), as in <see cref="DateTime.Ticks"/>.</param>
/// <param name="Volume">Number of the file system; with <paramref name="Number"/> it tells one file from all others.</param>
/// <param name="Number">Number of the file in its file system; 0 where the system gives none.</param>
/// <param name="Names">In how many folders it is entered.</param>
/// <param name="IsLink">Whether the path itself is a symbolic link.</param>
public readonly record struct FileStatus(
    FileKind Kind, long Length, long Modified, ulong Volume, ulong Number, uint Names, bool IsLink)
{
    /// <summary>What a person calls it.</summary>
    public string Description => Kind switch
    {
        FileKind.Missing => IsLink ? "a link that leads nowhere" : "missing",
        FileKind.Regular => "a file",
        FileKind.Folder => "a folder",
        FileKind.Pipe => "a pipe (FIFO), not a file",
        FileKind.Socket => "a socket, not a file",
        _ => "a device, not a file",
    };

    /// <summary>Looks at a path.</summary>
    /// <exception cref="UnauthorizedAccessException">A folder on the way is closed.</exception>
    /// <exception cref="IOException">The system cannot tell; the message says why.</exception>
    public static FileStatus Of(string path)
    {
        if (path.Contains('\0', StringComparison.Ordinal))
            return default;
        return OperatingSystem.IsLinux() ? LinuxFiles.Status(path) : Portable(path);
    }

    private static FileStatus Portable(string path)
    {
        FileSystemInfo info = new FileInfo(path);
        bool isLink = info.LinkTarget is not null;
        if (isLink)
            info = info.ResolveLinkTarget(returnFinalTarget: true)!;
        if (Directory.Exists(info.FullName))
            return new FileStatus(FileKind.Folder, 0, 0, 0, 0, 1, isLink);
        if (!File.Exists(info.FullName))
            return new FileStatus(FileKind.Missing, 0, 0, 0, 0, 0, isLink);
        var file = new FileInfo(info.FullName);
        var kind = (file.Attributes & FileAttributes.Device) != 0 ? FileKind.Device : FileKind.Regular;
        return new FileStatus(kind, file.Length, file.LastWriteTimeUtc.Ticks, 0, 0, 1, isLink);
    }
}
