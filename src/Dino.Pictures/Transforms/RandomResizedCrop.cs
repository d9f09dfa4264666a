using Dino.Tensors.Random;

namespace Dino.Pictures.Transforms;

/// <summary>A share of the picture's area, from <paramref name="Low"/> to <paramref name="High"/>, both in (0, 1].</summary>
public readonly record struct CropScale(double Low, double High);

/// <summary>Width over height of a crop, from <paramref name="Low"/> to <paramref name="High"/>, both above 0.</summary>
public readonly record struct CropRatio(double Low, double High)
{
    /// <summary>3/4 … 4/3, torchvision's.</summary>
    public static CropRatio Default { get; } = new(3.0 / 4.0, 4.0 / 3.0);
}

/// <summary>
/// The box of torchvision's <c>RandomResizedCrop</c>: an area A · U(scale), an aspect ratio log-uniform in its range, ten tries to
/// fit it, then the central crop with the ratio clamped.
/// </summary>
public static class RandomResizedCrop
{
    private const int Tries = 10;

    /// <summary>Draws a box inside a picture of the given size, its ratio in 3/4 … 4/3.</summary>
    public static CropBox Draw(int width, int height, CropScale scale, ref PhiloxStream random) =>
        Draw(width, height, scale, CropRatio.Default, ref random);

    /// <summary>Draws a box inside a picture of the given size.</summary>
    public static CropBox Draw(int width, int height, CropScale scale, CropRatio ratio, ref PhiloxStream random)
    {
        for (int i = 0; i < Tries; i++)
        {
            (int w, int h) = Size(width, height, scale, ratio, random.NextDouble(), random.NextDouble());
            if (w > 0 && w <= width && h > 0 && h <= height)
            {
                int top = random.NextInt(height - h + 1), left = random.NextInt(width - w + 1);
                return new CropBox(left, top, w, h);
            }
        }
        return Fallback(width, height, ratio);
    }

    /// <summary>Width and height for two uniform numbers in [0, 1), with a ratio in 3/4 … 4/3.</summary>
    public static (int Width, int Height) Size(int width, int height, CropScale scale, double uArea, double uRatio) =>
        Size(width, height, scale, CropRatio.Default, uArea, uRatio);

    /// <summary>Width and height for two uniform numbers in [0, 1); they may be larger than the picture, or 0.</summary>
    public static (int Width, int Height) Size(
        int width, int height, CropScale scale, CropRatio ratios, double uArea, double uRatio)
    {
        double area = (double)width * height * (scale.Low + (scale.High - scale.Low) * uArea);
        double low = Math.Log(ratios.Low), high = Math.Log(ratios.High);
        double ratio = Math.Exp(low + (high - low) * uRatio);
        return ((int)Math.Round(Math.Sqrt(area * ratio)), (int)Math.Round(Math.Sqrt(area / ratio))); // half to even, as Python
    }

    /// <summary>The largest central box whose aspect ratio lies in 3/4 … 4/3.</summary>
    public static CropBox Fallback(int width, int height) => Fallback(width, height, CropRatio.Default);

    /// <summary>The largest central box whose aspect ratio lies in a range.</summary>
    public static CropBox Fallback(int width, int height, CropRatio ratios)
    {
        double ratio = (double)width / height;
        int w = width, h = height;
        if (ratio < ratios.Low)
            h = Math.Max(1, (int)Math.Round(width / ratios.Low));
        else if (ratio > ratios.High)
            w = Math.Max(1, (int)Math.Round(height * ratios.High));
        return new CropBox((width - w) / 2, (height - h) / 2, w, h);
    }
}
