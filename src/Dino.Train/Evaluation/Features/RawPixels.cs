namespace Dino.Train.Evaluation.Features;

/// <summary>The baseline that a trained network has to beat: pixels as features.</summary>
public static class RawPixels
{
    /// <summary>
    /// Makes one row of features of a picture: resized to <paramref name="size"/> × <paramref name="size"/> by averaging the pixels that
    /// each
    /// new one covers, scaled to 0 … 1, and divided by the row's L2 norm.
    /// </summary>
    /// <param name="rgb">height·width·3 bytes, row by row, red first.</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="size">Width and height of the picture that the features are made of.</param>
    /// <param name="row">Gets size·size·3 values with L2 norm 1 (all 0 for a black picture).</param>
    public static void Fill(ReadOnlySpan<byte> rgb, int width, int height, int size, Span<float> row)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        if (rgb.Length != 3 * width * height)
            throw new ArgumentException($"A {width}×{height} picture needs {3 * width * height} bytes, not {rgb.Length}.", nameof(rgb));
        if (row.Length != 3 * size * size)
            throw new ArgumentException($"Features of {size}×{size} pixels are {3 * size * size} values, not {row.Length}.", nameof(row));
        double squares = 0;
        for (int y = 0; y < size; y++)
        {
            for (int x = 0; x < size; x++)
            {
                var (red, green, blue) = Average(rgb, width, height, x, y, size);
                int at = 3 * (y * size + x);
                (row[at], row[at + 1], row[at + 2]) = ((float)red, (float)green, (float)blue);
                squares += red * red + green * green + blue * blue;
            }
        }
        float scale = squares > 0 ? (float)(1 / Math.Sqrt(squares)) : 0;
        for (int i = 0; i < row.Length; i++)
            row[i] *= scale;
    }

    /// <summary>
    /// Mean colour (0 to 1) of the part of the picture that the new pixel (x, y) covers; border pixels count by their share.
    /// </summary>
    private static (double Red, double Green, double Blue) Average(ReadOnlySpan<byte> rgb, int width, int height, int x, int y, int size)
    {
        double left = (double)x * width / size, right = (double)(x + 1) * width / size;
        double top = (double)y * height / size, bottom = (double)(y + 1) * height / size;
        double red = 0, green = 0, blue = 0;
        for (int row = (int)top; row < Math.Min(height, Math.Ceiling(bottom)); row++)
        {
            double high = Math.Min(bottom, row + 1) - Math.Max(top, row);
            for (int column = (int)left; column < Math.Min(width, Math.Ceiling(right)); column++)
            {
                double weight = high * (Math.Min(right, column + 1) - Math.Max(left, column));
                int at = 3 * (row * width + column);
                red += weight * rgb[at];
                green += weight * rgb[at + 1];
                blue += weight * rgb[at + 2];
            }
        }
        double area = 255 * (right - left) * (bottom - top);
        return (red / area, green / area, blue / area);
    }
}
