using Dino.Pictures.Decoding;

namespace Dino.Pictures.Transforms;

/// <summary>Mirrors a picture top to bottom.</summary>
public static class VerticalFlip
{
    /// <summary>Reverses the order of the rows, in place.</summary>
    public static void Apply(RgbImage image)
    {
        if (image.Opacity is { } opacity)
            Apply(opacity);
        for (int top = 0, bottom = image.Height - 1; top < bottom; top++, bottom--)
        {
            Span<byte> a = image.Row(top), b = image.Row(bottom);
            for (int i = 0; i < a.Length; i++)
                (a[i], b[i]) = (b[i], a[i]);
        }
    }
}
