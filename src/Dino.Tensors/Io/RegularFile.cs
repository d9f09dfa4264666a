using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Dino.Tensors.Io;

/// <summary>
/// Opens files for reading, and only files: a pipe would wait for its writer for ever, a device may have no end. Names that are no UTF-8
/// (<see cref="RawName"/>) are found too.
/// </summary>
public static class RegularFile
{
    /// <summary>Opens a file.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read, or is a folder.</exception>
    /// <exception cref="IOException">It is a pipe, a socket or a device, or the system cannot open it; the message says which.</exception>
    public static SafeFileHandle Open(string path, FileShare share = FileShare.Read | FileShare.Delete,
        FileOptions options = FileOptions.None)
    {
        var status = FileStatus.Of(path);
        if (status.Kind == FileKind.Missing)
            throw new FileNotFoundException(status.IsLink ? $"{RawName.Shown(path)} is {status.Description}."
                : $"There is no file {RawName.Shown(path)}.");
        if (status.Kind == FileKind.Folder)
            throw new UnauthorizedAccessException($"{RawName.Shown(path)} is a folder.");
        if (status.Kind != FileKind.Regular)
            throw new IOException($"{RawName.Shown(path)} is {status.Description}.");
        return OperatingSystem.IsLinux() && !RawName.IsPlain(path)
            ? new SafeFileHandle(LinuxFiles.OpenToRead(path), ownsHandle: true)
            : File.OpenHandle(path, FileMode.Open, FileAccess.Read, share, options);
    }

    /// <summary>Opens a file as a stream.</summary>
    /// <inheritdoc cref="Open(string, FileShare, FileOptions)"/>
    public static FileStream OpenStream(string path) => new(Open(path), FileAccess.Read);

    /// <summary>All bytes of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="mostBytes">A larger file is refused before memory is taken for it.</param>
    /// <exception cref="InvalidDataException">It is larger.</exception>
    /// <inheritdoc cref="Open(string, FileShare, FileOptions)"/>
    public static byte[] ReadAllBytes(string path, long mostBytes = int.MaxValue / 2)
    {
        using var handle = Open(path);
        long length = RandomAccess.GetLength(handle);
        if (length > mostBytes)
            throw new InvalidDataException($"{RawName.Shown(path)} has {length} bytes, more than the {mostBytes} that are read");
        byte[] bytes = new byte[length];
        for (int read = 0; read < bytes.Length;)
        {
            int count = RandomAccess.Read(handle, bytes.AsSpan(read), read);
            if (count == 0)
                throw new InvalidDataException($"{RawName.Shown(path)} became shorter while it was read");
            read += count;
        }
        return bytes;
    }

    /// <summary>The lines of a text file without space around them; empty ones are left out.</summary>
    /// <inheritdoc cref="Open(string, FileShare, FileOptions)"/>
    public static string[] ReadLines(string path)
    {
        const long most = 256 << 20;
        string text = Encoding.UTF8.GetString(ReadAllBytes(path, most)).TrimStart('\uFEFF');
        return text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }
}
