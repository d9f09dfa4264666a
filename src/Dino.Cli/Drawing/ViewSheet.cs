using System.Globalization;
using Dino.Pictures.Decoding;
using Dino.Pictures.Transforms;
using Dino.Pictures.Writing;
using SkiaSharp;

namespace Dino.Cli.Drawing;

/// <summary>A crop that was made of a picture.</summary>
/// <param name="Name">Which it is: global 1, local 3.</param>
/// <param name="Plan">What was done.</param>
/// <param name="Size">Side in pixels.</param>
/// <param name="Pixels">The crop, made smaller where a sheet has no room for it; null for what no sheet shows.</param>
public sealed record DrawnView(string Name, CropPlan Plan, int Size, RgbImage? Pixels);

/// <summary>All crops that were made of a picture at once.</summary>
/// <param name="Name">The picture's name and which draw it is, for a person.</param>
/// <param name="Picture">The picture, small.</param>
/// <param name="Width">Its own width in pixels.</param>
/// <param name="Height">Its own height in pixels.</param>
/// <param name="Views">The crops.</param>
public sealed record DrawnRow(string Name, RgbImage Picture, int Width, int Height, IReadOnlyList<DrawnView> Views);

/// <summary>
/// A contact sheet of views: a row for each draw, with the picture, the boxes of its crops in it, and the crops as the network sees them,
/// each with a few words on what was done to it.
/// </summary>
public static class ViewSheet
{
    /// <summary>The most rows of a sheet that a viewer opens without pain.</summary>
    public const int MostRows = 64;

    /// <summary>The most crops of a row; of more, the first are drawn.</summary>
    public const int MostViews = 18;

    /// <summary>The longest side of a picture of a sheet, and the side of a crop.</summary>
    public const int Longest = 168;

    private const int Margin = 32, Gap = 10, HeaderHeight = 26, LineHeight = 16, Lines = 3;

    /// <summary>Writes the sheet as PNG.</summary>
    /// <param name="path">The file.</param>
    /// <param name="title">One line at the top.</param>
    /// <param name="rows">At least one; all with the same views.</param>
    public static void Write(string path, string title, IReadOnlyList<DrawnRow> rows)
    {
        if (rows.Count is 0 or > MostRows)
            throw new ArgumentException($"A contact sheet has 1 to {MostRows} rows, not {rows.Count}.", nameof(rows));
        int columns = Math.Min(rows[0].Views.Count, MostViews) + 1;
        int width = 2 * Margin + columns * (Longest + Gap), top = Margin + 62 + HeaderHeight;
        int rowHeight = Longest + Lines * LineHeight + 2 * Gap, height = top + rows.Count * rowHeight + Margin - Gap;
        using var bitmap = new SKBitmap(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using var canvas = new SKCanvas(bitmap);
        canvas.Clear(SheetText.Paper);
        using SKFont large = SheetText.Font(24, bold: true), heading = SheetText.Font(14, bold: true), small = SheetText.Font(12);
        SheetText.Write(canvas, SheetText.Shorten(title, large, width - 2 * Margin), Margin, Margin + 22, large, SheetText.Ink);
        int hidden = rows[0].Views.Count - (columns - 1);
        string legend = "Left the picture with the boxes of the crops, then the crops as the network sees them, each with what was done."
            + (hidden > 0 ? $" {hidden} more are not shown." : "");
        SheetText.Write(canvas, SheetText.Shorten(legend, small, width - 2 * Margin), Margin, Margin + 48, small, SheetText.Faint);
        SheetText.Write(canvas, "picture", Margin, top - 9, heading, SheetText.Ink);
        for (int column = 1; column < columns; column++)
        {
            var view = rows[0].Views[column - 1];
            SheetText.Write(canvas, $"{view.Name}, {view.Size}²", Left(column), top - 9, heading, Colour(column - 1));
        }
        for (int row = 0; row < rows.Count; row++)
            Row(canvas, rows[row], top + row * rowHeight, columns, small);
        Png.Write(path, bitmap);
    }

    /// <summary>What was done to a crop, in a few words.</summary>
    public static string Describe(in CropPlan plan)
    {
        string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
        List<string> words = [];
        if (plan.Flip)
            words.Add("flip");
        if (plan.VerticalFlip)
            words.Add("vertical flip");
        if (plan.Jitter is not null)
            words.Add("jitter");
        if (plan.Grayscale)
            words.Add("grey");
        if (plan.Sigma > 0)
            words.Add($"blur {Number(plan.Sigma)}");
        if (plan.Solarize is { } threshold)
            words.Add($"solarise {threshold}");
        return words.Count == 0 ? "as cut" : string.Join(", ", words);
    }

    private static void Row(SKCanvas canvas, DrawnRow row, float y, int columns, SKFont font)
    {
        var target = SKRect.Create(Margin, y, row.Picture.Width, row.Picture.Height);
        using (var picture = Png.ToBitmap(row.Picture.Pixels, row.Picture.Width, row.Picture.Height))
            AttentionPaint.Place(canvas, picture, target, smooth: false);
        for (int i = columns - 2; i >= 0; i--) // the global crops last, over the others
            Box(canvas, row, i, target);
        Words(canvas, row.Name, Margin, y + row.Picture.Height, font);
        for (int column = 1; column < columns; column++)
        {
            var view = row.Views[column - 1];
            using var crop = Png.ToBitmap(view.Pixels!.Pixels, view.Pixels.Width, view.Pixels.Height);
            AttentionPaint.Place(canvas, crop, SKRect.Create(Left(column), y, Longest, Longest), smooth: false);
            Words(canvas, Describe(view.Plan), Left(column), y + Longest, font);
        }
    }

    private static void Box(SKCanvas canvas, DrawnRow row, int view, SKRect target)
    {
        var box = row.Views[view].Plan.Box;
        float x = target.Width / row.Width, y = target.Height / row.Height;
        using var paint = new SKPaint
        {
            Color = Colour(view),
            Style = SKPaintStyle.Stroke,
            StrokeWidth = view < MultiCropOptions.GlobalCropsNumber ? 2.5f : 1.5f,
        };
        canvas.Save();
        canvas.ClipRect(target);
        canvas.DrawRect(target.Left + box.Left * x, target.Top + box.Top * y, box.Width * x, box.Height * y, paint);
        canvas.Restore();
    }

    /// <summary>Writes words in up to so many lines, broken between them.</summary>
    private static void Words(SKCanvas canvas, string text, float x, float y, SKFont font)
    {
        string[] words = text.Split(' ');
        for (int line = 1, next = 0; line <= Lines && next < words.Length; line++)
        {
            string written = words[next++];
            while (next < words.Length && (line == Lines || font.MeasureText($"{written} {words[next]}") <= Longest))
                written += " " + words[next++];
            SheetText.Write(canvas, SheetText.Shorten(written, font, Longest), x, y + line * LineHeight, font, SheetText.Faint);
        }
    }

    private static SKColor Colour(int view) => view switch
    {
        0 => AttentionPaint.MaskColour,
        1 => new(0xF5, 0x9E, 0x4B),
        _ => new(0xE8, 0xDF, 0x6D),
    };

    private static float Left(int column) => Margin + column * (Longest + Gap);
}
