using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Dino.Pictures.Decoding;

namespace Dino.Pictures.Transforms;

/// <summary>Grey of three equal channels, as torchvision's <c>to_grayscale(3)</c> on Pillow's <c>convert("L")</c>.</summary>
public static class Grayscale
{
    /// <summary>Replaces each channel by the grey value (ITU-R 601), in place.</summary>
    public static void Apply(RgbImage image)
    {
        ref byte pixels = ref MemoryMarshal.GetReference(image.Padded);
        for (int i = 0, bytes = image.Pixels.Length; i < bytes; i += PixelLanes.Bytes)
        {
            ref byte at = ref Unsafe.Add(ref pixels, i);
            (Vector256<int> r, Vector256<int> g, Vector256<int> b) = PixelLanes.Load(ref at);
            Vector256<int> grey = PixelLanes.Luma(r, g, b);
            PixelLanes.Store(ref at, grey, grey, grey);
        }
    }

    /// <summary>The mean grey value of the picture, rounded half up: the level that contrast turns around.</summary>
    internal static int Mean(RgbImage image)
    {
        ReadOnlySpan<byte> pixels = image.Pixels;
        if (pixels.IsEmpty)
            return 0;
        ref byte first = ref MemoryMarshal.GetReference(pixels);
        long total = 0;
        int i = 0;
        while (i <= pixels.Length - PixelLanes.Bytes)
        {
            // 255 · 2²⁰ still fits a lane of 32 bits.
            Vector256<int> sum = Vector256<int>.Zero;
            int end = (int)Math.Min(pixels.Length - PixelLanes.Bytes, i + (long)PixelLanes.Bytes * (1 << 20));
            for (; i <= end; i += PixelLanes.Bytes)
            {
                (Vector256<int> r, Vector256<int> g, Vector256<int> b) = PixelLanes.Load(ref Unsafe.Add(ref first, i));
                sum += PixelLanes.Luma(r, g, b);
            }
            for (int lane = 0; lane < Vector256<int>.Count; lane++)
                total += sum[lane];
        }
        for (; i < pixels.Length; i += 3)
            total += PixelLanes.Luma(pixels[i], pixels[i + 1], pixels[i + 2]);
        return (int)((double)total / (pixels.Length / 3) + 0.5);
    }
}
