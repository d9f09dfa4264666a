using System.Buffers;
using System.IO.Compression;
using System.IO.Hashing;
using Dino.Pictures.Decoding;
using Microsoft.Win32.SafeHandles;

namespace Dino.Pictures.Archives;

/// <summary>
/// A compressed file of an archive. As much of it is inflated into memory as was asked for, and never more than the archive says that it
/// has: who looks at the first bytes alone, to refuse the rest, takes memory for those.
/// </summary>
internal sealed class InflatedPart : PictureInput
{
    private const int LeastBytes = 4096;

    private readonly Lock gate = new();
    private readonly long length;
    private readonly uint? checksum;
    private readonly DeflateStream packed;
    private byte[] bytes = [];
    private int inflated;

    public InflatedPart(SafeFileHandle archive, long start, long length, uint? checksum, string name)
        : base(name)
    {
        (this.length, this.checksum) = (length, checksum);
        var stream = new FileStream(archive, FileAccess.Read, bufferSize: 0) { Position = start };
        packed = new DeflateStream(stream, CompressionMode.Decompress);
    }

    public override long Length => length;

    public override int Read(Span<byte> buffer, long offset)
    {
        if (offset >= length)
            return 0;
        int count = (int)Math.Min(buffer.Length, length - offset);
        if (offset + count > PictureLimits.MostFileBytes)
            throw new IOException($"it has more than the {PictureLimits.MostFileBytes} bytes that a picture may have");
        lock (gate)
        {
            Inflate((int)offset + count);
            bytes.AsSpan((int)offset, count).CopyTo(buffer);
        }
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        packed.Dispose();
        lock (gate)
            Give([]);
        base.Dispose(disposing);
    }

    private void Inflate(int wanted)
    {
        if (wanted <= inflated)
            return;
        if (wanted > bytes.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(length, Math.Max(LeastBytes, Math.Max(wanted, 2L * bytes.Length))));
            bytes.AsSpan(0, inflated).CopyTo(larger);
            Give(larger);
        }
        try
        {
            while (inflated < wanted)
            {
                int count = packed.Read(bytes, inflated, wanted - inflated);
                if (count == 0)
                    throw new IOException("its compressed data end early: the archive is damaged");
                inflated += count;
            }
            if (inflated < length)
                return;
            if (packed.ReadByte() >= 0)
                throw new IOException("its compressed data are more than the archive says: the archive is damaged");
        }
        catch (InvalidDataException e)
        {
            throw new IOException("its compressed data are damaged", e);
        }
        if (checksum is { } expected && Crc32.HashToUInt32(bytes.AsSpan(0, inflated)) != expected)
            throw new IOException("its checksum is not the one in the archive: the archive is damaged");
    }

    private void Give(byte[] next)
    {
        if (bytes.Length > 0)
            ArrayPool<byte>.Shared.Return(bytes);
        bytes = next;
    }
}
