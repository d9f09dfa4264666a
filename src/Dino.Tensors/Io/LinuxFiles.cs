using System.Runtime.InteropServices;

namespace Dino.Tensors.Io;

/// <summary>
/// Files by the bytes of their names, asked of Linux' own C library: .NET cannot name a file that is no UTF-8, nor say that one is a pipe.
/// </summary>
internal static unsafe partial class LinuxFiles
{
    private const int CurrentFolder = -100, NoFollow = 0x100, BasicStatistics = 0x7FF, StatusBytes = 256;
    private const int NoEntry = 2, NoPermission = 13, NotAFolder = 20, TooManyLinks = 40, NotPermitted = 1;
    private const int NameOffset = 19; // of d_name in struct dirent, for glibc and musl on 64 bits
    private const int ReadOnly = 0, NonBlocking = 0x800, CloseOnExec = 0x80000;

    public static FileStatus Status(string path)
    {
        byte[] name = Terminated(path);
        Span<byte> found = stackalloc byte[StatusBytes];
        int error = Ask(name, 0, found);
        if (error is NoEntry or NotAFolder or TooManyLinks)
        {
            bool dangling = Ask(name, NoFollow, found) == 0;
            return new FileStatus(FileKind.Missing, 0, 0, 0, 0, 0, dangling);
        }
        if (error != 0)
            throw Failure(error, path);
        var status = Parse(found);
        // The path's own entry: of interest for what can be a link, which a file of one name can be too.
        return Ask(name, NoFollow, found) == 0 && KindOf(found) == 0xA000 ? status with { IsLink = true } : status;
    }

    /// <summary>Names in a folder, in the system's order, without . and .. .</summary>
    public static List<string> Names(string folder)
    {
        nint stream;
        fixed (byte* path = Terminated(folder))
            stream = OpenFolder(path);
        if (stream == 0)
            throw Failure(Marshal.GetLastPInvokeError(), folder);
        var names = new List<string>();
        try
        {
            while (true)
            {
                nint entry = ReadFolder(stream);
                if (entry == 0)
                    break;
                var bytes = MemoryMarshal.CreateReadOnlySpanFromNullTerminated((byte*)entry + NameOffset);
                if (!bytes.SequenceEqual("."u8) && !bytes.SequenceEqual(".."u8))
                    names.Add(RawName.Of(bytes));
            }
            if (Marshal.GetLastPInvokeError() is not 0 and var error)
                throw Failure(error, folder);
        }
        finally
        {
            _ = CloseFolder(stream);
        }
        return names;
    }

    /// <summary>A descriptor for reading; of a pipe it is made at once, and reads nothing.</summary>
    public static int OpenToRead(string path)
    {
        fixed (byte* name = Terminated(path))
        {
            int descriptor = Open(name, ReadOnly | NonBlocking | CloseOnExec);
            return descriptor >= 0 ? descriptor : throw Failure(Marshal.GetLastPInvokeError(), path);
        }
    }

    private static int Ask(byte[] name, int flags, Span<byte> status)
    {
        fixed (byte* path = name)
        fixed (byte* to = status)
            return StatusOf(CurrentFolder, path, flags, BasicStatistics, to) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    // struct statx, linux/stat.h: the same on every processor but for the order of bytes.
    private static FileStatus Parse(ReadOnlySpan<byte> status)
    {
        long seconds = MemoryMarshal.Read<long>(status[112..]);
        uint nanoseconds = MemoryMarshal.Read<uint>(status[120..]);
        var kind = KindOf(status) switch
        {
            0x8000 => FileKind.Regular,
            0x4000 => FileKind.Folder,
            0x1000 => FileKind.Pipe,
            0xC000 => FileKind.Socket,
            _ => FileKind.Device,
        };
        return new FileStatus(
            kind, MemoryMarshal.Read<long>(status[40..]),
            unchecked(DateTime.UnixEpoch.Ticks + seconds * TimeSpan.TicksPerSecond + nanoseconds / 100),
            ((ulong)MemoryMarshal.Read<uint>(status[136..]) << 32) | MemoryMarshal.Read<uint>(status[140..]),
            MemoryMarshal.Read<ulong>(status[32..]), MemoryMarshal.Read<uint>(status[16..]), false);
    }

    private static int KindOf(ReadOnlySpan<byte> status) => MemoryMarshal.Read<ushort>(status[28..]) & 0xF000;

    private static byte[] Terminated(string path) => [.. RawName.Bytes(path), 0];

    private static Exception Failure(int error, string path)
    {
        string message = $"{RawName.Shown(path)}: {Marshal.GetPInvokeErrorMessage(error)}";
        return error switch
        {
            NoEntry => new FileNotFoundException(message),
            NotAFolder => new DirectoryNotFoundException(message),
            NoPermission or NotPermitted => new UnauthorizedAccessException(message),
            _ => new IOException(message),
        };
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int StatusOf(int folder, byte* path, int flags, uint mask, byte* status);

    [LibraryImport("libc", EntryPoint = "opendir", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint OpenFolder(byte* path);

    [LibraryImport("libc", EntryPoint = "readdir", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint ReadFolder(nint stream);

    [LibraryImport("libc", EntryPoint = "closedir")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int CloseFolder(nint stream);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(byte* path, int flags, uint mode = 0);
}
