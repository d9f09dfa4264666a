using System.Globalization;
using System.Text;
using Dino.Tensors.Io;

namespace Dino.Train.Runs;

/// <summary>
/// Keeps a folder that is written over a long time to one process. The system holds the lock and gives it back when the process ends,
/// however it ends; the file of the lock, <c>.dino-lock</c>, says who holds it and goes when the lock goes. After a kill it stays and
/// blocks nobody.
/// </summary>
/// <remarks>On a file system of a network the lock holds as far as that system carries locks between machines (NFS 4 and SMB do).</remarks>
public sealed class FolderLock : IDisposable
{
    /// <summary>The file of the lock.</summary>
    public const string FileName = ".dino-lock";

    // How the systems say that another process has the lock.
    private const int LinuxAgain = 11, MacAgain = 35, WindowsSharing = unchecked((int)0x80070020);
    private const int Attempts = 100;

    private readonly FileStream file;
    private bool disposed;

    private FolderLock(FileStream file) => this.file = file;

    /// <summary>Takes the lock of a folder, which is made when missing.</summary>
    /// <exception cref="RunException">Another process has it, or another part of this one; the message says who.</exception>
    public static FolderLock Acquire(string folder)
    {
        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, FileName);
        string holder = string.Create(CultureInfo.InvariantCulture,
            $"process {Environment.ProcessId} on {Environment.MachineName}, since {DateTime.Now:yyyy-MM-dd HH:mm:ss}: "
                + $"{Command()}\n{Guid.NewGuid():N}\n");
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            if (new FileInfo(path).LinkTarget is not null)
                throw new RunException($"{path} is a link, and the lock of a folder must be a file in it: remove it.");
            FileStream file;
            try
            {
                file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            }
            catch (IOException e) when (e.HResult is LinuxAgain or MacAgain or WindowsSharing)
            {
                throw new RunException(
                    $"{folder} is in use by {Holder(path)}. Wait for its end, end it, or give another `OutputDir`.", e);
            }
            catch (UnauthorizedAccessException e)
            {
                throw new RunException($"{folder} cannot be written into: its permissions do not allow it.", e);
            }
            try
            {
                byte[] bytes = Encoding.UTF8.GetBytes(holder);
                file.SetLength(0);
                file.Write(bytes);
                // Between opening and locking, the file may have been removed by the process that had the lock before.
                if (Read(path) is not { } read || read == holder)
                    return new FolderLock(file);
            }
            catch
            {
                file.Dispose();
                throw;
            }
            file.Dispose();
        }
        throw new RunException($"{path} changes all the time: another process is using {folder}.");
    }

    /// <summary>Gives the lock back.</summary>
    public void Dispose()
    {
        if (disposed)
            return;
        disposed = true;
        try
        {
            File.Delete(file.Name); // before it is unlocked: afterwards it may be another's
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A file that stays blocks nobody.
        }
        file.Dispose();
    }

    private static string Holder(string path) =>
        Read(path) is { Length: > 0 } text ? text.Split('\n')[0] : "another process";

    /// <summary>The content of the file, locked or not; empty when there is none, null when the system lets nobody read it.</summary>
    private static string? Read(string path)
    {
        if (OperatingSystem.IsWindows())
            return null;
        using var handle = DurableFile.OpenShared(path);
        if (handle is null)
            return "";
        byte[] bytes = new byte[4096];
        return Encoding.UTF8.GetString(bytes, 0, RandomAccess.Read(handle, bytes, 0));
    }

    private static string Command()
    {
        string line = string.Join(' ', Environment.GetCommandLineArgs()
            .Select((word, i) => i == 0 ? Path.GetFileNameWithoutExtension(word) : word));
        line = string.Concat(line.Select(c => char.IsControl(c) ? ' ' : c));
        return line.Length <= 80 ? line : line[..80] + "…";
    }
}
