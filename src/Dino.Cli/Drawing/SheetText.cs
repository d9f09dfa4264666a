using SkiaSharp;

namespace Dino.Cli.Drawing;

/// <summary>Paper and letters of all contact sheets.</summary>
internal static class SheetText
{
    public static readonly SKColor Paper = new(0x14, 0x16, 0x1B), Ink = new(0xF1, 0xF2, 0xF4), Faint = new(0x9A, 0xA0, 0xAB);

    public static SKFont Font(float size, bool bold = false) =>
        new(bold ? ReportFont.Bold : ReportFont.Regular, size) { Edging = SKFontEdging.Antialias, Subpixel = true };

    /// <summary>Writes a line that begins at x and stands on y.</summary>
    public static void Write(SKCanvas canvas, string text, float x, float y, SKFont font, SKColor colour)
    {
        using var paint = new SKPaint { Color = colour, IsAntialias = true };
        canvas.DrawText(text, x, y, SKTextAlign.Left, font, paint);
    }

    /// <summary>The text, with its middle left out when it is wider than there is room.</summary>
    public static string Shorten(string text, SKFont font, float room)
    {
        for (int kept = text.Length; font.MeasureText(text) > room && kept > 2; kept--)
            text = string.Concat(text.AsSpan(0, (kept - 1) / 2), "…", text.AsSpan(text.Length - kept / 2));
        return text;
    }
}
