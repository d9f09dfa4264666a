using System.Runtime.InteropServices;
using Dino.Pictures.Decoding;

namespace Dino.Pictures.Transforms;

/// <summary>Mirrors a picture left to right.</summary>
public static class HorizontalFlip
{
    /// <summary>Reverses the order of the pixels of every row, in place.</summary>
    public static void Apply(RgbImage image)
    {
        if (image.Opacity is { } opacity)
            Apply(opacity);
        for (int y = 0; y < image.Height; y++)
            MemoryMarshal.Cast<byte, Rgb>(image.Row(y)).Reverse();
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private readonly record struct Rgb(byte R, byte G, byte B);
}
