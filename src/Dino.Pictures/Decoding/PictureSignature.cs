namespace Dino.Pictures.Decoding;

/// <summary>Tells pictures from other files by their first bytes.</summary>
internal static class PictureSignature
{
    /// <summary>The formats, for messages.</summary>
    public const string Formats = "JPEG, PNG, WebP, BMP, GIF, TIFF, TGA or PNM";

    /// <summary>Bytes needed to decide.</summary>
    public const int Length = 12;

    /// <summary>Bytes that suffice to tell what else a file is.</summary>
    public const int LengthOfOthers = 64;

    /// <summary>Whether a file that starts so claims to be a picture.</summary>
    /// <param name="start">Its first bytes, at least <see cref="LengthOfOthers"/> if it has so many.</param>
    /// <param name="name">Its name, which alone tells a TGA from other files.</param>
    public static bool Matches(ReadOnlySpan<byte> start, string name = "") => FormatOf(start, name) != PictureFormat.Unknown;

    /// <summary>What a file that starts so claims to be.</summary>
    /// <inheritdoc cref="Matches"/>
    public static PictureFormat FormatOf(ReadOnlySpan<byte> start, string name)
    {
        if (IsJpeg(start))
            return PictureFormat.Jpeg;
        if (IsPng(start))
            return PictureFormat.Png;
        if (IsWebP(start))
            return PictureFormat.WebP;
        if (start.StartsWith("BM"u8))
            return PictureFormat.Bmp;
        if (start.StartsWith("GIF8"u8))
            return PictureFormat.Gif;
        if (IsTiff(start))
            return PictureFormat.Tiff;
        if (PnmHeader.Matches(start))
            return PictureFormat.Pnm;
        return TgaHeader.HasEnding(name) && OtherPicture(start) is null && TgaHeader.Read(start) is not null
            ? PictureFormat.Tga : PictureFormat.Unknown;
    }

    /// <summary>Whether it claims to be a JPEG.</summary>
    public static bool IsJpeg(ReadOnlySpan<byte> start) => start.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]);

    /// <summary>Whether it claims to be a WebP.</summary>
    public static bool IsWebP(ReadOnlySpan<byte> start) =>
        start.Length >= Length && start.StartsWith("RIFF"u8) && start[8..].StartsWith("WEBP"u8);

    /// <summary>Whether it claims to be a PNG.</summary>
    public static bool IsPng(ReadOnlySpan<byte> start) =>
        start.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);

    /// <summary>Whether it claims to be a TIFF, and not the raw camera format that begins as one.</summary>
    public static bool IsTiff(ReadOnlySpan<byte> start) => TiffFile.IsTiff(start) && !IsCr2(start);

    /// <summary>Why a file that starts so is no picture that is read, and what to do about it.</summary>
    public static string Reason(ReadOnlySpan<byte> start) => OtherPicture(start) is { } format ? NotRead(format)
        : $"it is {OtherFile(start)}not a {Formats} picture";

    /// <summary>What to do about a picture of a format that is not read.</summary>
    public static string NotRead(string format) =>
        $"it is {(format[0] is 'A' or 'I' ? "an" : "a")} {format} picture, which is not read: convert it to PNG or JPEG";

    private static bool IsCr2(ReadOnlySpan<byte> start) =>
        start.Length > 10 && start.StartsWith("II*\0"u8) && start[8..].StartsWith("CR"u8);

    /// <summary>The format of a picture that is known but not read, or null.</summary>
    public static string? OtherPicture(ReadOnlySpan<byte> start)
    {
        if (start.Length >= Length && start[4..].StartsWith("ftyp"u8))
        {
            var brand = start.Slice(8, 4);
            if (brand.SequenceEqual("avif"u8) || brand.SequenceEqual("avis"u8))
                return "AVIF";
            if (brand.StartsWith("hei"u8) || brand.StartsWith("hev"u8) || brand.SequenceEqual("mif1"u8) || brand.SequenceEqual("msf1"u8))
                return start.IndexOf("avif"u8) > 0 ? "AVIF" : "HEIC";
            return brand.SequenceEqual("crx "u8) ? "raw camera (CR3)" : null;
        }
        if (IsCr2(start))
            return "raw camera (CR2)";
        if (start.StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 12, (byte)'j', (byte)'P'])
            || start.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x4F, 0xFF, 0x51]))
            return "JPEG 2000";
        if (start.StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 12, (byte)'J', (byte)'X', (byte)'L'])
            || start.StartsWith((ReadOnlySpan<byte>)[0xFF, 0x0A]))
            return "JPEG XL";
        if (start.StartsWith("8BPS"u8))
            return "Photoshop";
        if (start.StartsWith("v/1\x01"u8))
            return "OpenEXR";
        if (start.StartsWith("#?RADIANCE"u8))
            return "Radiance";
        if (start.StartsWith((ReadOnlySpan<byte>)[0, 0, 1, 0]) && start.Length > 5 && start[4] > 0 && start[5] == 0)
            return "ICO";
        if (start.StartsWith("DDS "u8))
            return "DDS";
        if (start.StartsWith("DICM"u8) || start.StartsWith("gimp xcf"u8))
            return start[0] == 'D' ? "DICOM" : "GIMP";
        if (start.StartsWith("FUJIFILMCCD-RAW"u8) || start.StartsWith("IIRO"u8) || start.StartsWith("IIU\0"u8))
            return "raw camera";
        return start.Length > 3 && start[0] == 10 && start[1] <= 5 && start[2] == 1 && start[3] is 1 or 2 or 4 or 8 ? "PCX" : null;
    }

    private static string OtherFile(ReadOnlySpan<byte> start)
    {
        var text = start.TrimStart(" \t\r\n\uFEFF"u8);
        if (text.StartsWith("<!DOCTYPE h"u8) || text.StartsWith("<!doctype h"u8) || text.StartsWith("<html"u8)
            || text.StartsWith("<HTML"u8))
            return "a page of the web (HTML), ";
        if (text.StartsWith("<svg"u8) || text.StartsWith("<?xml"u8))
            return "XML or SVG, ";
        if (text.StartsWith("version https://git-lfs"u8))
            return "a pointer of Git LFS (fetch the files with 'git lfs pull'), ";
        if (start.StartsWith("%PDF"u8))
            return "a PDF document, ";
        if (start.StartsWith("PK\x03\x04"u8) || start.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
            return "an archive, ";
        if (start.Length >= Length && start[4..].StartsWith("ftyp"u8))
            return "a film, ";
        return start.Length > 0 && start.IndexOfAnyExcept((byte)0) < 0 ? "nothing but zeros, " : "";
    }
}
