using Dino.Pictures.Decoding;

namespace Dino.Pictures.Transforms;

/// <summary>
/// Bilinear resize without antialiasing, as OpenCV's <c>cv2.resize</c> on 8-bit pictures, with its 11-bit weights: how the
/// reference's video evaluation reads frames.
/// </summary>
public static class BilinearResize
{
    private const int WeightBits = 11, One = 1 << WeightBits;

    /// <summary>Resizes the whole picture.</summary>
    public static void Apply(RgbImage source, RgbImage destination, int width, int height)
    {
        if (ReferenceEquals(source, destination))
            throw new ArgumentException("Source and destination of a resize must be two images.");
        if (width == source.Width && height == source.Height)
        {
            destination.CopyFrom(source);
            return;
        }
        destination.Opacity = source.Opacity is null ? null : destination.Opacity ?? new RgbImage();
        if (source.Opacity is { } opacity) // a channel as the others, as OpenCV has it
            Apply(opacity, destination.Opacity!, width, height);
        destination.Reshape(width, height);
        var (firstX, weightX) = Taps(source.Width, width, clamp: true);
        var (firstY, weightY) = Taps(source.Height, height, clamp: false);
        int[] upper = new int[3 * width], lower = new int[3 * width];
        int upperRow = -1, lowerRow = -1;
        for (int y = 0; y < height; y++)
        {
            int top = Math.Clamp(firstY[y], 0, source.Height - 1), bottom = Math.Clamp(firstY[y] + 1, 0, source.Height - 1);
            if (top == lowerRow)
            {
                (upper, lower) = (lower, upper);
                (upperRow, lowerRow) = (lowerRow, -1);
            }
            if (top != upperRow)
                Columns(source.Row(upperRow = top), firstX, weightX, upper);
            if (bottom != lowerRow)
                Columns(source.Row(lowerRow = bottom), firstX, weightX, lower);
            int w1 = weightY[y], w0 = One - w1;
            var row = destination.Row(y);
            for (int i = 0; i < row.Length; i++)
                row[i] = (byte)Math.Clamp((((w0 * (upper[i] >> 4)) >> 16) + ((w1 * (lower[i] >> 4)) >> 16) + 2) >> 2, 0, 255);
        }
    }

    private static void Columns(ReadOnlySpan<byte> row, int[] first, int[] weight, int[] sums)
    {
        int last = row.Length / 3 - 1;
        for (int x = 0; x < first.Length; x++)
        {
            int left = 3 * first[x], right = 3 * Math.Min(first[x] + 1, last), w1 = weight[x], w0 = One - w1;
            for (int c = 0; c < 3; c++)
                sums[3 * x + c] = row[left + c] * w0 + row[right + c] * w1;
        }
    }

    /// <summary>
    /// For each output position the first of its two inputs and the weight of the second. Beyond the border OpenCV gives all weight to one
    /// column, but splits it between a row and itself, which rounds otherwise.
    /// </summary>
    private static (int[] First, int[] Weight) Taps(int input, int output, bool clamp)
    {
        int[] first = new int[output], weight = new int[output];
        double scale = (double)input / output;
        for (int i = 0; i < output; i++)
        {
            float at = (float)((i + 0.5) * scale - 0.5);
            int floor = (int)MathF.Floor(at);
            float fraction = at - floor;
            if (clamp && floor < 0)
                (floor, fraction) = (0, 0);
            if (clamp && floor >= input - 1)
                (floor, fraction) = (input - 1, 0);
            (first[i], weight[i]) = (floor, (int)MathF.Round(fraction * One));
        }
        return (first, weight);
    }
}
