namespace Dino.Train.Data;

/// <summary>(v / 255 − mean) / deviation per channel, from bytes (H, W, 3) to floats (3, H, W).</summary>
/// <remarks>Torch's float32 arithmetic, in its order, once for each of the 3 · 256 possible values.</remarks>
public sealed class Normalize
{
    private readonly float[] red, green, blue;

    /// <summary>Mean and standard deviation of ImageNet, the reference's.</summary>
    public static Normalize ImageNet { get; } = new([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);

    /// <summary>Makes the tables for three means and three standard deviations, of values in 0 … 1.</summary>
    public Normalize(ReadOnlySpan<double> mean, ReadOnlySpan<double> deviation)
    {
        if (mean.Length != 3 || deviation.Length != 3)
            throw new ArgumentException($"Mean and deviation need three values each; they have {mean.Length} and {deviation.Length}.");
        foreach (double value in deviation)
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(deviation));
        (red, green, blue) = (Table(mean[0], deviation[0]), Table(mean[1], deviation[1]), Table(mean[2], deviation[2]));
    }

    /// <summary>Writes the picture as (3, H, W).</summary>
    public void Apply(RgbImage image, Span<float> destination)
    {
        int plane = image.Width * image.Height;
        if (destination.Length != 3 * plane)
            throw new ArgumentException(
                $"A picture of {image.Width} × {image.Height} fills {3 * plane} floats, but the destination holds {destination.Length}.");
        ReadOnlySpan<byte> pixels = image.Pixels;
        Span<float> r = destination[..plane], g = destination.Slice(plane, plane), b = destination.Slice(2 * plane, plane);
        ReadOnlySpan<float> redTable = red.AsSpan(0, 256), greenTable = green.AsSpan(0, 256), blueTable = blue.AsSpan(0, 256);
        for (int i = 0; i < r.Length && i < g.Length && i < b.Length && pixels.Length >= 3; i++)
        {
            r[i] = redTable[pixels[0]];
            g[i] = greenTable[pixels[1]];
            b[i] = blueTable[pixels[2]];
            pixels = pixels[3..];
        }
    }

    /// <summary>The float of each of 256 values, for R, G and B: 3 · 256.</summary>
    public float[] Levels() => [.. red, .. green, .. blue];

    private static float[] Table(double mean, double deviation)
    {
        var table = new float[256];
        for (int v = 0; v < table.Length; v++)
            table[v] = (v / 255f - (float)mean) / (float)deviation;
        return table;
    }
}
