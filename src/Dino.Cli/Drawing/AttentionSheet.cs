using System.Globalization;
using Dino.Pictures.Writing;
using Dino.Train.Evaluation.Attention;
using SkiaSharp;

namespace Dino.Cli.Drawing;

/// <summary>
/// A contact sheet of attention: one row a picture, showing the picture, what the mean attention keeps of it, the mean map and every
/// head's map, each with the border of the patches that hold most of its mass.
/// </summary>
public static class AttentionSheet
{
    /// <summary>The most pictures of a sheet that a viewer opens without pain.</summary>
    public const int Most = 64;

    private const int Margin = 32, Gap = 10, Longest = 168, HeaderHeight = 26, NameHeight = 22;

    /// <summary>Writes the sheet as PNG.</summary>
    /// <param name="path">The file.</param>
    /// <param name="title">One line at the top.</param>
    /// <param name="pictures">At least one; all with the same number of heads.</param>
    /// <param name="mass">The share of attention inside a mask (the paper's is 0.6).</param>
    public static void Write(string path, string title, IReadOnlyList<AttentionPicture> pictures, double mass = 0.6)
    {
        if (pictures.Count == 0)
            throw new ArgumentException("A contact sheet needs at least one picture.", nameof(pictures));
        int heads = pictures[0].Heads;
        if (pictures.FirstOrDefault(picture => picture.Heads != heads) is { } other)
            throw new ArgumentException($"'{other.Name}' has {other.Heads} heads, '{pictures[0].Name}' {heads}: make a sheet of each.");

        int cell = (int)Math.Ceiling(pictures.Max(picture => Fit(picture).Width));
        int columns = 3 + heads, width = 2 * Margin + columns * cell + (columns - 1) * Gap + Gap;
        int top = Margin + 62 + HeaderHeight;
        int height = top + pictures.Sum(picture => (int)Math.Ceiling(Fit(picture).Height) + NameHeight + Gap) + Margin - Gap;
        using var bitmap = new SKBitmap(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using var canvas = new SKCanvas(bitmap);
        canvas.Clear(SheetText.Paper);
        using var name = SheetText.Font(13);
        using (var large = SheetText.Font(24, bold: true))
            SheetText.Write(canvas, SheetText.Shorten(title, large, width - 2 * Margin), Margin, Margin + 22, large, SheetText.Ink);
        string share = (100 * mass).ToString("0.#", CultureInfo.InvariantCulture);
        string legend = $"Attention of the last block's CLS token. Outlined: the patches that hold {share} % of a map's attention.";
        SheetText.Write(canvas, SheetText.Shorten(legend, name, width - 2 * Margin), Margin, Margin + 48, name, SheetText.Faint);

        using (var heading = SheetText.Font(14, bold: true))
        {
            string[] labels = ["picture", "attended", "mean", .. Enumerable.Range(1, heads).Select(head => $"head {head}")];
            for (int column = 0; column < columns; column++)
                SheetText.Write(canvas, labels[column], Left(column, cell), top - 9, heading, SheetText.Ink);
        }
        float y = top;
        foreach (var picture in pictures)
        {
            Row(canvas, picture, y, cell, mass);
            var (fitted, tall) = Fit(picture);
            SheetText.Write(canvas, SheetText.Shorten(picture.Name, name, columns * cell), Margin, y + tall + 16, name, SheetText.Faint);
            y += (float)Math.Ceiling(tall) + NameHeight + Gap;
        }
        Png.Write(path, bitmap);
    }

    private static void Row(SKCanvas canvas, AttentionPicture picture, float y, int cell, double mass)
    {
        var (width, height) = Fit(picture);
        SKRect Target(int column) => SKRect.Create(Left(column, cell), y, width, height);
        using (var photo = Png.ToBitmap(picture.Rgb, picture.Width, picture.Height))
        {
            AttentionPaint.Place(canvas, photo, Target(0), smooth: true);
            AttentionPaint.Place(canvas, photo, Target(1), smooth: true);
        }
        bool[] attended = AttentionPicture.Mask(picture.Mean, mass);
        AttentionPaint.Veil(canvas, attended, picture.Rows, picture.Columns, Target(1));
        AttentionPaint.Contour(canvas, attended, picture.Rows, picture.Columns, Target(1), 2);
        for (int column = 2; column < 3 + picture.Heads; column++)
        {
            var map = column == 2 ? picture.Mean : picture.Head(column - 3);
            using var colours = AttentionPaint.Map(map, picture.Rows, picture.Columns);
            AttentionPaint.Place(canvas, colours, Target(column), smooth: true);
            bool[] mask = AttentionPicture.Mask(map, mass);
            AttentionPaint.Contour(canvas, mask, picture.Rows, picture.Columns, Target(column), 1.2f);
        }
    }

    /// <summary>The left edge of a column; a wider gap sets the picture apart from what was computed of it.</summary>
    private static float Left(int column, int cell) => Margin + column * (cell + Gap) + (column > 0 ? Gap : 0);

    /// <summary>The size at which a picture is shown: its longer side has a fixed length.</summary>
    private static (float Width, float Height) Fit(AttentionPicture picture)
    {
        float scale = (float)Longest / Math.Max(picture.Width, picture.Height);
        return (picture.Width * scale, picture.Height * scale);
    }
}
