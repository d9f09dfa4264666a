using Dino.Tensors.Io;
using Microsoft.Win32.SafeHandles;

namespace Dino.Pictures.Decoding;

/// <summary>Where the bytes of a picture come from: a file, memory, or a part of an archive. Safe to read from many threads.</summary>
public abstract class PictureInput : IDisposable
{
    /// <summary>An input that messages call so.</summary>
    /// <param name="name">A path, or what else tells a person which picture it is.</param>
    protected PictureInput(string name) => Name = name;

    /// <summary>What messages call it: the path of a file.</summary>
    public string Name { get; }

    /// <summary>Which picture of a file that holds several, from 0.</summary>
    public int Page { get; init; }

    /// <summary>All bytes.</summary>
    public abstract long Length { get; }

    /// <summary>Reads bytes from a place on.</summary>
    /// <param name="buffer">Receives them.</param>
    /// <param name="offset">The place, from 0.</param>
    /// <returns>How many were read: fewer than asked for at times, 0 at the end.</returns>
    /// <exception cref="IOException">They cannot be read.</exception>
    public abstract int Read(Span<byte> buffer, long offset);

    /// <summary>A file.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="page">Which picture of a file that holds several, from 0.</param>
    /// <exception cref="ImageDecodeException">It cannot be opened.</exception>
    public static PictureInput OfFile(string path, int page = 0)
    {
        try
        {
            return new OpenFile(path) { Page = page };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new ImageDecodeException(path, $"the file cannot be read ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>A file that is in memory.</summary>
    /// <param name="bytes">All of it; it must not change while the input is in use.</param>
    /// <param name="name">What messages call it.</param>
    public static PictureInput OfBytes(ReadOnlyMemory<byte> bytes, string name = "the picture") => new InMemory(bytes, name);

    /// <summary>What a stream holds from where it stands on. It is read to its end, into memory, and stays open.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="ImageDecodeException">It cannot be read, or holds more than a picture may.</exception>
    public static PictureInput OfStream(Stream stream, string name = "the picture")
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var copy = new MemoryStream();
        byte[] part = new byte[1 << 16];
        try
        {
            for (int count; (count = stream.Read(part)) > 0;)
            {
                if (copy.Length + count > PictureLimits.MostFileBytes)
                    throw new ImageDecodeException(
                        name, $"it has more than the {PictureLimits.MostFileBytes} bytes that a picture may have");
                copy.Write(part, 0, count);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new ImageDecodeException(name, $"it cannot be read ({e.Message.TrimEnd('.')})", e);
        }
        return new InMemory(copy.GetBuffer().AsMemory(0, (int)copy.Length), name);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes what is open.</summary>
    /// <param name="disposing">Whether by <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
    }

    private sealed class OpenFile(string path) : PictureInput(path)
    {
        private readonly SafeFileHandle handle = RegularFile.Open(path);

        public override long Length => RandomAccess.GetLength(handle);

        public override int Read(Span<byte> buffer, long offset) => RandomAccess.Read(handle, buffer, offset);

        protected override void Dispose(bool disposing)
        {
            handle.Dispose();
            base.Dispose(disposing);
        }
    }

    private sealed class InMemory(ReadOnlyMemory<byte> bytes, string name) : PictureInput(name)
    {
        public override long Length => bytes.Length;

        public override int Read(Span<byte> buffer, long offset)
        {
            if (offset >= bytes.Length)
                return 0;
            int count = Math.Min(buffer.Length, bytes.Length - (int)offset);
            bytes.Span.Slice((int)offset, count).CopyTo(buffer);
            return count;
        }
    }
}
