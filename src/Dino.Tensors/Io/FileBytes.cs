using Microsoft.Win32.SafeHandles;

namespace Dino.Tensors.Io;

/// <summary>The bytes of an open file, read by place.</summary>
internal sealed class FileBytes : IDisposable
{
    private readonly SafeFileHandle handle;

    private FileBytes(string path, SafeFileHandle handle) => (Path, this.handle, Length) = (path, handle, RandomAccess.GetLength(handle));

    public string Path { get; }

    /// <summary>The length when the file was opened.</summary>
    public long Length { get; }

    public static FileBytes Open(string path)
    {
        var handle = RegularFile.Open(path, options: FileOptions.RandomAccess);
        try
        {
            return new FileBytes(path, handle);
        }
        catch (NotSupportedException)
        {
            handle.Dispose();
            throw new InvalidDataException($"{path}: not a file that can be read by place.");
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Fills the span from an offset.</summary>
    /// <exception cref="InvalidDataException">The file ends before.</exception>
    public void Read(Span<byte> bytes, long offset)
    {
        while (bytes.Length > 0)
        {
            int got = RandomAccess.Read(handle, bytes, offset);
            if (got == 0)
                throw new InvalidDataException($"{Path}: the file became shorter while it was read.");
            bytes = bytes[got..];
            offset += got;
        }
    }

    public byte[] Read(long offset, int length)
    {
        byte[] bytes = new byte[length];
        Read(bytes, offset);
        return bytes;
    }

    public void Dispose() => handle.Dispose();
}
