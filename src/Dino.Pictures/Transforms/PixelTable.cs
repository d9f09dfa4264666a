using Dino.Pictures.Decoding;

namespace Dino.Pictures.Transforms;

/// <summary>Changes that treat every byte alike: a table of 256 results, applied in place.</summary>
internal static class PixelTable
{
    /// <summary>The size of a table.</summary>
    public const int Size = 256;

    /// <summary>Replaces every byte v of the image by table[v].</summary>
    public static void Apply(RgbImage image, ReadOnlySpan<byte> table)
    {
        table = table[..Size]; // lets the loop index by a byte without a range check
        Span<byte> pixels = image.Pixels;
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = table[pixels[i]];
    }

    /// <summary>
    /// base + factor · (v − base) for one base: in float32, clipped, then truncated as Pillow's <c>Image.blend</c> does.
    /// Base 0 is brightness, the mean grey is contrast.
    /// </summary>
    public static void Blend(Span<byte> table, int level, double factor)
    {
        float f = (float)factor, start = level;
        for (int v = 0; v < Size; v++)
            table[v] = (byte)Math.Clamp(start + f * (v - start), 0f, 255f);
    }
}
