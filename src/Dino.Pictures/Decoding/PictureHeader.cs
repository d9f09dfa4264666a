using System.Buffers.Binary;

namespace Dino.Pictures.Decoding;

/// <summary>What the first bytes of a picture say of it, before memory is taken for it.</summary>
/// <param name="Format">What it is.</param>
/// <param name="Width">Pixels, as stored.</param>
/// <param name="Height">Pixels, as stored.</param>
/// <param name="DecoderBytes">
/// Bytes a pixel that the decoder takes beside its result: coefficients of a progressive JPEG, or of one whose components come one after
/// the other;
/// rows of an interlaced PNG; pixels of a lossless WebP.
/// </param>
internal readonly record struct PictureHeader(PictureFormat Format, long Width, long Height, double DecoderBytes = 0)
{
    /// <summary>Channels that are stored: inks of a JPEG, 1 of grey, 2 of grey and opacity; 3 where only the codec can tell.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>Bits of a stored number; 8 where there are fewer.</summary>
    public int Bits { get; init; } = 8;

    /// <summary>Whether pixels have an opacity; only known of whole PNG, TGA and PNM files.</summary>
    public bool HasOpacity { get; init; }

    /// <summary>Bytes of all rows before they are packed; only known of a PNG.</summary>
    public long StoredBytes { get; init; }

    /// <summary>Pixels.</summary>
    public long Pixels => Width * Height;

    /// <summary>
    /// Bytes a pixel that decoding takes beside the file: RGB, while RGBA comes from the codec by rows, in the same memory, or beside it.
    /// What needs much in the decoder is counted as if it always lay beside it.
    /// </summary>
    public double PixelBytes => DecoderBytes > 0 ? 7 + DecoderBytes : Format switch
    {
        PictureFormat.Jpeg or PictureFormat.Pnm => 3,
        PictureFormat.Tga => 6,
        _ => 4,
    };

    /// <summary>Bytes that decoding takes beside the file itself.</summary>
    public long Bytes => (long)(Pixels * PixelBytes);

    /// <summary>The header in the first bytes of a file; null if it is not whole, or makes no sense.</summary>
    /// <param name="file">The bytes.</param>
    /// <param name="format">What they are.</param>
    public static PictureHeader? Read(ReadOnlySpan<byte> file, PictureFormat format) => format switch
    {
        PictureFormat.Jpeg => Jpeg(file),
        PictureFormat.Png => Png(file),
        PictureFormat.Gif => file.Length < 10 ? null : new PictureHeader(format,
            BinaryPrimitives.ReadUInt16LittleEndian(file[6..]), BinaryPrimitives.ReadUInt16LittleEndian(file[8..]), 1),
        PictureFormat.Bmp => Bmp(file),
        PictureFormat.WebP => WebP(file),
        PictureFormat.Pnm => PnmHeader.Read(file)?.Picture,
        PictureFormat.Tga => TgaHeader.Read(file)?.Picture,
        _ => null,
    };

    private static PictureHeader? Png(ReadOnlySpan<byte> file)
    {
        if (file.Length < 33 || !file.Slice(12, 4).SequenceEqual("IHDR"u8))
            return null;
        int kind = file[25], channels = kind switch { 2 => 3, 4 => 2, 6 => 4, _ => 1 };
        int bits = file[24] * channels;
        double stored = bits / 8.0;
        long width = BinaryPrimitives.ReadUInt32BigEndian(file[16..]), height = BinaryPrimitives.ReadUInt32BigEndian(file[20..]);
        return new PictureHeader(PictureFormat.Png, width, height, file[28] == 0 ? 0 : stored)
        {
            StoredBytes = PngStructure.RowBytes(width, height, bits, isInterlaced: file[28] != 0),
            Channels = kind == 3 ? 3 : channels,
            Bits = file[24] == 16 ? 16 : 8,
            HasOpacity = kind is 4 or 6 || !PngStructure.Last(file, "tRNS"u8).IsEmpty,
        };
    }

    private static PictureHeader? Bmp(ReadOnlySpan<byte> file)
    {
        if (file.Length < 26)
            return null;
        return BinaryPrimitives.ReadUInt32LittleEndian(file[14..]) == 12
            ? new PictureHeader(PictureFormat.Bmp,
                BinaryPrimitives.ReadUInt16LittleEndian(file[18..]), BinaryPrimitives.ReadUInt16LittleEndian(file[20..]))
            : new PictureHeader(PictureFormat.Bmp,
                Math.Abs((long)BinaryPrimitives.ReadInt32LittleEndian(file[18..])),
                Math.Abs((long)BinaryPrimitives.ReadInt32LittleEndian(file[22..])));
    }

    // RFC 9649, section 2.
    private static PictureHeader? WebP(ReadOnlySpan<byte> file)
    {
        if (file.Length < 30)
            return null;
        var kind = file.Slice(12, 4);
        if (kind.SequenceEqual("VP8 "u8))
            return new PictureHeader(PictureFormat.WebP, BinaryPrimitives.ReadUInt16LittleEndian(file[26..]) & 0x3FFF,
                BinaryPrimitives.ReadUInt16LittleEndian(file[28..]) & 0x3FFF);
        if (kind.SequenceEqual("VP8L"u8))
        {
            uint bits = BinaryPrimitives.ReadUInt32LittleEndian(file[21..]);
            return new PictureHeader(PictureFormat.WebP, (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1, 4);
        }
        return kind.SequenceEqual("VP8X"u8)
            ? new PictureHeader(PictureFormat.WebP, (BinaryPrimitives.ReadUInt32LittleEndian(file[24..]) & 0xFFFFFF) + 1,
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
                frame = new PictureHeader(PictureFormat.Jpeg, BinaryPrimitives.ReadUInt16BigEndian(segment[3..]),
                    BinaryPrimitives.ReadUInt16BigEndian(segment[1..]))
                {
                    Channels = components,
                    Bits = segment[0],
                };
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
