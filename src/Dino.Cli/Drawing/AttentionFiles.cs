using System.Runtime.InteropServices;
using Dino.Pictures.Decoding;
using Dino.Pictures.Writing;
using Dino.Train.Evaluation.Attention;
using SkiaSharp;

namespace Dino.Cli.Drawing;

/// <summary>The attention of one picture as separate PNG files of one size.</summary>
public static class AttentionFiles
{
    /// <summary>
    /// Writes picture.png, attention-mean.png, attention-headN.png, mask-mean.png, mask-headN.png (white: kept) and overlay.png, N from 1.
    /// Every patch is a block of one colour, as it was computed.
    /// </summary>
    /// <param name="folder">Where; made when missing.</param>
    /// <param name="picture">Picture and attention.</param>
    /// <param name="mass">The share of attention inside a mask (the paper's is 0.6).</param>
    /// <param name="original">The picture in its own size, to write all files in that; null for the size that the network saw.</param>
    /// <returns>The paths written.</returns>
    public static IReadOnlyList<string> Write(string folder, AttentionPicture picture, double mass = 0.6, RgbImage? original = null)
    {
        var (width, height) = original is null ? (picture.Width, picture.Height) : (original.Width, original.Height);
        ReadOnlySpan<byte> rgb = original is null ? picture.Rgb : original.Pixels;
        Directory.CreateDirectory(folder);
        var written = new List<string>();
        string Add(string name)
        {
            written.Add(Path.Combine(folder, name));
            return written[^1];
        }

        Png.WriteRgb(Add("picture.png"), rgb, width, height);
        for (int head = -1; head < picture.Heads; head++)
        {
            var map = head < 0 ? picture.Mean : picture.Head(head);
            string name = head < 0 ? "mean" : $"head{head + 1}";
            using (var colours = AttentionPaint.Map(map, picture.Rows, picture.Columns))
                WriteScaled(Add($"attention-{name}.png"), colours, width, height);
            bool[] mask = AttentionPicture.Mask(map, mass);
            using (var small = new SKBitmap(picture.Columns, picture.Rows, SKColorType.Rgba8888, SKAlphaType.Opaque))
            {
                for (int i = 0; i < mask.Length; i++)
                    small.SetPixel(i % picture.Columns, i / picture.Columns, mask[i] ? SKColors.White : SKColors.Black);
                WriteScaled(Add($"mask-{name}.png"), small, width, height);
            }
        }
        using var overlay = Png.ToBitmap(rgb, width, height);
        using (var canvas = new SKCanvas(overlay))
        {
            var whole = SKRect.Create(width, height);
            bool[] mask = AttentionPicture.Mask(picture.Mean, mass);
            AttentionPaint.Veil(canvas, mask, picture.Rows, picture.Columns, whole);
            AttentionPaint.Contour(canvas, mask, picture.Rows, picture.Columns, whole, AttentionPaint.LineWidth(width, height));
        }
        Png.Write(Add("overlay.png"), overlay);
        return written;
    }

    /// <summary>Every pixel takes the patch that covers it, as evaluation does.</summary>
    private static void WriteScaled(string path, SKBitmap small, int width, int height)
    {
        using var bitmap = new SKBitmap(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        var from = MemoryMarshal.Cast<byte, int>(small.GetPixelSpan());
        var to = MemoryMarshal.Cast<byte, int>(bitmap.GetPixelSpan());
        int stride = small.RowBytes / sizeof(int), target = bitmap.RowBytes / sizeof(int);
        for (int y = 0; y < height; y++)
        {
            var source = from.Slice((int)((long)y * small.Height / height) * stride, small.Width);
            var row = to.Slice(y * target, width);
            for (int x = 0; x < width; x++)
                row[x] = source[(int)((long)x * small.Width / width)];
        }
        Png.Write(path, bitmap);
    }
}
