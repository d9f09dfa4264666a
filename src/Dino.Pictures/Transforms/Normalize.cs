using Dino.Pictures.Decoding;

namespace Dino.Pictures.Transforms;

/// <summary>
/// (v / 255 − mean) / deviation per channel, from bytes (H, W, 3) to floats (C, H, W): grey, RGB, or RGB and opacity. Pictures whose depth
/// was kept lie in 0 … 1 already, and may have any number of channels.
/// </summary>
/// <remarks>Torch's float32 arithmetic, in its order, once for each of the C · 256 possible values of a byte.</remarks>
public sealed class Normalize
{
    private static readonly double[] imageNetMean = [0.485, 0.456, 0.406], imageNetDeviation = [0.229, 0.224, 0.225];
    private static readonly Normalize grey = Of(1, imageNetMean, imageNetDeviation), withOpacity = Of(4, imageNetMean, imageNetDeviation);

    private readonly float[] mean, deviation;
    private readonly float[][] tables;

    /// <summary>Mean and standard deviation of ImageNet, the reference's.</summary>
    public static Normalize ImageNet { get; } = new(imageNetMean, imageNetDeviation);

    /// <summary>Makes the tables for so many means and as many standard deviations, of values in 0 … 1.</summary>
    public Normalize(ReadOnlySpan<double> mean, ReadOnlySpan<double> deviation)
    {
        if (mean.Length == 0 || deviation.Length != mean.Length)
            throw new ArgumentException($"Mean and deviation need a value for each channel; they have {mean.Length} and "
                + $"{deviation.Length}.");
        foreach (double value in deviation)
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(deviation));
        (this.mean, this.deviation) = (new float[mean.Length], new float[mean.Length]);
        tables = new float[mean.Length][];
        for (int channel = 0; channel < tables.Length; channel++)
        {
            (this.mean[channel], this.deviation[channel]) = ((float)mean[channel], (float)deviation[channel]);
            tables[channel] = Table(mean[channel], deviation[channel]);
        }
    }

    /// <summary>C.</summary>
    public int Channels => tables.Length;

    /// <summary>Whether pictures can have so many channels: 1 (grey), 3 (RGB) or 4 (RGB and opacity).</summary>
    public static bool Fits(int channels) => channels is 1 or 3 or 4;

    /// <summary>ImageNet's numbers for pictures of so many channels, as <see cref="Of"/> makes them.</summary>
    /// <exception cref="ArgumentException">Pictures cannot have so many.</exception>
    public static Normalize For(int channels) => channels switch
    {
        1 => grey,
        3 => ImageNet,
        4 => withOpacity,
        _ => throw new ArgumentException($"Pictures have 1 channel (grey), 3 (RGB) or 4 (RGB and opacity), not {channels}.",
            nameof(channels)),
    };

    /// <summary>
    /// The numbers of three colours for pictures of so many channels: grey takes the mean of the three, for mean and deviation; opacity
    /// takes ½ and ½,
    /// which makes −1 … 1 of 0 … 255.
    /// </summary>
    public static Normalize Of(int channels, ReadOnlySpan<double> mean, ReadOnlySpan<double> deviation) => channels switch
    {
        1 => new([(mean[0] + mean[1] + mean[2]) / 3], [(deviation[0] + deviation[1] + deviation[2]) / 3]),
        4 => new([.. mean, 0.5], [.. deviation, 0.5]),
        _ => new(mean, deviation),
    };

    /// <summary>
    /// Writes the picture as (C, H, W). One channel is Pillow's grey value (ITU-R 601) of the colours; the fourth is
    /// <see cref="RgbImage.Opacity"/>, 255
    /// where the picture has none.
    /// </summary>
    /// <exception cref="ArgumentException">Pictures of 8 bits have other channels, or the destination another size.</exception>
    public void Apply(RgbImage image, Span<float> destination)
    {
        if (!Fits(Channels))
            throw new ArgumentException($"A picture of 8 bits has 1, 3 or 4 channels, not {Channels}.");
        int plane = image.Width * image.Height;
        if (destination.Length != Channels * plane)
            throw new ArgumentException(
                $"A picture of {image.Width} × {image.Height} fills {Channels * plane} floats, but the destination holds "
                    + $"{destination.Length}.");
        if (Channels == 1)
        {
            Grey(image.Pixels, destination);
            return;
        }
        ReadOnlySpan<byte> pixels = image.Pixels;
        Span<float> r = destination[..plane], g = destination.Slice(plane, plane), b = destination.Slice(2 * plane, plane);
        ReadOnlySpan<float> redTable = tables[0].AsSpan(0, 256), greenTable = tables[1].AsSpan(0, 256),
            blueTable = tables[2].AsSpan(0, 256);
        for (int i = 0; i < r.Length && i < g.Length && i < b.Length && pixels.Length >= 3; i++)
        {
            r[i] = redTable[pixels[0]];
            g[i] = greenTable[pixels[1]];
            b[i] = blueTable[pixels[2]];
            pixels = pixels[3..];
        }
        if (Channels == 4)
            Opacity(image, destination[(3 * plane)..]);
    }

    /// <summary>Writes a picture as (C, H, W).</summary>
    internal void Apply(DecodedPicture picture, Span<float> destination)
    {
        if (!picture.IsDeep)
        {
            Apply(picture.Rgb, destination);
            return;
        }
        var image = picture.Floats;
        if (image.Channels != Channels || destination.Length != image.Values.Length)
            throw new ArgumentException($"A picture of {image.Channels} × {image.Width} × {image.Height} values does not fill "
                + $"{destination.Length} of {Channels} channels.");
        int plane = image.Width * image.Height;
        for (int c = 0; c < Channels; c++)
        {
            Span<float> values = image.Plane(c), output = destination.Slice(c * plane, plane);
            float m = mean[c], d = deviation[c];
            for (int i = 0; i < values.Length && i < output.Length; i++)
                output[i] = (values[i] - m) / d;
        }
    }

    /// <summary>The float of each of 256 values, for R, G and B: C · 256.</summary>
    public float[] Levels() => [.. tables.SelectMany(table => table)];

    private void Grey(ReadOnlySpan<byte> pixels, Span<float> destination)
    {
        float[] table = tables[0];
        for (int i = 0; i < destination.Length; i++)
            destination[i] = table[PixelLanes.Luma(pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2])];
    }

    private void Opacity(RgbImage image, Span<float> destination)
    {
        float[] table = tables[3];
        if (image.Opacity is not { } opacity)
        {
            destination.Fill(table[255]);
            return;
        }
        ReadOnlySpan<byte> values = opacity.Pixels;
        for (int i = 0; i < destination.Length; i++)
            destination[i] = table[values[3 * i]];
    }

    private static float[] Table(double mean, double deviation)
    {
        var table = new float[256];
        for (int v = 0; v < table.Length; v++)
            table[v] = (v / 255f - (float)mean) / (float)deviation;
        return table;
    }
}
