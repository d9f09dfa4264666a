using Dino.Train.Eval;
using SkiaSharp;

namespace Dino.Train.Report;

/// <summary>The attention of one picture as separate PNG files of the picture's size.</summary>
public static class AttentionFiles
{
    /// <summary>
    /// Writes picture.png, attention-mean.png, attention-headN.png, mask-mean.png, mask-headN.png (white: kept) and overlay.png, N from 1.
    /// Every patch is a block of one colour, as it was computed.
    /// </summary>
    /// <param name="folder">Where; made when missing.</param>
    /// <param name="picture">Picture and attention.</param>
    /// <param name="mass">The share of attention inside a mask (the paper's is 0.6).</param>
    /// <returns>The paths written.</returns>
    public static IReadOnlyList<string> Write(string folder, AttentionPicture picture, double mass = 0.6)
    {
        Directory.CreateDirectory(folder);
        var written = new List<string>();
        string Add(string name)
        {
            written.Add(Path.Combine(folder, name));
            return written[^1];
        }

        Png.WriteRgb(Add("picture.png"), picture.Rgb, picture.Width, picture.Height);
        for (int head = -1; head < picture.Heads; head++)
        {
            var map = head < 0 ? picture.Mean : picture.Head(head);
            string name = head < 0 ? "mean" : $"head{head + 1}";
            using (var colours = AttentionPaint.Map(map, picture.Rows, picture.Columns))
                WriteScaled(Add($"attention-{name}.png"), colours, picture);
            bool[] mask = AttentionPicture.Mask(map, mass);
            using (var small = new SKBitmap(picture.Columns, picture.Rows, SKColorType.Rgba8888, SKAlphaType.Opaque))
            {
                for (int i = 0; i < mask.Length; i++)
                    small.SetPixel(i % picture.Columns, i / picture.Columns, mask[i] ? SKColors.White : SKColors.Black);
                WriteScaled(Add($"mask-{name}.png"), small, picture);
            }
        }
        using var overlay = Png.ToBitmap(picture.Rgb, picture.Width, picture.Height);
        using (var canvas = new SKCanvas(overlay))
        {
            var whole = SKRect.Create(picture.Width, picture.Height);
            bool[] mask = AttentionPicture.Mask(picture.Mean, mass);
            AttentionPaint.Veil(canvas, mask, picture.Rows, picture.Columns, whole);
            float line = Math.Max(1, Math.Max(picture.Width, picture.Height) / 160f);
            AttentionPaint.Contour(canvas, mask, picture.Rows, picture.Columns, whole, line);
        }
        Png.Write(Add("overlay.png"), overlay);
        return written;
    }

    private static void WriteScaled(string path, SKBitmap small, AttentionPicture picture)
    {
        using var bitmap = new SKBitmap(picture.Width, picture.Height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using (var canvas = new SKCanvas(bitmap))
            AttentionPaint.Place(canvas, small, SKRect.Create(picture.Width, picture.Height), smooth: false);
        Png.Write(path, bitmap);
    }
}
