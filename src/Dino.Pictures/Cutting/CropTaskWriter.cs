using System.Runtime.InteropServices;
using Dino.Pictures.Decoding;
using Dino.Pictures.Transforms;

namespace Dino.Pictures.Cutting;

/// <summary>Writes pictures and what is to be made of them as the words that a <see cref="PictureCutter"/> reads. One per worker.</summary>
internal sealed class CropTaskWriter
{
    private readonly ResampleTaps taps = new();

    /// <summary>The words of a picture. The device reads pixels by pairs of words: one more than the picture fills.</summary>
    public static int PictureWords(int width, int height) => (int)((3L * width * height + 3) / 4 + 1);

    /// <summary>The words of a task.</summary>
    public static int TaskWords(CropBox box, int size) => CropTask.Words + TapWords(box.Width, size) + TapWords(box.Height, size);

    /// <summary>Whether the device can blur so far.</summary>
    public static bool CanBlur(double sigma) => !(sigma > 0) || GaussianBlur.Box.FromSigma(sigma).Whole <= CropTask.MostBlurWhole;

    /// <summary>Writes a picture.</summary>
    /// <returns>The address behind it.</returns>
    public static int WritePicture(RgbImage picture, Span<int> words, int address)
    {
        picture.Pixels.CopyTo(MemoryMarshal.AsBytes(words[address..]));
        return address + PictureWords(picture.Width, picture.Height);
    }

    /// <summary>Writes what is to be made of a picture that is so wide and lies at <paramref name="picture"/>.</summary>
    /// <returns>The address behind it.</returns>
    public int Write(Span<int> words, int address, int picture, int width, in CropPlan plan, int size, out int rows)
    {
        int columnTaps = address + CropTask.Words;
        int rowTaps = WriteTaps(plan.Box.Width, size, words, columnTaps, fromFirst: false, out int columnReach, out _, out _);
        int end = WriteTaps(plan.Box.Height, size, words, rowTaps, fromFirst: true, out int rowReach, out int firstRow, out rows);
        var jitter = plan.Jitter.GetValueOrDefault();
        var box = plan.Sigma > 0 ? GaussianBlur.Box.FromSigma(plan.Sigma) : default;
        var task = new CropTask
        {
            Picture = picture,
            Stride = 3 * width,
            FirstByte = 3 * ((plan.Box.Top + firstRow) * width + plan.Box.Left),
            Rows = rows,
            Size = size,
            ColumnTaps = columnTaps,
            ColumnReach = columnReach,
            RowTaps = rowTaps,
            RowReach = rowReach,
            Flip = plan.Flip,
            VerticalFlip = plan.VerticalFlip,
            Order = plan.Jitter is null ? -1 : jitter.Order,
            Brightness = (float)jitter.Brightness,
            Contrast = (float)jitter.Contrast,
            Saturation = (float)jitter.Saturation,
            Hue = jitter.Hue is { } hue ? HueShift.StepsOf(hue) : CropTask.NoHue,
            Grayscale = plan.Grayscale,
            BlurWhole = plan.Sigma > 0 ? box.Whole : -1,
            BlurFull = box.Weights.Full,
            BlurEdge = box.Weights.Edge,
            Solarize = plan.Solarize ?? CropTask.NoSolarize,
        };
        task.WriteTo(words.Slice(address, CropTask.Words));
        return end;
    }

    private static int TapWords(int input, int size) => size * (2 + ResampleTaps.ReachOf(input, size, ResampleFilter.Bicubic));

    /// <summary>Writes the taps of a resize; first inputs are counted from the box's begin, or from the first that is read.</summary>
    private int WriteTaps(int input, int size, Span<int> words, int address, bool fromFirst, out int reach, out int first, out int inputs)
    {
        taps.Prepare(input, size, 0, size, ResampleFilter.Bicubic);
        reach = taps.Reach;
        first = fromFirst ? taps.First[0] : 0;
        inputs = taps.First[size - 1] + taps.Count[size - 1] - first;
        for (int i = 0; i < size; i++)
            words[address + i] = taps.First[i] - first;
        taps.Count.AsSpan(0, size).CopyTo(words[(address + size)..]);
        taps.Weights.AsSpan(0, size * reach).CopyTo(words[(address + 2 * size)..]);
        return address + size * (2 + reach);
    }
}
