using Dino.Tensors.Io;
using SkiaSharp;

namespace Dino.Pictures.Writing;

/// <summary>Writes PNG files; each appears whole under its name or not at all.</summary>
public static class Png
{
    /// <summary>Writes height·width·3 bytes, row by row, red first.</summary>
    public static void WriteRgb(string path, ReadOnlySpan<byte> rgb, int width, int height)
    {
        Check(rgb.Length, 3 * width * height, width, height);
        using var bitmap = ToBitmap(rgb, width, height);
        Write(path, bitmap);
    }

    /// <summary>Writes height·width bytes as a grey picture.</summary>
    public static void WriteGray(string path, ReadOnlySpan<byte> gray, int width, int height)
    {
        Check(gray.Length, width * height, width, height);
        using var bitmap = new SKBitmap(width, height, SKColorType.Gray8, SKAlphaType.Opaque);
        var pixels = bitmap.GetPixelSpan();
        for (int row = 0; row < height; row++)
            gray.Slice(row * width, width).CopyTo(pixels[(row * bitmap.RowBytes)..]);
        Write(path, bitmap);
    }

    internal static SKBitmap ToBitmap(ReadOnlySpan<byte> rgb, int width, int height)
    {
        var bitmap = new SKBitmap(width, height, SKColorType.Rgb888x, SKAlphaType.Opaque);
        var pixels = bitmap.GetPixelSpan();
        for (int row = 0; row < height; row++)
        {
            int to = row * bitmap.RowBytes, from = 3 * row * width;
            for (int column = 0; column < width; column++, from += 3, to += 4)
                (pixels[to], pixels[to + 1], pixels[to + 2], pixels[to + 3]) = (rgb[from], rgb[from + 1], rgb[from + 2], 255);
        }
        return bitmap;
    }

    internal static void Write(string path, SKBitmap bitmap)
    {
        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100)
            ?? throw new InvalidOperationException($"Cannot encode a {bitmap.Width}×{bitmap.Height} picture as PNG for {path}.");
        AtomicFile.Write(path, data.SaveTo);
    }

    private static void Check(int length, int expected, int width, int height)
    {
        if (length != expected)
            throw new ArgumentException($"A {width}×{height} picture needs {expected} bytes, not {length}.");
    }
}
