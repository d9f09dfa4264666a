using Dino.Pictures.Decoding;
using SkiaSharp;

namespace Dino.Testing.Runs;

/// <summary>Pictures with opacity.</summary>
public static class RgbaPictures
{
    /// <summary>Colours that differ from pixel to pixel, with opacities 0, 255, 128, 37, 200, 90 in turn.</summary>
    public static RgbImage Rgba(int width, int height)
    {
        byte[] opacities = [0, 255, 128, 37, 200, 90];
        var image = new RgbImage(width, height) { Opacity = new RgbImage(width, height) };
        for (int i = 0; i < width * height; i++)
        {
            ((ReadOnlySpan<byte>)[(byte)(37 * i), (byte)(91 * i + 20), (byte)(53 * i + 7)]).CopyTo(image.Pixels[(3 * i)..]);
            image.Opacity.Pixels.Slice(3 * i, 3).Fill(opacities[i % 6]);
        }
        return image;
    }

    public static void WriteRgba(string path, RgbImage image)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        Interleaved(image).CopyTo(bitmap.GetPixelSpan());
        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        File.WriteAllBytes(path, data.ToArray());
    }

    public static byte[] Interleaved(RgbImage image) =>
        [.. Enumerable.Range(0, image.Width * image.Height)
            .SelectMany(i => (byte[])[.. image.Pixels.Slice(3 * i, 3), image.Opacity!.Pixels[3 * i]])];
}
