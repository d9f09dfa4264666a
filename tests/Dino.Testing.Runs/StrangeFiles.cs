using System.Runtime.InteropServices;
using Dino.Tensors.Io;
using NUnit.Framework;

namespace Dino.Testing.Runs;

/// <summary>Files that .NET makes none of: pipes, names that are no UTF-8, folders that are closed even to root.</summary>
public static partial class StrangeFiles
{
    /// <summary>A pipe with a name. Inconclusive where the system has none.</summary>
    public static void MakePipe(string path)
    {
        OnLinux();
        Assert.That(MakeFifo(path, 0b110_100_100), Is.Zero, path);
    }

    /// <summary>Writes a file whose name holds a byte that is no UTF-8, spelled as <see cref="RawName"/> does.</summary>
    public static void WriteRaw(string path, byte[] content)
    {
        OnLinux();
        int descriptor = Open([.. RawName.Bytes(path), 0], 0b1000001, 0b110_100_100); // O_WRONLY | O_CREAT
        if (descriptor < 0)
            Assert.Inconclusive("This file system takes only UTF-8 for names.");
        using var handle = new Microsoft.Win32.SafeHandles.SafeFileHandle(descriptor, ownsHandle: true);
        RandomAccess.Write(handle, content, 0);
    }

    public static void DeleteRaw(string path) => _ = Unlink([.. RawName.Bytes(path), 0]);

    /// <summary>Runs an action on this thread as one that closed folders are closed to, even for root.</summary>
    public static void WithoutPrivilege(Action action)
    {
        OnLinux();
        // linux/capability.h, version 3: a header and two words each of effective, permitted and inheritable ones, for this thread alone.
        int[] header = [0x20080522, 0], data = new int[6];
        if (GetCapabilities(header, data) != 0)
            Assert.Inconclusive("The system tells no capabilities.");
        int[] less = [data[0] & ~0b1111, .. data[1..]]; // CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER
        if (SetCapabilities(header, less) != 0)
            Assert.Inconclusive("Capabilities cannot be laid down.");
        try
        {
            action();
        }
        finally
        {
            _ = SetCapabilities(header, data);
        }
    }

    private static void OnLinux()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Inconclusive("Made by Linux' C library.");
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int MakeFifo(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "open")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open([In] byte[] path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "unlink")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Unlink([In] byte[] path);

    [LibraryImport("libc", EntryPoint = "capget")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int GetCapabilities([In] int[] header, [In, Out] int[] data);

    [LibraryImport("libc", EntryPoint = "capset")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetCapabilities([In] int[] header, [In] int[] data);
}
