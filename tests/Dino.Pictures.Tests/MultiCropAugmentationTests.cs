using Dino.Pictures.Decoding;
using Dino.Pictures.Transforms;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

public class MultiCropAugmentationTests
{
    private static readonly MultiCropOptions Small = new() { GlobalCropsSize = 24, LocalCropsSize = 12, LocalCropsNumber = 3 };

    [Test]
    public void The_options_default_to_the_reference()
    {
        var options = new MultiCropOptions();
        Assert.That((options.GlobalCropsSize, options.LocalCropsSize, options.LocalCropsNumber), Is.EqualTo((224, 96, 8)));
        Assert.That(options.GlobalCropsScale, Is.EqualTo(new CropScale(0.4, 1)));
        Assert.That(options.LocalCropsScale, Is.EqualTo(new CropScale(0.05, 0.4)));
        Assert.That(options.CropsNumber, Is.EqualTo(10));
    }

    [Test]
    public void A_crop_follows_from_its_stream_alone()
    {
        RgbImage picture = TransformTests.Noise(70, 50);
        var one = new MultiCropAugmentation(Small);
        var two = new MultiCropAugmentation(Small);
        var seen = new HashSet<string>();
        for (int crop = 4; crop >= 0; crop--)
        {
            float[] a = new float[3 * one.SizeOf(crop) * one.SizeOf(crop)], b = new float[a.Length];
            one.Apply(picture, crop, MultiCropAugmentation.StreamOf(5, 2, 9, crop), a);
            two.Apply(TransformTests.Noise(9, 9), 0, MultiCropAugmentation.StreamOf(1, 1, 1, 0), new float[3 * 24 * 24]);
            two.Apply(picture, crop, MultiCropAugmentation.StreamOf(5, 2, 9, crop), b);
            Assert.That(b, Is.EqualTo(a));
            Assert.That(seen.Add(string.Join(' ', a.Take(12))));
        }
        foreach (var stream in new[]
        {
            MultiCropAugmentation.StreamOf(6, 2, 9, 0), MultiCropAugmentation.StreamOf(5, 3, 9, 0), MultiCropAugmentation.StreamOf(5, 2, 8, 0),
        })
        {
            float[] a = new float[3 * 24 * 24];
            one.Apply(picture, 0, stream, a);
            Assert.That(seen.Add(string.Join(' ', a.Take(12))));
        }
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    public void Grayscale_has_its_probability(int crop) =>
        // No jitter makes this colour grey.
        Assert.That(Share(crop, [150, 90, 50], (r, g, b) => r == g && g == b), Is.EqualTo(0.2).Within(0.03)); // 4 standard errors

    [TestCase(0, 0.0)]
    [TestCase(1, 0.2)]
    [TestCase(2, 0.0)]
    public void Solarisation_belongs_to_the_second_global_crop(int crop, double probability) =>
        // No jitter takes white below 128.
        Assert.That(Share(crop, [255, 255, 255], (r, _, _) => r < 128), Is.EqualTo(probability).Within(0.15 * probability));

    private static double Share(int crop, byte[] colour, Func<byte, byte, byte, bool> holds)
    {
        const int Draws = 3000;
        var picture = new RgbImage(20, 20);
        for (int i = 0; i < picture.Pixels.Length; i += 3)
            colour.CopyTo(picture.Pixels[i..]);
        var augmentation = new MultiCropAugmentation(Small);
        int count = 0;
        for (int i = 0; i < Draws; i++)
        {
            var random = MultiCropAugmentation.StreamOf(1, 0, i, crop);
            RgbImage result = augmentation.Draw(picture, crop, ref random);
            count += holds(result.Pixels[0], result.Pixels[1], result.Pixels[2]) ? 1 : 0;
        }
        return count / (double)Draws;
    }

    // A step edge stays one pixel wide unless it is blurred; crop and picture have one size, so the resize hardly smooths.
    [TestCase(0, 1.0)]
    [TestCase(1, 0.1)]
    [TestCase(2, 0.5)]
    public void Blur_has_its_probability_for_each_view(int crop, double probability)
    {
        const int Draws = 1000;
        var picture = new RgbImage(48, 48);
        for (int y = 0; y < 48; y++)
            for (int x = 0; x < 48; x++)
                picture.Row(y).Slice(3 * x, 3).Fill((byte)((x ^ y) % 2 == 0 ? 90 : 160));
        var whole = new MultiCropOptions
        {
            GlobalCropsSize = 48,
            LocalCropsSize = 48,
            GlobalCropsScale = new(1, 1),
            LocalCropsScale = new(1, 1),
            LocalCropsNumber = 1,
        };
        var augmentation = new MultiCropAugmentation(whole);
        int blurred = 0, judged = 0;
        for (int i = 0; i < Draws; i++)
        {
            var random = MultiCropAugmentation.StreamOf(3, 0, i, crop);
            RgbImage result = augmentation.Draw(picture, crop, ref random);
            // Only draws that took the whole picture: its checkerboard is untouched by the resize then.
            var geometry = MultiCropAugmentation.StreamOf(3, 0, i, crop);
            if (RandomResizedCrop.Draw(48, 48, new CropScale(1, 1), ref geometry) is not { Width: 48, Height: 48 })
                continue;
            judged++;
            blurred += Distinct(result) > 2 ? 1 : 0;
        }
        Assert.That(judged, Is.GreaterThan(60));
        // Radii below 0.3 change the checkerboard by less than a grey level at its border: a tenth of the blurs look sharp at most.
        Assert.That(blurred / (double)judged, Is.EqualTo(probability).Within(0.1 + 0.1 * probability));
    }

    [Test]
    public void Bad_options_are_named()
    {
        void Refuses(MultiCropOptions options, string message) =>
            Assert.That(() => new MultiCropAugmentation(options), Throws.ArgumentException.With.Message.Contains(message));
        Refuses(Small with { GlobalCropsSize = 0 }, "global crops size");
        Refuses(Small with { LocalCropsSize = 1_000_000 }, "local crops size");
        Refuses(Small with { LocalCropsNumber = -1 }, "-1");
        Refuses(Small with { GlobalCropsScale = new(0.5, 0.4) }, "0.5 … 0.4");
        Refuses(Small with { LocalCropsScale = new(0, double.NaN) }, "local crops scale");
        Assert.That(() => new MultiCropAugmentation(Small with { LocalCropsNumber = 0, LocalCropsSize = 0 }), Throws.Nothing);
    }

    private static int Distinct(RgbImage image) => image.Pixels.ToArray().Chunk(3).Select(p => (p[0], p[1], p[2])).Distinct().Count();
}
