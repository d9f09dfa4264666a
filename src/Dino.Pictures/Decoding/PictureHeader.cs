using System.Buffers.Binary;

namespace Dino.Pictures.Decoding;

/// <summary>What the first bytes of a picture say of its size, before memory is taken for it.</summary>
/// <param name="Width">Pixels, as stored.</param>
/// <param name="Height">Pixels, as stored.</param>
/// <param name="DecoderBytes">
/// Bytes a pixel that the decoder takes beside its result: coefficients of a progressive JPEG, or of one whose components come one after
/// the other;
/// rows of an interlaced PNG; pixels of a lossless WebP.
/// </param>
internal readonly record struct PictureHeader(long Width, long Height, double DecoderBytes)
{
    // RGBA from the codec, and RGB of it.
    private const int ResultBytes = 7;

    /// <summary>Pixels.</summary>
    public long Pixels => Width * Height;

    /// <summary>Bytes that decoding takes beside the file itself.</summary>
    public long Bytes => (long)(Pixels * (ResultBytes + DecoderBytes));

    /// <summary>Bytes that a picture of so many pixels may take: those of the simplest one of that size.</summary>
    public static long Budget(int maxPixels) => (long)maxPixels * ResultBytes;

    /// <summary>The header in the first bytes of a file; null if it is not whole, or makes no sense.</summary>
    public static PictureHeader? Read(ReadOnlySpan<byte> file)
    {
        if (PictureSignature.IsJpeg(file))
            return Jpeg(file);
        if (PictureSignature.IsPng(file))
            return Png(file);
        if (file.StartsWith("GIF8"u8))
            return file.Length < 10 ? null : new PictureHeader(
                BinaryPrimitives.ReadUInt16LittleEndian(file[6..]), BinaryPrimitives.ReadUInt16LittleEndian(file[8..]), 1);
        return file.StartsWith("BM"u8) ? Bmp(file) : WebP(file);
    }

    private static PictureHeader? Png(ReadOnlySpan<byte> file)
    {
        if (file.Length < 33 || !file.Slice(12, 4).SequenceEqual("IHDR"u8))
            return null;
        int channels = file[25] switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };
        double stored = file[28] == 0 ? 0 : file[24] * channels / 8.0;
        return new PictureHeader(BinaryPrimitives.ReadUInt32BigEndian(file[16..]), BinaryPrimitives.ReadUInt32BigEndian(file[20..]),
            stored);
    }

    private static PictureHeader? Bmp(ReadOnlySpan<byte> file)
    {
        if (file.Length < 26)
            return null;
        return BinaryPrimitives.ReadUInt32LittleEndian(file[14..]) == 12
            ? new PictureHeader(BinaryPrimitives.ReadUInt16LittleEndian(file[18..]), BinaryPrimitives.ReadUInt16LittleEndian(file[20..]), 0)
            : new PictureHeader(Math.Abs((long)BinaryPrimitives.ReadInt32LittleEndian(file[18..])),
                Math.Abs((long)BinaryPrimitives.ReadInt32LittleEndian(file[22..])), 0);
    }

    // RFC 9649, section 2.
    private static PictureHeader? WebP(ReadOnlySpan<byte> file)
    {
        if (file.Length < 30)
            return null;
        var kind = file.Slice(12, 4);
        if (kind.SequenceEqual("VP8 "u8))
            return new PictureHeader(BinaryPrimitives.ReadUInt16LittleEndian(file[26..]) & 0x3FFF,
                BinaryPrimitives.ReadUInt16LittleEndian(file[28..]) & 0x3FFF, 0);
        if (kind.SequenceEqual("VP8L"u8))
        {
            uint bits = BinaryPrimitives.ReadUInt32LittleEndian(file[21..]);
            return new PictureHeader((bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1, 4);
        }
        return kind.SequenceEqual("VP8X"u8)
            ? new PictureHeader((BinaryPrimitives.ReadUInt32LittleEndian(file[24..]) & 0xFFFFFF) + 1,
                (BinaryPrimitives.ReadUInt32LittleEndian(file[26..]) >> 8) + 1, 4)
            : null;
    }

    // ITU T.81, annex B: up to the first scan.
    private static PictureHeader? Jpeg(ReadOnlySpan<byte> file)
    {
        PictureHeader? frame = null;
        double coefficients = 0;
        int components = 0;
        bool progressive = false;
        for (int at = 2; ;)
        {
            int skip = at < file.Length ? file[at..].IndexOf((byte)0xFF) : -1;
            if (skip < 0 || at + skip + 4 > file.Length)
                return null;
            at += skip + 1;
            byte marker = file[at];
            if (marker is 0xFF or 0x00 or 0x01 or (>= 0xD0 and <= 0xD8))
                continue;
            if (marker == 0xD9)
                return frame;
            if (at + 3 > file.Length)
                return null;
            int length = BinaryPrimitives.ReadUInt16BigEndian(file[(at + 1)..]);
            var segment = file[(at + 3)..Math.Min(file.Length, at + 1 + Math.Max(2, length))];
            if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC))
            {
                if (segment.Length < 6 || segment.Length < 6 + 3 * segment[5])
                    return null;
                components = segment[5];
                progressive = (marker & 3) == 2;
                coefficients = Coefficients(segment[6..], components);
                frame = new PictureHeader(BinaryPrimitives.ReadUInt16BigEndian(segment[3..]),
                    BinaryPrimitives.ReadUInt16BigEndian(segment[1..]), 0);
            }
            else if (marker == 0xDA && frame is { } found)
            {
                if (segment.Length < 1)
                    return null;
                return progressive || segment[0] < components ? found with { DecoderBytes = coefficients } : found;
            }
            at += 1 + Math.Max(2, length);
        }
    }

    /// <summary>Bytes a pixel of all components' coefficients, two bytes each.</summary>
    private static double Coefficients(ReadOnlySpan<byte> components, int count)
    {
        int across = 1, down = 1, sum = 0;
        for (int i = 0; i < count; i++)
        {
            int x = components[3 * i + 1] >> 4, y = components[3 * i + 1] & 15;
            (across, down) = (Math.Max(across, x), Math.Max(down, y));
            sum += x * y;
        }
        return 2.0 * sum / (across * down);
    }
}
