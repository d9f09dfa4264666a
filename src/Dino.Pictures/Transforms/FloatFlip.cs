using Dino.Pictures.Decoding;

namespace Dino.Pictures.Transforms;

/// <summary>Mirrors every channel of a picture of floats.</summary>
internal static class FloatFlip
{
    /// <summary>Left and right change places.</summary>
    public static void Horizontal(FloatImage image)
    {
        var values = image.Values;
        for (int start = 0; start < values.Length; start += image.Width)
            values.Slice(start, image.Width).Reverse();
    }

    /// <summary>Top and bottom change places.</summary>
    public static void Vertical(FloatImage image)
    {
        float[] row = new float[image.Width];
        for (int c = 0; c < image.Channels; c++)
        {
            var plane = image.Plane(c);
            for (int top = 0, bottom = image.Height - 1; top < bottom; top++, bottom--)
            {
                Span<float> upper = plane.Slice(top * image.Width, image.Width), lower = plane.Slice(bottom * image.Width, image.Width);
                upper.CopyTo(row);
                lower.CopyTo(upper);
                row.CopyTo(lower);
            }
        }
    }
}
