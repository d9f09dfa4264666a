using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Dino.Tensors.Io;

/// <summary>
/// What it takes for written bytes to be on the disk, each step asked for its error: .NET passes over those of closing and of folders.
/// </summary>
public static partial class DurableFile
{
    // errno of Linux and macOS alike.
    private const int Interrupted = 4, Invalid = 22;

    // Through the whole program's names, not through the C library alone: what is put before it (LD_PRELOAD) is then seen here too.
    static DurableFile() => NativeLibrary.SetDllImportResolver(
        typeof(DurableFile).Assembly, (name, _, _) => name == "libc" ? NativeLibrary.GetMainProgramHandle() : 0);

    /// <summary>Sends everything written so far to the disk and waits until it is there.</summary>
    /// <exception cref="IOException">It could not be written; the message names the file and has the system's words.</exception>
    public static void Sync(FileStream stream)
    {
        if (OperatingSystem.IsWindows())
        {
            stream.Flush(flushToDisk: true);
            return;
        }
        stream.Flush();
        bool held = false;
        try
        {
            stream.SafeFileHandle.DangerousAddRef(ref held);
            while (Fsync((int)stream.SafeFileHandle.DangerousGetHandle()) < 0)
            {
                int error = Marshal.GetLastPInvokeError();
                if (error != Interrupted)
                    throw Failed(stream.Name, error);
            }
        }
        finally
        {
            if (held)
                stream.SafeFileHandle.DangerousRelease();
        }
    }

    /// <summary>Closes a file that was written. A system may keep an error until then.</summary>
    /// <exception cref="IOException">What was written is not safe.</exception>
    public static void Close(FileStream stream)
    {
        stream.Flush();
        if (OperatingSystem.IsWindows())
        {
            stream.Dispose();
            return;
        }
        string name = stream.Name;
        int descriptor = (int)stream.SafeFileHandle.DangerousGetHandle();
        stream.SafeFileHandle.SetHandleAsInvalid();
        stream.Dispose();
        // After an interruption the descriptor is closed all the same, and may be another file's by now.
        if (Close(descriptor) < 0 && Marshal.GetLastPInvokeError() is not Interrupted and var error)
            throw Failed(name, error);
    }

    /// <summary>
    /// Gives a file on the disk another name, in place of the file that has it, and waits until the folder is on the disk.
    /// </summary>
    /// <exception cref="IOException">
    /// The name was not given, or may be lost in a power cut; either way it means the old file or the new one.
    /// </exception>
    public static void Rename(string from, string to)
    {
        File.Move(from, to, overwrite: true);
        SyncFolder(Path.GetDirectoryName(Path.GetFullPath(to))!);
    }

    // The name lives in the folder; .NET opens no folders. Windows journals renames.
    private static void SyncFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        int descriptor = Open(folder, 0);
        if (descriptor < 0)
            return; // a folder that may be written but not read: the rename stands, its moment on the disk is the system's choice
        int error = 0;
        while (Fsync(descriptor) < 0 && (error = Marshal.GetLastPInvokeError()) == Interrupted)
            error = 0;
        if (Close(descriptor) < 0 && error == 0)
            error = Marshal.GetLastPInvokeError();
        // Some file systems of networks answer that folders are nothing to be flushed; that is no failure.
        if (error is not (0 or Interrupted or Invalid))
            throw Failed(folder, error);
    }

    /// <summary>Opens a file for reading though another process holds it for itself alone; null where that cannot be.</summary>
    public static SafeFileHandle? OpenShared(string path)
    {
        if (OperatingSystem.IsWindows())
            return null;
        int descriptor = Open(path, 0);
        return descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);
    }

    private static IOException Failed(string path, int error) => new($"{Marshal.GetPInvokeErrorMessage(error)} : '{path}'", error);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int descriptor);
}
