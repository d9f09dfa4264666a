using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Dino.Pictures.Decoding;

namespace Dino.Pictures.Transforms;

/// <summary>The four operations of colour jitter, in torchvision's numbering.</summary>
public enum ColorOperation
{
    /// <summary>Blend with black.</summary>
    Brightness,

    /// <summary>Blend with the mean grey of the picture.</summary>
    Contrast,

    /// <summary>Blend with the grey picture.</summary>
    Saturation,

    /// <summary>Turn the colour wheel.</summary>
    Hue,
}

/// <summary>Colour operations on 8-bit pictures, in place, bit for bit as torchvision on Pillow images.</summary>
public static class ColorJitter
{
    /// <summary>v · factor.</summary>
    public static void Brightness(RgbImage image, double factor)
    {
        Span<byte> table = stackalloc byte[PixelTable.Size];
        PixelTable.Blend(table, 0, factor);
        PixelTable.Apply(image, table);
    }

    /// <summary>m + factor · (v − m), m the mean grey of the whole picture.</summary>
    public static void Contrast(RgbImage image, double factor)
    {
        Span<byte> table = stackalloc byte[PixelTable.Size];
        PixelTable.Blend(table, Grayscale.Mean(image), factor);
        PixelTable.Apply(image, table);
    }

    /// <summary>g + factor · (v − g), g the grey value of the pixel.</summary>
    public static void Saturation(RgbImage image, double factor)
    {
        ref byte pixels = ref MemoryMarshal.GetReference(image.Padded);
        var f = Vector256.Create((float)factor);
        for (int i = 0, bytes = image.Pixels.Length; i < bytes; i += PixelLanes.Bytes)
        {
            ref byte at = ref Unsafe.Add(ref pixels, i);
            (Vector256<int> r, Vector256<int> g, Vector256<int> b) = PixelLanes.Load(ref at);
            Vector256<int> grey = PixelLanes.Luma(r, g, b);
            PixelLanes.Store(ref at, Blend(grey, r, f), Blend(grey, g, f), Blend(grey, b, f));
        }
    }

    /// <summary>Turns the hue by <paramref name="factor"/> of a full circle, −0.5 … 0.5, in Pillow's 8-bit HSV.</summary>
    public static void Hue(RgbImage image, double factor) => HueShift.Apply(image, factor);

    /// <summary>One operation by its name.</summary>
    public static void Apply(RgbImage image, ColorOperation operation, double factor)
    {
        switch (operation)
        {
            case ColorOperation.Brightness:
                Brightness(image, factor);
                break;
            case ColorOperation.Contrast:
                Contrast(image, factor);
                break;
            case ColorOperation.Saturation:
                Saturation(image, factor);
                break;
            case ColorOperation.Hue:
                Hue(image, factor);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(operation));
        }
    }

    /// <summary>The operations of a plan in their order.</summary>
    public static void Apply(RgbImage image, in JitterPlan plan)
    {
        for (int i = 0; i < JitterPlan.Operations; i++)
        {
            if (plan.Factor(plan.Operation(i)) is { } factor)
                Apply(image, plan.Operation(i), factor);
        }
    }

    // Multiply, then add: a fused multiply-add would round differently from Pillow.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Blend(Vector256<int> from, Vector256<int> to, Vector256<float> factor)
    {
        Vector256<float> value = Vector256.ConvertToSingle(from) + factor * Vector256.ConvertToSingle(to - from);
        return Vector256.ConvertToInt32(Vector256.Min(Vector256.Max(value, Vector256<float>.Zero), Vector256.Create(255f)));
    }
}
