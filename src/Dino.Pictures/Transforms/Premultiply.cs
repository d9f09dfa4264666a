using Dino.Pictures.Decoding;

namespace Dino.Pictures.Transforms;

/// <summary>
/// Colours times their opacity and back, as Pillow's modes RGBA and RGBa: a resize of a picture with opacity must not mix in the colours of
/// what is
/// not to be seen. Bit for bit Pillow's.
/// </summary>
internal static class Premultiply
{
    /// <summary>Writes the picture's colours times its opacity.</summary>
    public static void Apply(RgbImage picture, RgbImage opacity, RgbImage result)
    {
        result.Reshape(picture.Width, picture.Height);
        ReadOnlySpan<byte> colours = picture.Pixels, alpha = opacity.Pixels;
        Span<byte> products = result.Pixels;
        for (int i = 0; i < products.Length; i++)
        {
            int product = colours[i] * alpha[i] + 128;
            products[i] = (byte)((product + (product >> 8)) >> 8);
        }
    }

    /// <summary>Divides the colours by the opacity, in place; where there is none they stay.</summary>
    public static void Undo(RgbImage picture, RgbImage opacity)
    {
        Span<byte> colours = picture.Pixels;
        ReadOnlySpan<byte> alpha = opacity.Pixels;
        for (int i = 0; i < colours.Length; i++)
        {
            if (alpha[i] is not (0 or 255) and var a)
                colours[i] = (byte)Math.Min(255, 255 * colours[i] / a);
        }
    }
}
