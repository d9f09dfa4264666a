using System.Buffers.Binary;

namespace Dino.Pictures.Decoding;

/// <summary>
/// The orientation that a file's EXIF block states, as Pillow's <c>exif_transpose</c> finds it: in the first APP1 of a JPEG, the eXIf chunk
/// of a PNG, the EXIF chunk of a WebP. The codecs read none of it, so that both give the same upright picture.
/// </summary>
internal static class ExifOrientation
{
    private const int Tag = 0x0112;

    /// <summary>The orientation of a picture; upright where the file says nothing, or nothing that makes sense.</summary>
    public static Orientation Of(ReadOnlySpan<byte> file)
    {
        var exif = PictureSignature.IsJpeg(file) ? OfJpeg(file)
            : PictureSignature.IsPng(file) ? PngStructure.Last(file, "eXIf"u8)
            : PictureSignature.IsWebP(file) ? OfWebP(file)
            : default;
        if (exif.StartsWith("Exif\0\0"u8))
            exif = exif[6..];
        int value = Read(exif);
        return value is >= 1 and <= 8 ? new Orientation(value) : Orientation.Upright;
    }

    // The first APP1 that calls itself Exif, before the first scan.
    private static ReadOnlySpan<byte> OfJpeg(ReadOnlySpan<byte> file)
    {
        for (int at = 2; ;)
        {
            int skip = at < file.Length ? file[at..].IndexOf((byte)0xFF) : -1;
            if (skip < 0 || at + skip + 4 > file.Length)
                return default;
            at += skip + 1;
            byte marker = file[at];
            if (marker is 0xFF or 0x00 or 0x01 or (>= 0xD0 and <= 0xD8))
                continue;
            if (marker is 0xD9 or 0xDA)
                return default;
            int length = Math.Max(2, (int)BinaryPrimitives.ReadUInt16BigEndian(file[(at + 1)..]));
            var segment = file[(at + 3)..Math.Min(file.Length, Math.Max(at + 3, at + 1 + length))];
            if (marker == 0xE1 && segment.StartsWith("Exif\0"u8))
                return segment;
            at += 1 + length;
        }
    }

    // RFC 9649: the chunk counts only where the extended header announces it.
    private static ReadOnlySpan<byte> OfWebP(ReadOnlySpan<byte> file)
    {
        const int announced = 0x08;
        if (file.Length < 30 || !file.Slice(12, 4).SequenceEqual("VP8X"u8) || (file[20] & announced) == 0)
            return default;
        for (int at = 12; at + 8 <= file.Length;)
        {
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(file[(at + 4)..]);
            if (length > file.Length - at - 8)
                return default;
            if (file.Slice(at, 4).SequenceEqual("EXIF"u8))
                return file.Slice(at + 8, (int)length);
            at += 8 + (int)length + (int)(length & 1);
        }
        return default;
    }

    /// <summary>The number in the first directory of a TIFF structure; 0 if there is none.</summary>
    private static int Read(ReadOnlySpan<byte> tiff)
    {
        bool little = tiff.StartsWith("II*\0"u8);
        if (tiff.Length < 8 || !(little || tiff.StartsWith("MM\0*"u8)))
            return 0;
        uint directory = Number(tiff, 4, 4, little);
        if (directory > tiff.Length - 2)
            return 0;
        int entries = (int)Number(tiff, (int)directory, 2, little), found = 0;
        for (int i = 0, at = (int)directory + 2; i < entries && at + 12 <= tiff.Length; i++, at += 12)
        {
            if (Number(tiff, at, 2, little) != Tag)
                continue;
            // 3 and 8 are numbers of two bytes, 4 and 9 of four.
            int size = Number(tiff, at + 2, 2, little) switch { 3 or 8 => 2, 4 or 9 => 4, _ => 0 };
            uint count = Number(tiff, at + 4, 4, little);
            if (size == 0 || count == 0)
                continue;
            bool isElsewhere = (ulong)count * (uint)size > 4;
            uint place = isElsewhere ? Number(tiff, at + 8, 4, little) : (uint)at + 8;
            if (place <= tiff.Length && (ulong)count * (uint)size <= (ulong)tiff.Length - place)
                found = (int)Math.Min(9, Number(tiff, (int)place, size, little));
        }
        return found;
    }

    private static uint Number(ReadOnlySpan<byte> bytes, int at, int size, bool little)
    {
        uint number = 0;
        for (int i = 0; i < size; i++)
            number = (number << 8) | bytes[at + (little ? size - 1 - i : i)];
        return number;
    }
}
