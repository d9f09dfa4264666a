using ScottPlot.Colormaps;
using SkiaSharp;

namespace Dino.Cli.Drawing;

/// <summary>Turns attention maps and masks into pictures.</summary>
internal static class AttentionPaint
{
    private static readonly Inferno Colours = new();

    /// <summary>The colour of masks: cyan, which neither the colour map nor many photographs have.</summary>
    public static readonly SKColor MaskColour = new(0x4D, 0xE8, 0xE0);

    /// <summary>One pixel a patch, from the smallest value (black) to the largest (pale yellow).</summary>
    public static SKBitmap Map(ReadOnlySpan<float> map, int rows, int columns)
    {
        float low = float.MaxValue, high = float.MinValue;
        foreach (float value in map)
            (low, high) = (Math.Min(low, value), Math.Max(high, value));
        float scale = high > low ? 1 / (high - low) : 0;
        var bitmap = new SKBitmap(columns, rows, SKColorType.Rgba8888, SKAlphaType.Opaque);
        for (int i = 0; i < map.Length; i++)
        {
            var colour = Colours.GetColor((map[i] - low) * scale);
            bitmap.SetPixel(i % columns, i / columns, new SKColor(colour.R, colour.G, colour.B));
        }
        return bitmap;
    }

    /// <summary>Draws a bitmap into a rectangle; <paramref name="smooth"/> blends between its pixels.</summary>
    public static void Place(SKCanvas canvas, SKBitmap bitmap, SKRect target, bool smooth)
    {
        using var image = SKImage.FromBitmap(bitmap);
        var sampling = smooth ? new SKSamplingOptions(SKCubicResampler.Mitchell) : new SKSamplingOptions(SKFilterMode.Nearest);
        canvas.DrawImage(image, new SKRect(0, 0, bitmap.Width, bitmap.Height), target, sampling);
    }

    /// <summary>Darkens everything in the rectangle that the mask (rows, columns) leaves out.</summary>
    public static void Veil(SKCanvas canvas, bool[] mask, int rows, int columns, SKRect target)
    {
        using var paint = new SKPaint { Color = new SKColor(8, 10, 16, 175) };
        for (int i = 0; i < mask.Length; i++)
        {
            if (!mask[i])
                canvas.DrawRect(Cell(i / columns, i % columns, rows, columns, target), paint);
        }
    }

    /// <summary>The width of a border that is seen in a picture of this size and does not hide it.</summary>
    public static float LineWidth(int width, int height) =>
        Math.Max(1, Math.Min(Math.Max(width, height) / 160f, Math.Min(width, height) / 8f));

    /// <summary>Draws the border of the mask (rows, columns).</summary>
    public static void Contour(SKCanvas canvas, bool[] mask, int rows, int columns, SKRect target, float width)
    {
        using var builder = new SKPathBuilder();
        bool At(int row, int column) => row >= 0 && row < rows && column >= 0 && column < columns && mask[row * columns + column];
        void Edge(float x0, float y0, float x1, float y1)
        {
            builder.MoveTo(x0, y0);
            builder.LineTo(x1, y1);
        }
        for (int row = 0; row < rows; row++)
        {
            for (int column = 0; column < columns; column++)
            {
                if (!At(row, column))
                    continue;
                var cell = Cell(row, column, rows, columns, target);
                if (!At(row - 1, column))
                    Edge(cell.Left, cell.Top, cell.Right, cell.Top);
                if (!At(row + 1, column))
                    Edge(cell.Left, cell.Bottom, cell.Right, cell.Bottom);
                if (!At(row, column - 1))
                    Edge(cell.Left, cell.Top, cell.Left, cell.Bottom);
                if (!At(row, column + 1))
                    Edge(cell.Right, cell.Top, cell.Right, cell.Bottom);
            }
        }
        using var path = builder.Detach();
        using var paint = new SKPaint
        {
            Color = MaskColour,
            Style = SKPaintStyle.Stroke,
            StrokeWidth = width,
            StrokeCap = SKStrokeCap.Round,
            IsAntialias = true,
        };
        canvas.Save();
        canvas.ClipRect(target);
        canvas.DrawPath(path, paint);
        canvas.Restore();
    }

    private static SKRect Cell(int row, int column, int rows, int columns, SKRect target) => new(
        target.Left + target.Width * column / columns, target.Top + target.Height * row / rows,
        target.Left + target.Width * (column + 1) / columns, target.Top + target.Height * (row + 1) / rows);
}
