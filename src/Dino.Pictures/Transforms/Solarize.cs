using Dino.Pictures.Decoding;

namespace Dino.Pictures.Transforms;

/// <summary>v &lt; threshold ? v : 255 − v, as Pillow's <c>ImageOps.solarize</c>.</summary>
public static class Solarize
{
    /// <summary>The threshold of the reference.</summary>
    public const int DefaultThreshold = 128;

    /// <summary>Inverts in place every value not below the threshold.</summary>
    public static void Apply(RgbImage image, int threshold = DefaultThreshold)
    {
        Span<byte> table = stackalloc byte[PixelTable.Size];
        for (int v = 0; v < table.Length; v++)
            table[v] = (byte)(v < threshold ? v : 255 - v);
        PixelTable.Apply(image, table);
    }
}
