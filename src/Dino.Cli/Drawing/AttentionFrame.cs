using Dino.Pictures.Writing;
using Dino.Train.Evaluation.Attention;
using SkiaSharp;

namespace Dino.Cli.Drawing;

/// <summary>
/// A frame of an attention video: the picture with everything outside the mask darkened, and beside it the heads' mean attention.
/// </summary>
public static class AttentionFrame
{
    /// <summary>Paints a frame of twice the picture's width.</summary>
    /// <param name="picture">Picture and attention.</param>
    /// <param name="mass">The share of attention inside the mask.</param>
    /// <returns>height·2·width·3 bytes, row by row, red first.</returns>
    public static byte[] Paint(AttentionPicture picture, double mass)
    {
        int width = picture.Width, height = picture.Height;
        using var frame = new SKBitmap(2 * width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using (var canvas = new SKCanvas(frame))
        using (var left = Png.ToBitmap(picture.Rgb, width, height))
        using (var right = AttentionPaint.Map(picture.Mean, picture.Rows, picture.Columns))
        {
            var whole = SKRect.Create(width, height);
            AttentionPaint.Place(canvas, left, whole, smooth: false);
            bool[] mask = AttentionPicture.Mask(picture.Mean, mass);
            AttentionPaint.Veil(canvas, mask, picture.Rows, picture.Columns, whole);
            AttentionPaint.Contour(canvas, mask, picture.Rows, picture.Columns, whole, AttentionPaint.LineWidth(width, height));
            AttentionPaint.Place(canvas, right, SKRect.Create(width, 0, width, height), smooth: false);
        }
        byte[] rgb = new byte[3 * 2 * width * height];
        var pixels = frame.GetPixelSpan();
        for (int y = 0, to = 0; y < height; y++)
        {
            for (int from = y * frame.RowBytes, end = from + 4 * 2 * width; from < end; from += 4, to += 3)
                (rgb[to], rgb[to + 1], rgb[to + 2]) = (pixels[from], pixels[from + 1], pixels[from + 2]);
        }
        return rgb;
    }
}
