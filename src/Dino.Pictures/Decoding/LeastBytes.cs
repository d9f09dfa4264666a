namespace Dino.Pictures.Decoding;

/// <summary>
/// The bytes that no file of a picture can do without. A header of some bytes may state what takes seconds and hundreds of megabytes to
/// fill with grey.
/// </summary>
internal static class LeastBytes
{
    /// <summary>Smaller pictures are cheap enough to find out.</summary>
    private const long SmallPixels = 1 << 24;

    // Each block of 8 × 8 takes a bit at least.
    private const int JpegPixelsToAByte = 512;

    // Deflate's longest match is 258 bytes, for two bits.
    private const int PngBytesToAByte = 1032;

    /// <summary>The least length of a file; 0 where that is not known, or does not matter.</summary>
    public static long Of(in PictureHeader header) => header.Pixels <= SmallPixels ? 0 : header.Format switch
    {
        PictureFormat.Jpeg => header.Pixels / JpegPixelsToAByte,
        PictureFormat.Png => header.StoredBytes / PngBytesToAByte,
        _ => 0,
    };
}
