using System.Buffers.Binary;
using System.IO.Compression;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Tensors.Io;

namespace Dino.Pictures.Writing;

/// <summary>Palette PNG files (ISO 15948), which hold ids of objects as they are; the codec library writes none.</summary>
public static class IndexedPng
{
    /// <summary>Writes height·width ids in the colours of PASCAL VOC and DAVIS.</summary>
    public static void Write(string path, ReadOnlySpan<byte> ids, int width, int height)
    {
        if (width < 1 || height < 1 || ids.Length != width * height)
            throw new ArgumentException($"{ids.Length} ids are not a picture of {width} × {height} pixels.");
        byte[] header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, 3); // 8 bits, palette
        using var data = new MemoryStream();
        using (var pixels = new ZLibStream(data, CompressionLevel.Optimal, leaveOpen: true))
        {
            for (int y = 0; y < height; y++)
            {
                pixels.WriteByte(0); // no filter: what suits palettes (section 12.8)
                pixels.Write(ids.Slice(y * width, width));
            }
        }
        AtomicFile.Write(path, stream =>
        {
            stream.Write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
            Chunk(stream, "IHDR"u8, header);
            Chunk(stream, "PLTE"u8, VocColours.Palette);
            Chunk(stream, "IDAT"u8, data.GetBuffer().AsSpan(0, (int)data.Length));
            Chunk(stream, "IEND"u8, []);
        });
    }

    private static void Chunk(Stream stream, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        byte[] body = [.. type, .. data];
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        stream.Write(number);
        stream.Write(body);
        BinaryPrimitives.WriteUInt32BigEndian(number, PngStructure.Crc(body));
        stream.Write(number);
    }
}
