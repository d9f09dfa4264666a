using Dino.Pictures.Decoding;
using Dino.Pictures.Transforms;
using Dino.Tensors.Random;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

public class CropMakerTests
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
        Assert.That(options.Views.Select(view => view.Size), Is.EqualTo([224, 224, 96, 96, 96, 96, 96, 96, 96, 96]));
    }

    // Checkpoints go on from steps whose crops were drawn so; the numbers are those of DataAugmentationDINO in main_dino.py.
    [Test]
    public void Dinos_views_are_drawn_in_the_references_order_and_ranges([Range(0, 4)] int view)
    {
        var maker = new CropMaker(Small.Views);
        for (int i = 0; i < 400; i++)
        {
            PhiloxStream random = CropMaker.StreamOf(7, 3, i, view), expected = random;
            var plan = maker.Plan(70, 50, view, ref random);

            Assert.That(plan.Box, Is.EqualTo(RandomResizedCrop.Draw(70, 50, view < 2 ? new(0.4, 1) : new(0.05, 0.4), ref expected)));
            Assert.That(plan.Flip, Is.EqualTo(expected.NextDouble() < 0.5));
            if (expected.NextDouble() < 0.8)
            {
                ColorOperation[] order = [ColorOperation.Brightness, ColorOperation.Contrast, ColorOperation.Saturation,
                    ColorOperation.Hue];
                expected.Shuffle(order.AsSpan());
                var jitter = plan.Jitter!.Value;
                Assert.That(Enumerable.Range(0, 4).Select(jitter.Operation), Is.EqualTo(order));
                double Next(double low, double high) => low + (high - low) * expected.NextDouble();
                Assert.That((jitter.Brightness, jitter.Contrast, jitter.Saturation, jitter.Hue),
                    Is.EqualTo((Next(0.6, 1.4), Next(0.6, 1.4), Next(0.8, 1.2), (double?)Next(-0.1, 0.1))));
            }
            else
                Assert.That(plan.Jitter, Is.Null);
            Assert.That(plan.Grayscale, Is.EqualTo(expected.NextDouble() < 0.2));
            double sigma = expected.NextDouble() <= (view == 0 ? 1 : view == 1 ? 0.1 : 0.5) ? 0.1 + (2.0 - 0.1) * expected.NextDouble() : 0;
            Assert.That((plan.Sigma, plan.Solarize), Is.EqualTo((sigma, view == 1 && expected.NextDouble() < 0.2 ? 128 : (int?)null)));
        }
    }

    [Test]
    public void A_plain_view_is_the_resized_box_and_nothing_else()
    {
        RgbImage picture = TransformTests.Noise(70, 50), expected = new();
        var maker = new CropMaker([new View { Size = 24, Scale = new(0.3, 0.8) }]);
        for (int i = 0; i < 20; i++)
        {
            PhiloxStream random = CropMaker.StreamOf(1, 0, i, 0), same = random;
            new Resample().Crop(picture, RandomResizedCrop.Draw(70, 50, new(0.3, 0.8), ref same), expected, 24, 24);
            Assert.That(maker.Draw(picture, 0, ref random).Pixels.SequenceEqual(expected.Pixels));
        }
    }

    // By torchvision's ColorJitter: a strength of 0 leaves its operation out; a turn of the hue by 0 would change colours.
    [Test]
    public void Jitter_without_strength_changes_nothing()
    {
        var plain = new View { Size = 24, Scale = new(1, 1) };
        var maker = new CropMaker([plain, plain with { Recipe = new() { JitterProbability = 1 } }]);
        RgbImage picture = TransformTests.Noise(24, 24), expected = new();
        PhiloxStream a = CropMaker.StreamOf(1, 0, 0, 0), b = a;
        expected.CopyFrom(maker.Draw(picture, 0, ref a));
        Assert.That(maker.Draw(picture, 1, ref b).Pixels.SequenceEqual(expected.Pixels));
    }

    [Test]
    public void Solarisation_turns_values_from_its_threshold_on()
    {
        var maker = new CropMaker([new View { Size = 20, Recipe = new() { SolarizeProbability = 1, SolarizeThreshold = 100 } }]);
        foreach (var (value, expected) in new[] { (99, 99), (100, 155), (255, 0) })
        {
            var picture = new RgbImage(20, 20);
            picture.Pixels.Fill((byte)value);
            var random = CropMaker.StreamOf(1, 0, 0, 0);
            Assert.That(maker.Draw(picture, 0, ref random).Pixels.ToArray(), Is.All.EqualTo((byte)expected));
        }
    }

    [Test]
    public void Bad_views_are_named()
    {
        var view = new View { Size = 8 };
        void Refuses(string message, params View[] views) =>
            Assert.That(() => new CropMaker(views), Throws.ArgumentException.With.Message.Contains(message));
        Refuses("list of views is empty");
        Refuses("View.Size", view, view with { Size = 0 });
        Refuses("View.Scale", view with { Scale = new(0.5, 1.5) });
        Refuses("Recipe.FlipProbability is 1.1", view with { Recipe = new() { FlipProbability = 1.1 } });
        Refuses("Recipe.Hue is 0.6", view with { Recipe = new() { Hue = 0.6 } });
        Refuses("Recipe.Brightness is -1: it must be 0 … 1000", view with { Recipe = new() { Brightness = -1 } });
        Refuses("Recipe.BlurRadiusMin is 3", view with { Recipe = new() { BlurRadiusMin = 3 } });
        Refuses("Recipe.SolarizeThreshold is 257", view with { Recipe = new() { SolarizeThreshold = 257 } });
    }

    [Test]
    public void A_crop_follows_from_its_stream_alone()
    {
        RgbImage picture = TransformTests.Noise(70, 50);
        var one = new CropMaker(Small.Views);
        var two = new CropMaker(Small.Views);
        var seen = new HashSet<string>();
        for (int crop = 4; crop >= 0; crop--)
        {
            float[] a = new float[3 * Small.Views[crop].Size * Small.Views[crop].Size], b = new float[a.Length];
            one.Apply(picture, crop, CropMaker.StreamOf(5, 2, 9, crop), a);
            two.Apply(TransformTests.Noise(9, 9), 0, CropMaker.StreamOf(1, 1, 1, 0), new float[3 * 24 * 24]);
            two.Apply(picture, crop, CropMaker.StreamOf(5, 2, 9, crop), b);
            Assert.That(b, Is.EqualTo(a));
            Assert.That(seen.Add(string.Join(' ', a.Take(12))));
        }
        foreach (var stream in new[]
        {
            CropMaker.StreamOf(6, 2, 9, 0), CropMaker.StreamOf(5, 3, 9, 0), CropMaker.StreamOf(5, 2, 8, 0),
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
        var maker = new CropMaker(Small.Views);
        int count = 0;
        for (int i = 0; i < Draws; i++)
        {
            var random = CropMaker.StreamOf(1, 0, i, crop);
            RgbImage result = maker.Draw(picture, crop, ref random);
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
        var maker = new CropMaker(whole.Views);
        int blurred = 0, judged = 0;
        for (int i = 0; i < Draws; i++)
        {
            var random = CropMaker.StreamOf(3, 0, i, crop);
            RgbImage result = maker.Draw(picture, crop, ref random);
            // Only draws that took the whole picture: its checkerboard is untouched by the resize then.
            var geometry = CropMaker.StreamOf(3, 0, i, crop);
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
            Assert.That(options.Validate, Throws.ArgumentException.With.Message.Contains(message));
        Refuses(Small with { GlobalCropsSize = 0 }, "global crops size");
        Refuses(Small with { LocalCropsSize = 1_000_000 }, "local crops size");
        Refuses(Small with { LocalCropsNumber = -1 }, "-1");
        Refuses(Small with { GlobalCropsScale = new(0.5, 0.4) }, "0.5 … 0.4");
        Refuses(Small with { LocalCropsScale = new(0, double.NaN) }, "local crops scale");
        Assert.That((Small with { LocalCropsNumber = 0, LocalCropsSize = 0 }).Validate, Throws.Nothing);
        Assert.That((Small with { LocalCropsNumber = 0, LocalCropsSize = 0 }).Views, Has.Count.EqualTo(2));
    }

    private static int Distinct(RgbImage image) => image.Pixels.ToArray().Chunk(3).Select(p => (p[0], p[1], p[2])).Distinct().Count();
}
