namespace Dino.Pictures.Decoding;

/// <summary>
/// A picture between its file and a network: of 8 bits or, where its depth is kept, of floats that were scaled to 0 … 1.
/// </summary>
/// <remarks>Made to be reused, as the two that it consists of.</remarks>
public sealed class DecodedPicture
{
    /// <summary>An empty picture, to be read into.</summary>
    public DecodedPicture() => Rgb = new RgbImage();

    /// <summary>A picture of 8 bits, which is not copied.</summary>
    public DecodedPicture(RgbImage picture) => Rgb = picture;

    /// <summary>Whether it is of floats.</summary>
    public bool IsDeep { get; internal set; }

    /// <summary>Width in pixels.</summary>
    public int Width => IsDeep ? Floats.Width : Rgb.Width;

    /// <summary>Height in pixels.</summary>
    public int Height => IsDeep ? Floats.Height : Rgb.Height;

    /// <summary>The pixels unless <see cref="IsDeep"/>.</summary>
    internal RgbImage Rgb { get; }

    /// <summary>The values from 0 to 1 if <see cref="IsDeep"/>.</summary>
    internal FloatImage Floats { get; } = new();

    /// <summary>Bytes that a copy takes.</summary>
    internal long Bytes => IsDeep ? (long)sizeof(float) * Floats.Values.Length
        : (Rgb.Opacity is null ? 1L : 2L) * (Rgb.Pixels.Length + RgbImage.Padding);

    /// <summary>Makes this picture equal to another.</summary>
    internal void CopyFrom(DecodedPicture source)
    {
        IsDeep = source.IsDeep;
        if (IsDeep)
            Floats.CopyFrom(source.Floats);
        else
            Rgb.CopyFrom(source.Rgb);
    }

    /// <summary>
    /// The picture as people look at it, of 8 bits: of floats the first three channels, or the first one in grey where there are fewer.
    /// </summary>
    public RgbImage ToRgb()
    {
        var picture = new RgbImage();
        if (!IsDeep)
        {
            picture.CopyFrom(Rgb);
            return picture;
        }
        picture.Reshape(Width, Height);
        for (int c = 0; c < 3; c++)
        {
            var plane = Floats.Plane(Floats.Channels < 3 ? 0 : c);
            var pixels = picture.Pixels;
            for (int i = 0; i < plane.Length; i++)
                pixels[3 * i + c] = (byte)(plane[i] * 255 + 0.5f);
        }
        return picture;
    }

    /// <summary>A picture of 8 bits, which is not copied.</summary>
    public static implicit operator DecodedPicture(RgbImage picture) => new(picture);
}
