using System.Buffers.Binary;

namespace Dino.Pictures.Decoding;

/// <summary>How a picture's file keeps its colours, by its headers alone.</summary>
internal enum StoredColours
{
    /// <summary>Not told by them.</summary>
    Unknown,

    /// <summary>Each pixel has a colour of its own.</summary>
    Colour,

    /// <summary>Each pixel is grey.</summary>
    Grey,

    /// <summary>A pixel is one of a few colours, or black or white: how masks are kept.</summary>
    Few,
}

/// <summary>Finds out <see cref="StoredColours"/>.</summary>
internal static class StoredColoursOf
{
    private const int HeadBytes = 64;

    /// <summary>Looks at a picture's headers.</summary>
    /// <exception cref="IOException">They cannot be read.</exception>
    public static StoredColours Picture(PictureInput input, out bool isJpeg)
    {
        Span<byte> head = stackalloc byte[HeadBytes];
        head = head[..Fill(input, head, 0)];
        isJpeg = PictureSignature.IsJpeg(head);
        if (isJpeg)
            return Jpeg(input);
        if (PictureSignature.IsPng(head))
            return head.Length < 26 ? StoredColours.Unknown : Png(head[24], head[25]);
        if (head.StartsWith("GIF8"u8))
            return StoredColours.Few;
        if (head.StartsWith("BM"u8))
            return Bmp(head);
        return PictureSignature.IsTiff(head) ? TiffPicture.ColoursOf(input) : StoredColours.Colour;
    }

    private static StoredColours Png(byte depth, byte kind) => kind switch
    {
        0 => depth == 1 ? StoredColours.Few : StoredColours.Grey,
        3 => StoredColours.Few,
        4 => StoredColours.Grey,
        _ => StoredColours.Colour,
    };

    private static StoredColours Bmp(ReadOnlySpan<byte> head)
    {
        if (head.Length < 30)
            return StoredColours.Unknown;
        int bits = BinaryPrimitives.ReadUInt16LittleEndian(head[(BinaryPrimitives.ReadUInt32LittleEndian(head[14..]) == 12 ? 24 : 28)..]);
        return bits <= 8 ? StoredColours.Few : StoredColours.Colour;
    }

    // ITU T.81: the frame header, behind what cameras put before it.
    private static StoredColours Jpeg(PictureInput input)
    {
        const int mostSegments = 1000;
        Span<byte> segment = stackalloc byte[10];
        long at = 2;
        for (int i = 0; i < mostSegments && Fill(input, segment, at) == segment.Length && segment[0] == 0xFF; i++)
        {
            if (segment[1] == 0xFF)
            {
                at++;
                continue;
            }
            if (segment[1] is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC))
                return segment[9] == 1 ? StoredColours.Grey : StoredColours.Colour;
            at += 2 + Math.Max(2, (int)BinaryPrimitives.ReadUInt16BigEndian(segment[2..]));
        }
        return StoredColours.Unknown;
    }

    private static int Fill(PictureInput input, Span<byte> bytes, long at)
    {
        int read = 0;
        while (read < bytes.Length && input.Read(bytes[read..], at + read) is > 0 and var count)
            read += count;
        return read;
    }
}
