using Dino.Pictures.Decoding;
using Dino.Pictures.Transforms;

namespace Dino.Pictures.Loading;

/// <summary>A single picture as evaluation sees it: what an <see cref="EvalLoader"/> makes of each of a folder.</summary>
public static class EvalPicture
{
    /// <summary>
    /// The shorter side, in pixels, that a picture is resized to before the central square of S pixels is cut: S · 256 / 224.
    /// </summary>
    public static int ResizeSize(int size) => (int)Math.Round(size * 256 / 224.0);

    /// <summary>Reads a picture: the shorter side to <see cref="ResizeSize"/> (bicubic), the central square, normalised.</summary>
    /// <param name="path">The file.</param>
    /// <param name="size">S, the side of the square in pixels.</param>
    /// <param name="channels">C: 1 (grey), 3 (RGB) or 4 (RGB and opacity).</param>
    /// <returns>(C, S, S)</returns>
    /// <exception cref="ImageDecodeException">The file is missing, or no picture that can be read.</exception>
    /// <exception cref="ArgumentException">There are no such pictures.</exception>
    public static float[] Read(string path, int size, int channels = 3)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        var normalize = Normalize.For(channels);
        using var decoder = new ImageDecoder { Channels = channels };
        RgbImage picture = new(), square = new();
        decoder.Decode(path, picture);
        new Resample().ResizeAndCentreCrop(picture, square, ResizeSize(size), size);
        float[] pixels = new float[channels * size * size];
        normalize.Apply(square, pixels);
        return pixels;
    }
}
