using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Dino.Pictures.Decoding;

namespace Dino.Pictures.Transforms;

/// <summary>
/// Colour jitter, grey and solarisation of floats of 0 … 1, in place, by torchvision's formulas for tensors; grey values are those of
/// ITU-R 601, as with 8 bits. A picture of three channels has colours, and so has one of four, whose fourth they leave alone. Of another
/// number nobody knows what a channel shows: all of them become brighter and richer in contrast together, and have neither hue nor
/// saturation.
/// </summary>
internal static class FloatColors
{
    private const float Red = 0.299f, Green = 0.587f, Blue = 0.114f;

    /// <summary>The operations of a plan in their order; those that need colours are left out where there are none.</summary>
    public static void Jitter(FloatImage image, in JitterPlan plan)
    {
        for (int i = 0; i < JitterPlan.Operations; i++)
        {
            if (plan.Factor(plan.Operation(i)) is { } factor)
                Apply(image, plan.Operation(i), (float)factor);
        }
    }

    /// <summary>One operation by its name.</summary>
    public static void Apply(FloatImage image, ColorOperation operation, float factor)
    {
        switch (operation)
        {
            case ColorOperation.Brightness:
                for (int c = 0; c < Planes(image); c++)
                    Blend(image.Plane(c), 0, factor);
                break;
            case ColorOperation.Contrast:
                float mean = Mean(image);
                for (int c = 0; c < Planes(image); c++)
                    Blend(image.Plane(c), mean, factor);
                break;
            case ColorOperation.Saturation when HasColors(image):
                Saturation(image, factor);
                break;
            case ColorOperation.Hue when HasColors(image):
                Hue(image, factor);
                break;
        }
    }

    /// <summary>Replaces the three colours by the grey value; without colours nothing happens.</summary>
    public static void Grayscale(FloatImage image)
    {
        if (HasColors(image))
            Saturation(image, 0);
    }

    /// <summary>v &lt; threshold ? v : 1 − v.</summary>
    public static void Solarize(FloatImage image, float threshold)
    {
        for (int c = 0; c < Planes(image); c++)
        {
            var plane = image.Plane(c);
            for (int i = 0; i < plane.Length; i++)
                plane[i] = plane[i] < threshold ? plane[i] : 1 - plane[i];
        }
    }

    private static bool HasColors(FloatImage image) => image.Channels is 3 or 4;

    /// <summary>The channels that colour operations change.</summary>
    private static int Planes(FloatImage image) => HasColors(image) ? 3 : image.Channels;

    /// <summary>The mean grey value; without colours the mean of all channels.</summary>
    private static float Mean(FloatImage image)
    {
        double total = 0;
        for (int c = 0; c < Planes(image); c++)
        {
            double sum = 0;
            foreach (float value in image.Plane(c))
                sum += value;
            total += HasColors(image) ? sum * (c == 0 ? Red : c == 1 ? Green : Blue) : sum / image.Channels;
        }
        return (float)(total / (image.Width * image.Height));
    }

    /// <summary>factor · v + (1 − factor) · level, clamped.</summary>
    private static void Blend(Span<float> values, float level, float factor)
    {
        float other = (1 - factor) * level;
        ref float first = ref MemoryMarshal.GetReference(values);
        int i = 0;
        for (; i <= values.Length - 8; i += 8)
            Clamped(Vector256.LoadUnsafe(ref first, (nuint)i) * factor + Vector256.Create(other)).StoreUnsafe(ref first, (nuint)i);
        for (; i < values.Length; i++)
            values[i] = Math.Clamp(values[i] * factor + other, 0, 1);
    }

    /// <summary>factor · v + (1 − factor) · grey, clamped.</summary>
    private static void Saturation(FloatImage image, float factor)
    {
        Span<float> r = image.Plane(0), g = image.Plane(1), b = image.Plane(2);
        ref float red = ref MemoryMarshal.GetReference(r);
        ref float green = ref MemoryMarshal.GetReference(g);
        ref float blue = ref MemoryMarshal.GetReference(b);
        int i = 0;
        for (; i <= r.Length - 8; i += 8)
        {
            Vector256<float> x = Vector256.LoadUnsafe(ref red, (nuint)i), y = Vector256.LoadUnsafe(ref green, (nuint)i),
                z = Vector256.LoadUnsafe(ref blue, (nuint)i), grey = (x * Red + y * Green + z * Blue) * (1 - factor);
            Clamped(x * factor + grey).StoreUnsafe(ref red, (nuint)i);
            Clamped(y * factor + grey).StoreUnsafe(ref green, (nuint)i);
            Clamped(z * factor + grey).StoreUnsafe(ref blue, (nuint)i);
        }
        for (; i < r.Length; i++)
        {
            float grey = (r[i] * Red + g[i] * Green + b[i] * Blue) * (1 - factor);
            r[i] = Math.Clamp(r[i] * factor + grey, 0, 1);
            g[i] = Math.Clamp(g[i] * factor + grey, 0, 1);
            b[i] = Math.Clamp(b[i] * factor + grey, 0, 1);
        }
    }

    /// <summary>RGB → HSV, hue turned by a share of the circle, → RGB: torchvision's <c>adjust_hue</c>.</summary>
    private static void Hue(FloatImage image, float factor)
    {
        Span<float> r = image.Plane(0), g = image.Plane(1), b = image.Plane(2);
        for (int i = 0; i < r.Length && i < g.Length && i < b.Length; i++)
        {
            float red = r[i], green = g[i], blue = b[i];
            float top = Math.Max(red, Math.Max(green, blue)), span = top - Math.Min(red, Math.Min(green, blue));
            if (span == 0)
                continue; // grey has no hue
            float saturation = span / top, sector;
            if (red == top)
                sector = (green - blue) / span;
            else if (green == top)
                sector = 2 + (blue - red) / span;
            else
                sector = 4 + (red - green) / span;
            float hue = sector / 6 + 1 + factor;
            hue = 6 * (hue - MathF.Floor(hue));
            int whole = Math.Min((int)hue, 5);
            float part = hue - whole;
            float p = top * (1 - saturation), q = top * (1 - saturation * part), t = top * (1 - saturation * (1 - part));
            (r[i], g[i], b[i]) = whole switch
            {
                0 => (top, t, p),
                1 => (q, top, p),
                2 => (p, top, t),
                3 => (p, q, top),
                4 => (t, p, top),
                _ => (top, p, q),
            };
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Clamped(Vector256<float> values) =>
        Vector256.Min(Vector256.Max(values, Vector256<float>.Zero), Vector256<float>.One);
}
