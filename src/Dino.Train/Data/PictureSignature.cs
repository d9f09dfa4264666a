namespace Dino.Train.Data;

/// <summary>Tells pictures from other files by their first bytes.</summary>
internal static class PictureSignature
{
    /// <summary>The formats, for messages.</summary>
    public const string Formats = "JPEG, PNG, WebP, BMP or GIF";

    /// <summary>Bytes needed to decide.</summary>
    public const int Length = 12;

    /// <summary>Whether a file that starts so claims to be a picture.</summary>
    public static bool Matches(ReadOnlySpan<byte> start) =>
        IsJpeg(start)
        || IsPng(start)
        || start.StartsWith("BM"u8)
        || start.StartsWith("GIF8"u8)
        || (start.Length >= Length && start.StartsWith("RIFF"u8) && start[8..].StartsWith("WEBP"u8));

    /// <summary>Whether it claims to be a JPEG.</summary>
    public static bool IsJpeg(ReadOnlySpan<byte> start) => start.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]);

    /// <summary>Whether it claims to be a PNG.</summary>
    public static bool IsPng(ReadOnlySpan<byte> start) =>
        start.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
}
