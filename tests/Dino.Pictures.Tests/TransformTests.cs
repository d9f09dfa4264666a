using Dino.Pictures.Decoding;
using Dino.Pictures.Transforms;
using Dino.Tensors.Random;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>What the golden fixtures cannot show: every tail of the vector loops, colours all over the cube, edges and misuse.</summary>
public class TransformTests
{
    private static readonly int[] Widths = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 23, 24, 25, 33];

    [TestCaseSource(nameof(Widths))]
    public void Colour_operations_treat_pixels_alone(int width)
    {
        foreach (var operation in new Action<RgbImage>[]
        {
            image => ColorJitter.Brightness(image, 1.3), image => ColorJitter.Saturation(image, 0.7),
            image => ColorJitter.Hue(image, -0.08), Grayscale.Apply, image => Solarize.Apply(image),
        })
        {
            RgbImage image = Noise(width, 3), whole = new();
            whole.CopyFrom(image);
            operation(whole);
            for (int i = 0; i < width * 3; i++)
            {
                var one = new RgbImage(1, 1);
                image.Pixels.Slice(3 * i, 3).CopyTo(one.Pixels);
                operation(one);
                Assert.That(whole.Pixels.Slice(3 * i, 3).ToArray(), Is.EqualTo(one.Pixels.ToArray()), $"pixel {i}");
            }
        }
    }

    [TestCaseSource(nameof(Widths))]
    public void Contrast_turns_around_the_mean_grey(int width)
    {
        RgbImage image = Noise(width, 5);
        double sum = 0;
        foreach (byte[] pixel in image.Pixels.ToArray().Chunk(3))
            sum += (pixel[0] * 19595 + pixel[1] * 38470 + pixel[2] * 7471 + 0x8000) >> 16;
        ColorJitter.Contrast(image, 0);
        Assert.That(image.Pixels.ToArray(), Is.All.EqualTo((int)(sum / (width * 5) + 0.5)));
    }

    [TestCase(-0.1)]
    [TestCase(0.0)]
    [TestCase(0.037)]
    public void Hue_equals_pillows_formula_all_over_the_cube(double factor)
    {
        byte[] steps = [.. Enumerable.Range(0, 256).Where(v => v % 11 is 0 or 4 || v > 252 || v < 3).Select(v => (byte)v)];
        var image = new RgbImage(steps.Length, steps.Length);
        foreach (byte red in steps)
        {
            for (int y = 0; y < steps.Length; y++)
                for (int x = 0; x < steps.Length; x++)
                    new[] { red, steps[y], steps[x] }.CopyTo(image.Row(y)[(3 * x)..]);
            byte[] before = image.Pixels.ToArray();
            ColorJitter.Hue(image, factor);
            byte[] after = image.Pixels.ToArray();
            for (int i = 0; i < before.Length; i += 3)
            {
                var expected = PillowHue(before[i], before[i + 1], before[i + 2], (int)(factor * 255));
                var actual = (after[i], after[i + 1], after[i + 2]);
                if (actual != expected)
                    Assert.Fail($"({before[i]}, {before[i + 1]}, {before[i + 2]}): {actual}, expected {expected}");
            }
        }
    }

    [TestCaseSource(nameof(Widths))]
    public void Flipping_reverses_the_pixels_of_a_row(int width)
    {
        RgbImage image = Noise(width, 2);
        byte[][] expected = [.. Enumerable.Range(0, 2).Select(y => image.Row(y).ToArray().Chunk(3).Reverse().SelectMany(p => p).ToArray())];
        HorizontalFlip.Apply(image);
        Assert.That(image.Row(0).ToArray(), Is.EqualTo(expected[0]));
        Assert.That(image.Row(1).ToArray(), Is.EqualTo(expected[1]));
    }

    [TestCaseSource(nameof(Widths))]
    public void Blur_equals_its_definition_at_every_size(int width)
    {
        foreach (int height in new[] { 1, 2, 3, 6, 9 })
            foreach (double sigma in new[] { 0.1, 0.7, 1.0, 2.0, 5.0 })
            {
                RgbImage image = Noise(width, height);
                byte[] rows = BlurRows(image.Pixels.ToArray(), width, sigma);
                byte[] expected = Transpose(BlurRows(Transpose(rows, width, height), height, sigma), height, width);
                new GaussianBlur().Apply(image, sigma);
                Assert.That(image.Pixels.ToArray(), Is.EqualTo(expected), $"height {height}, sigma {sigma}");
            }
    }

    [Test]
    public void A_scratch_serves_pictures_of_any_size_one_after_another()
    {
        var resample = new Resample();
        var blur = new GaussianBlur();
        foreach ((int width, int height) in new[] { (50, 40), (7, 90), (120, 3), (50, 40) })
        {
            RgbImage source = Noise(width, height), once = new(), again = new();
            new Resample().Resize(source, once, 20, 30);
            new GaussianBlur().Apply(once, 1.5);
            resample.Resize(source, again, 20, 30);
            blur.Apply(again, 1.5);
            Assert.That(again.Pixels.SequenceEqual(once.Pixels));
        }
    }

    [Test]
    public void Resizing_a_flat_picture_keeps_its_colour([Values] ResampleFilter filter, [Values(1, 5, 64, 200)] int size)
    {
        RgbImage source = new(63, 41), result = new();
        source.Pixels.Fill(173);
        new Resample().Resize(source, result, size, size + 3, filter);
        Assert.That(result.Pixels.ToArray(), Is.All.EqualTo(173));
        Assert.That((result.Width, result.Height), Is.EqualTo((size, size + 3)));
    }

    [Test]
    public void Pixels_outside_the_box_have_no_influence()
    {
        RgbImage source = Noise(40, 30), other = new(40, 30), box = new(17, 11), one = new(), two = new(), three = new();
        other.Pixels.Fill(9);
        for (int y = 0; y < 11; y++)
        {
            source.Row(5 + y).Slice(3 * 8, 3 * 17).CopyTo(other.Row(5 + y)[(3 * 8)..]);
            source.Row(5 + y).Slice(3 * 8, 3 * 17).CopyTo(box.Row(y));
        }
        new Resample().Crop(source, new CropBox(8, 5, 17, 11), one, 24, 24);
        new Resample().Crop(other, new CropBox(8, 5, 17, 11), two, 24, 24);
        new Resample().Resize(box, three, 24, 24);
        Assert.That(one.Pixels.SequenceEqual(two.Pixels));
        Assert.That(one.Pixels.SequenceEqual(three.Pixels));
    }

    [TestCase(17, 11, 17, 24)]
    [TestCase(17, 11, 24, 11)]
    [TestCase(17, 11, 17, 11)]
    public void A_pass_that_keeps_its_size_copies(int width, int height, int newWidth, int newHeight)
    {
        RgbImage source = new(30, 30), result = new();
        for (int y = 0; y < 30; y++)
            for (int x = 0; x < 30; x++)
                source.Row(y).Slice(3 * x, 3).Fill((byte)(newHeight == height ? y * 5 : x * 5));
        new Resample().Crop(source, new CropBox(6, 4, width, height), result, newWidth, newHeight);
        // The picture changes only along the side that is kept.
        for (int y = 0; y < newHeight; y++)
            for (int x = 0; x < newWidth; x++)
                Assert.That(result.Row(y)[3 * x], Is.EqualTo(newHeight == height ? (4 + y) * 5 : (6 + x) * 5));
    }

    [TestCase(101, 57)]
    [TestCase(57, 101)]
    [TestCase(64, 64)]
    [TestCase(48, 31)]
    [TestCase(2, 900)]
    public void The_evaluation_square_is_the_centre_of_the_resized_picture(int width, int height)
    {
        RgbImage source = Noise(width, height), whole = new(), square = new();
        new Resample().ResizeShortSide(source, whole, 48);
        new Resample().ResizeAndCentreCrop(source, square, 48, 31);
        int left = (int)Math.Round((whole.Width - 31) / 2.0), top = (int)Math.Round((whole.Height - 31) / 2.0);
        for (int y = 0; y < 31; y++)
            Assert.That(square.Row(y).SequenceEqual(whole.Row(top + y).Slice(3 * left, 3 * 31)), $"row {y}");
    }

    [Test]
    public void Misuse_is_named()
    {
        RgbImage source = Noise(10, 10), result = new();
        var resample = new Resample();
        Assert.That(
            () => resample.Crop(source, new CropBox(3, 0, 8, 5), result, 4, 4),
            Throws.ArgumentException.With.Message.Contains("10 × 10"));
        Assert.That(() => resample.Crop(source, new CropBox(-1, 0, 8, 5), result, 4, 4), Throws.ArgumentException);
        Assert.That(() => resample.Resize(source, source, 4, 4), Throws.ArgumentException.With.Message.Contains("two images"));
        Assert.That(() => resample.ResizeAndCentreCrop(source, result, 8, 9), Throws.ArgumentException.With.Message.Contains("9 pixels"));
        Assert.That(() => Normalize.ImageNet.Apply(source, new float[10]), Throws.ArgumentException.With.Message.Contains("300"));
        Assert.That(() => new Normalize([0, 0], [1, 1, 1]), Throws.ArgumentException);
        Assert.That(() => new RgbImage(100_000, 100_000), Throws.ArgumentException.With.Message.Contains("too large"));
    }

    internal static RgbImage Noise(int width, int height)
    {
        var random = new PhiloxStream(7, (uint)width, (uint)height);
        var image = new RgbImage(width, height);
        foreach (ref byte value in image.Pixels)
            value = (byte)random.NextInt(256);
        return image;
    }

    // Pillow's Convert.c, rgb2hsv_row and hsv2rgb, one pixel at a time.
    private static (byte R, byte G, byte B) PillowHue(int r, int g, int b, int shift)
    {
        int top = Math.Max(r, Math.Max(g, b)), low = Math.Min(r, Math.Min(g, b)), h = 0, s = 0;
        if (top != low)
        {
            float span = top - low, rc = (top - r) / span, gc = (top - g) / span, bc = (top - b) / span;
            float angle = r == top ? bc - gc : g == top ? (float)(2.0 + rc - bc) : (float)(4.0 + gc - rc);
            angle = (float)((angle / 6.0 + 1.0) % 1.0);
            (h, s) = ((int)(angle * 255.0), (int)(span / top * 255.0));
        }
        h = (h + shift) & 255;
        if (s == 0)
            return ((byte)top, (byte)top, (byte)top);
        int sector = (int)Math.Floor(h * 6.0 / 255.0);
        float f = (float)(h * 6.0 / 255.0) - sector, saturation = (float)(s / 255.0);
        byte p = Round(top * (1.0 - saturation)), q = Round(top * (1.0 - (double)saturation * f));
        byte t = Round(top * (1.0 - saturation * (1.0 - f))), v = (byte)top;
        return (sector % 6) switch
        {
            0 => (v, t, p),
            1 => (q, v, p),
            2 => (p, v, t),
            3 => (p, q, v),
            4 => (t, p, v),
            _ => (v, p, q),
        };
    }

    private static byte Round(double value) => (byte)Math.Clamp(Math.Floor(value + 0.5), 0, 255);

    // Three box passes along rows, by definition: whole neighbours in full, one more on either side in part, in 24-bit fixed point.
    private static byte[] BlurRows(byte[] pixels, int width, double sigma)
    {
        float variance = (float)sigma * (float)sigma / 3f, length = (float)Math.Sqrt(12.0 * variance + 1.0);
        float whole = MathF.Floor((length - 1f) / 2f);
        float radius = whole + (2 * whole + 1) * (whole * (whole + 1) - 3 * variance) / (6 * (variance - (whole + 1) * (whole + 1)));
        long full = (long)((1 << 24) / (radius * 2 + 1)), edge = ((1 << 24) - (2 * (int)whole + 1) * full) / 2;
        for (int pass = 0; pass < 3; pass++)
        {
            byte[] result = new byte[pixels.Length];
            for (int i = 0; i < pixels.Length; i++)
            {
                int row = i / (3 * width), x = i / 3 % width, channel = i % 3;
                long At(int shift) => pixels[(row * width + Math.Clamp(x + shift, 0, width - 1)) * 3 + channel];
                long sum = (At(-(int)whole - 1) + At((int)whole + 1)) * edge + (1 << 23);
                for (int k = -(int)whole; k <= (int)whole; k++)
                    sum += At(k) * full;
                result[i] = (byte)(sum >> 24);
            }
            pixels = result;
        }
        return pixels;
    }

    private static byte[] Transpose(byte[] pixels, int width, int height)
    {
        byte[] result = new byte[pixels.Length];
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                pixels.AsSpan((y * width + x) * 3, 3).CopyTo(result.AsSpan((x * height + y) * 3));
        return result;
    }
}
