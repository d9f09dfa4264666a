namespace Dino.Pictures.Decoding;

/// <summary>What a file's first bytes, or its name, say that it is.</summary>
internal enum PictureFormat
{
    Unknown,
    Jpeg,
    Png,
    WebP,
    Bmp,
    Gif,
    Tiff,
    Pnm,
    Tga,
}
