using Dino.Pictures.Decoding;
using Dino.Pictures.Transforms;

namespace Dino.Pictures.Loading;

/// <summary>
/// A single picture as evaluation sees it: what an <see cref="EvalLoader"/> makes of each of a folder. Safe to call from many threads.
/// </summary>
public static class EvalPicture
{
    /// <summary>
    /// The shorter side, in pixels, that a picture is resized to before the central square of S pixels is cut: S · 256 / 224.
    /// </summary>
    public static int ResizeSize(int size) => (int)Math.Round(size * 256 / 224.0);

    /// <summary>Reads a picture: the shorter side to <see cref="ResizeSize"/> (bicubic), the central square, normalised.</summary>
    /// <param name="path">The file.</param>
    /// <param name="size">S, the side of the square in pixels.</param>
    /// <param name="channels">C: 1 (grey), 3 (RGB), 4 (RGB and opacity) or the number of bands that the file has.</param>
    /// <param name="preprocessing">How stored values become inputs; null for 8 bits and ImageNet's mean and deviation.</param>
    /// <returns>(C, S, S)</returns>
    /// <exception cref="ImageDecodeException">The file is missing, or no picture that can be read.</exception>
    /// <exception cref="ArgumentException">There are no such pictures.</exception>
    public static float[] Read(string path, int size, int channels = 3, Preprocessing? preprocessing = null)
    {
        Check(size, channels, preprocessing);
        using var input = PictureInput.OfFile(path);
        return Read(input, size, channels, preprocessing);
    }

    /// <summary>Reads a picture from where a stream stands to its end; the stream stays open.</summary>
    /// <param name="stream">The bytes of a file.</param>
    /// <param name="size">S, the side of the square in pixels.</param>
    /// <param name="channels">C: 1 (grey), 3 (RGB), 4 (RGB and opacity) or the number of bands that the file has.</param>
    /// <param name="preprocessing">How stored values become inputs; null for 8 bits and ImageNet's mean and deviation.</param>
    /// <returns>(C, S, S)</returns>
    /// <exception cref="ImageDecodeException">They are no picture that can be read.</exception>
    /// <exception cref="ArgumentException">There are no such pictures.</exception>
    public static float[] Read(Stream stream, int size, int channels = 3, Preprocessing? preprocessing = null)
    {
        Check(size, channels, preprocessing);
        using var input = PictureInput.OfStream(stream);
        return Read(input, size, channels, preprocessing);
    }

    /// <summary>Reads a picture that is in memory.</summary>
    /// <param name="bytes">The bytes of a file.</param>
    /// <param name="size">S, the side of the square in pixels.</param>
    /// <param name="channels">C: 1 (grey), 3 (RGB), 4 (RGB and opacity) or the number of bands that the file has.</param>
    /// <param name="preprocessing">How stored values become inputs; null for 8 bits and ImageNet's mean and deviation.</param>
    /// <returns>(C, S, S)</returns>
    /// <exception cref="ImageDecodeException">They are no picture that can be read.</exception>
    /// <exception cref="ArgumentException">There are no such pictures.</exception>
    public static float[] Read(ReadOnlyMemory<byte> bytes, int size, int channels = 3, Preprocessing? preprocessing = null)
    {
        Check(size, channels, preprocessing);
        using var input = PictureInput.OfBytes(bytes);
        return Read(input, size, channels, preprocessing);
    }

    /// <summary>Reads a picture from wherever its bytes are.</summary>
    /// <param name="input">The bytes of a file.</param>
    /// <param name="size">S, the side of the square in pixels.</param>
    /// <param name="channels">C: 1 (grey), 3 (RGB), 4 (RGB and opacity) or the number of bands that the file has.</param>
    /// <param name="preprocessing">How stored values become inputs; null for 8 bits and ImageNet's mean and deviation.</param>
    /// <returns>(C, S, S)</returns>
    /// <exception cref="ImageDecodeException">They are no picture that can be read.</exception>
    /// <exception cref="ArgumentException">There are no such pictures.</exception>
    public static float[] Read(PictureInput input, int size, int channels = 3, Preprocessing? preprocessing = null)
    {
        Check(size, channels, preprocessing);
        using var reader = new PictureReader(preprocessing, channels);
        DecodedPicture picture = new(), square = new();
        reader.Read(input, picture);
        new PictureResize().ResizeAndCentreCrop(picture, square, ResizeSize(size), size);
        float[] pixels = new float[channels * size * size];
        reader.Normalize.Apply(square, pixels);
        return pixels;
    }

    private static void Check(int size, int channels, Preprocessing? preprocessing)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        _ = (preprocessing ?? new Preprocessing()).NormalizeFor(channels);
    }
}
