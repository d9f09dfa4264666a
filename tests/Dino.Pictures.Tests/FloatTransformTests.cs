using Dino.Pictures.Decoding;
using Dino.Pictures.Transforms;
using Dino.Tensors.Random;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>
/// Transforms of pictures whose depth is kept. On pictures of 8 bits they are those of the other path but for its roundings; where they
/// have a formula, that is what is expected.
/// </summary>
public class FloatTransformTests
{
    private const float Level = 1f / 255;

    [TestCase(70, 50, 24, 24, ResampleFilter.Bicubic)]
    [TestCase(23, 31, 60, 50, ResampleFilter.Bicubic)]
    [TestCase(64, 40, 64, 17, ResampleFilter.Bilinear)]
    [TestCase(64, 40, 11, 40, ResampleFilter.Lanczos)]
    [TestCase(3, 2, 9, 7, ResampleFilter.Lanczos)]
    public void Resize_is_that_of_8_bits_without_its_roundings(int width, int height, int toWidth, int toHeight, ResampleFilter filter)
    {
        var picture = TransformTests.Noise(width, height);
        var box = new CropBox(width / 5, height / 4, width - width / 3, height - height / 3);
        DecodedPicture expected = new(), actual = new();

        new PictureResize().Crop(picture, box, expected, toWidth, toHeight, filter);
        new PictureResize().Crop(Deep(picture), box, actual, toWidth, toHeight, filter);

        // Two roundings of half a level, the first one through weights whose amounts sum to less than 1.6.
        AssertNear(actual.Floats, expected.Rgb, 1.3f * Level);
    }

    [Test]
    public void The_central_square_is_that_of_8_bits([Values(37, 80)] int width)
    {
        var picture = TransformTests.Noise(width, 50);
        DecodedPicture expected = new(), actual = new();
        new PictureResize().ResizeAndCentreCrop(picture, expected, 32, 28);
        new PictureResize().ResizeAndCentreCrop(Deep(picture), actual, 32, 28);
        AssertNear(actual.Floats, expected.Rgb, 1.3f * Level);
    }

    [Test]
    public void Resize_of_a_ramp_of_16_bits_keeps_steps_that_8_bits_lose()
    {
        var ramp = new FloatImage();
        ramp.Reshape(1, 64, 2);
        for (int i = 0; i < 128; i++)
            ramp.Values[i] = 0.5f + (i % 64) / 65535f;
        FloatImage half = new();
        new FloatResample().Run(ramp, new CropBox(0, 0, 64, 2), half, (32, 2), new CropBox(0, 0, 32, 2), ResampleFilter.Bilinear);
        for (int x = 2; x < 30; x++) // the middle of two steps
            Assert.That((half.Values[x] - 0.5) * 65535, Is.EqualTo(2 * x + 0.5).Within(0.02));
    }

    [TestCase(0.3)]
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(7.5)]
    public void Blur_is_that_of_8_bits_without_its_roundings(double sigma)
    {
        var (picture, floats) = (TransformTests.Noise(41, 19), Deep(TransformTests.Noise(41, 19)));
        new GaussianBlur().Apply(picture, sigma);
        new FloatBlur().Apply(floats.Floats, sigma);
        AssertNear(floats.Floats, picture, 3 * Level); // six roundings of half a level
    }

    [TestCase(ColorOperation.Brightness, 1.4)]
    [TestCase(ColorOperation.Brightness, 0.6)]
    [TestCase(ColorOperation.Contrast, 1.4)]
    [TestCase(ColorOperation.Contrast, 0.6)]
    [TestCase(ColorOperation.Saturation, 1.2)]
    [TestCase(ColorOperation.Saturation, 0.8)]
    public void Blends_are_those_of_8_bits_without_their_roundings(ColorOperation operation, double factor)
    {
        var (picture, floats) = (TransformTests.Noise(21, 19), Deep(TransformTests.Noise(21, 19)));
        ColorJitter.Apply(picture, operation, factor);
        FloatColors.Apply(floats.Floats, operation, (float)factor);
        AssertNear(floats.Floats, picture, 1.3f * Level); // one truncation, and the rounding of what is blended with
    }

    [Test]
    public void Grey_flip_and_solarisation_are_those_of_8_bits()
    {
        var (picture, floats) = (TransformTests.Noise(21, 19), Deep(TransformTests.Noise(21, 19)));
        Solarize.Apply(picture, 100);
        FloatColors.Solarize(floats.Floats, 100 / 255f);
        AssertNear(floats.Floats, picture, 1e-6f);
        HorizontalFlip.Apply(picture);
        FloatFlip.Horizontal(floats.Floats);
        AssertNear(floats.Floats, picture, 1e-6f);
        VerticalFlip.Apply(picture);
        FloatFlip.Vertical(floats.Floats);
        AssertNear(floats.Floats, picture, 1e-6f);
        Grayscale.Apply(picture);
        FloatColors.Grayscale(floats.Floats);
        AssertNear(floats.Floats, picture, 0.51f * Level);
    }

    // colorsys.hsv_to_rgb((h + factor) % 1, s, v) of Python.
    [TestCase(0.9f, 0.2f, 0.4f, 1 / 3f, 0.4f, 0.9f, 0.2f)]
    [TestCase(0.9f, 0.2f, 0.4f, -1 / 3f, 0.2f, 0.4f, 0.9f)]
    [TestCase(0.1f, 0.8f, 0.3f, 0.1f, 0.1f, 0.8f, 0.72f)]
    [TestCase(0.1f, 0.8f, 0.3f, -0.05f, 0.11f, 0.8f, 0.1f)]
    [TestCase(0.25f, 0.5f, 1f, 0.5f, 1f, 0.75f, 0.25f)]
    [TestCase(0.5f, 0.5f, 0.5f, 0.2f, 0.5f, 0.5f, 0.5f)]
    public void Hue_turns_the_circle(float r, float g, float b, float factor, float toR, float toG, float toB)
    {
        var image = new FloatImage();
        image.Reshape(3, 1, 1);
        ((ReadOnlySpan<float>)[r, g, b]).CopyTo(image.Values);
        FloatColors.Apply(image, ColorOperation.Hue, factor);
        Assert.That(image.Values.ToArray(), Is.EqualTo((float[])[toR, toG, toB]).Within(1e-5));
    }

    [Test]
    public void Bands_have_brightness_and_contrast_but_neither_saturation_nor_hue([Values(1, 2, 5)] int channels)
    {
        var image = Bands(channels);
        float[] before = image.Values.ToArray();
        FloatColors.Apply(image, ColorOperation.Saturation, 0.2f);
        FloatColors.Apply(image, ColorOperation.Hue, 0.3f);
        FloatColors.Grayscale(image);
        Assert.That(image.Values.ToArray(), Is.EqualTo(before));

        FloatColors.Apply(image, ColorOperation.Brightness, 1.5f);
        float[] bright = Array.ConvertAll(before, value => Math.Min(1, value * 1.5f));
        Assert.That(image.Values.ToArray(), Is.EqualTo(bright).Within(1e-6));

        FloatColors.Apply(image, ColorOperation.Contrast, 0.5f);
        float mean = bright.Average();
        Assert.That(image.Values.ToArray(), Is.EqualTo(Array.ConvertAll(bright, value => 0.5f * value + 0.5f * mean)).Within(1e-6));
    }

    [Test]
    public void A_fourth_channel_is_cut_flipped_and_blurred_alone()
    {
        var maker = new CropMaker([new View { Size = 16, Recipe = Colourful }], new Normalize([0, 0, 0, 0], [1, 1, 1, 1]));
        var plain = new CropMaker([new View { Size = 16, Recipe = Geometry }], new Normalize([0], [1]));
        DecodedPicture picture = new() { IsDeep = true }, fourth = new() { IsDeep = true };
        picture.Floats.CopyFrom(Bands(4, 40, 30));
        fourth.Floats.Reshape(1, 40, 30);
        picture.Floats.Plane(3).CopyTo(fourth.Floats.Values);
        float[] four = new float[4 * 16 * 16], one = new float[16 * 16];
        for (int i = 0; i < 20; i++)
        {
            maker.Apply(picture, 0, CropMaker.StreamOf(3, 0, i, 0), four);
            plain.Apply(fourth, 0, CropMaker.StreamOf(3, 0, i, 0), one);
            Assert.That(four[(3 * 16 * 16)..], Is.EqualTo(one));
        }
    }

    [Test]
    public void Opacity_of_8_bits_is_cut_flipped_and_blurred_too()
    {
        RgbImage picture = TransformTests.Noise(40, 30), opacity = TransformTests.Noise(40, 30);
        Grayscale.Apply(opacity);
        picture.Opacity = new RgbImage();
        picture.Opacity.CopyFrom(opacity);
        CropMaker maker = new([new View { Size = 16, Recipe = Colourful }]), plain = new([new View { Size = 16, Recipe = Geometry }]);
        for (int i = 0; i < 20; i++)
        {
            PhiloxStream a = CropMaker.StreamOf(3, 0, i, 0), b = a;
            Assert.That(maker.Draw(picture, 0, ref a).Opacity!.Pixels.SequenceEqual(plain.Draw(opacity, 0, ref b).Pixels));
        }
    }

    [Test]
    public void Crops_are_those_of_8_bits_by_the_same_draws()
    {
        // Neither hue, which 8 bits turn in 255 steps of coarse colours, nor a threshold, at which half a level decides.
        var views = new MultiCropOptions { GlobalCropsSize = 32, LocalCropsSize = 16, LocalCropsNumber = 2 }.Views
            .Select(view => view with { Recipe = view.Recipe with { Hue = 0, SolarizeProbability = 0 } }).ToArray();
        var maker = new CropMaker(views);
        var picture = TransformTests.Noise(70, 50);
        var deep = Deep(picture);
        for (int i = 0; i < 40; i++)
        {
            int view = i % views.Length, length = 3 * views[view].Size * views[view].Size;
            float[] expected = new float[length], actual = new float[length];
            maker.Apply(picture, view, CropMaker.StreamOf(5, 1, i, view), expected);
            maker.Apply(deep, view, CropMaker.StreamOf(5, 1, i, view), actual);
            double[] levels = [.. actual.Zip(expected, (a, b) => Math.Abs(a - b) * 0.225 * 255)];
            // Pillow truncates each of three blends, by half a level on average, and contrast widens that.
            Assert.That(levels.Average(), Is.LessThan(2), $"draw {i}");
            Assert.That(levels.Max(), Is.LessThan(6), $"draw {i}");
        }
    }

    [Test]
    public void Values_are_scaled_and_clamped_and_what_is_no_number_is_black()
    {
        var image = new FloatImage();
        image.Reshape(1, 11, 1);
        ((ReadOnlySpan<float>)[0, 100, 300, 500, 900, 1000, float.NaN, float.PositiveInfinity, float.NegativeInfinity, float.NaN, 300])
            .CopyTo(image.Values);
        ValueScale.Apply(image, new ValueRange(100, 500));
        Assert.That(image.Values.ToArray(), Is.EqualTo((float[])[0, 0, 0.5f, 1, 1, 1, 0, 1, 0, 0, 0.5f]));
    }

    private static readonly Recipe Geometry =
        new() { FlipProbability = 0.5, JitterProbability = 0.8, Brightness = 0, BlurProbability = 0.5 };

    // Draws as many numbers.
    private static readonly Recipe Colourful =
        Geometry with { Brightness = 0.4, Contrast = 0.4, Saturation = 0.4, GrayscaleProbability = 0.3, SolarizeProbability = 0.5 };

    private static DecodedPicture Deep(RgbImage picture)
    {
        var deep = new DecodedPicture { IsDeep = true };
        deep.Floats.Reshape(3, picture.Width, picture.Height);
        for (int c = 0; c < 3; c++)
            for (int i = 0; i < picture.Width * picture.Height; i++)
                deep.Floats.Plane(c)[i] = picture.Pixels[3 * i + c] / 255f;
        deep.Floats.Depth = ValueScale.Scaled;
        return deep;
    }

    private static FloatImage Bands(int channels, int width = 7, int height = 5)
    {
        var image = new FloatImage();
        image.Reshape(channels, width, height);
        var random = new System.Random(channels);
        foreach (ref float value in image.Values)
            value = random.NextSingle();
        return image;
    }

    private static void AssertNear(FloatImage actual, RgbImage expected, float tolerance)
    {
        Assert.That((actual.Width, actual.Height, actual.Channels), Is.EqualTo((expected.Width, expected.Height, 3)));
        for (int c = 0; c < 3; c++)
        {
            float[] plane = actual.Plane(c).ToArray();
            float[] bytes = [.. Enumerable.Range(0, plane.Length).Select(i => expected.Pixels[3 * i + c] / 255f)];
            Assert.That(plane, Is.EqualTo(bytes).Within(tolerance));
        }
    }
}
