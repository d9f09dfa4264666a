using Dino.Tensors.Kernels;

namespace Dino.Pictures.Cutting;

/// <summary>A pixel of 8 bits a channel in one word, R lowest: a word a thread is what GPUs read best.</summary>
internal static class PackedPixel
{
    private const int FractionBits = 22;

    /// <summary>What a sum of weighted values starts with, so that dropping its fraction rounds.</summary>
    public const int Half = 1 << (FractionBits - 1);

    public static int Red(int pixel) => pixel & 255;

    public static int Green(int pixel) => (pixel >> 8) & 255;

    public static int Blue(int pixel) => (pixel >> 16) & 255;

    public static int Pack(int r, int g, int b) => r | (g << 8) | (b << 16);

    /// <summary>Three weighted sums, rounded and kept within 8 bits.</summary>
    public static int FromSums(int r, int g, int b) => Pack(Level(r), Level(g), Level(b));

    /// <summary>The pixel at a byte of a picture; its three bytes lie in one or two words.</summary>
    public static int At(ViewMemory block, int picture, int firstByte)
    {
        int word = picture + (firstByte >> 2);
        ulong two = (uint)block.Int(word) | ((ulong)(uint)block.Int(word + 1) << 32);
        return (int)(two >> (8 * (firstByte & 3))) & 0xffffff;
    }

    /// <summary>Pillow's grey value of ITU-R 601: (19595 R + 38470 G + 7471 B + 2¹⁵) / 2¹⁶.</summary>
    public static int Luma(int pixel) => (Red(pixel) * 19595 + Green(pixel) * 38470 + Blue(pixel) * 7471 + 0x8000) >> 16;

    private static int Level(int sum)
    {
        int level = sum >> FractionBits;
        return level < 0 ? 0 : level > 255 ? 255 : level;
    }
}
