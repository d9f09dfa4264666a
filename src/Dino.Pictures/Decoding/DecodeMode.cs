namespace Dino.Pictures.Decoding;

/// <summary>Which library reads the pictures that more than one can read.</summary>
public enum DecodeMode
{
    /// <summary>SkiaSharp, whose JPEGs are Pillow's to the bit.</summary>
    Exact,

    /// <summary>ImageSharp for sequential JPEGs: quicker; those with halved colours differ a little.</summary>
    Fast,
}
