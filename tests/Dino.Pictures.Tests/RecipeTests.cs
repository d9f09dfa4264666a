using Dino.Pictures.Decoding;
using Dino.Pictures.Transforms;
using Dino.Tensors.Random;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>Recipes other than DINO's own: every transform at its ends, and in its place among the others.</summary>
public class RecipeTests
{
    private static readonly Recipe everything = new()
    {
        FlipProbability = 1,
        VerticalFlipProbability = 1,
        JitterProbability = 1,
        Brightness = 0.4,
        Contrast = 0.4,
        Saturation = 0.2,
        Hue = 0.1,
        GrayscaleProbability = 1,
        BlurProbability = 1,
        SolarizeProbability = 1,
    };

    // The transforms themselves are held against Pillow's by AugmentGoldenTests.
    [Test]
    public void With_probability_1_each_is_done_in_its_turn()
    {
        foreach (var recipe in (Recipe[])[everything, everything with { GrayscaleProbability = 0, SolarizeThreshold = 60, Hue = 0 },
            everything with { BlurRadiusMin = 9, BlurRadiusMax = 30, GrayscaleProbability = 0 }])
            for (int i = 0; i < 10; i++)
            {
                RgbImage picture = TransformTests.Noise(31, 23), expected = new();
                var maker = new CropMaker([new View { Size = 19, Recipe = recipe }]);
                PhiloxStream random = CropMaker.StreamOf(3, 0, i, 0), same = random;
                var plan = maker.Plan(31, 23, 0, ref random);
                Assert.That((plan.Flip, plan.VerticalFlip, plan.Jitter is null, plan.Grayscale, plan.Solarize),
                    Is.EqualTo((true, true, false, recipe.GrayscaleProbability == 1, (int?)recipe.SolarizeThreshold)));
                Assert.That(plan.Sigma, Is.InRange(recipe.BlurRadiusMin, recipe.BlurRadiusMax));

                new Resample().Crop(picture, plan.Box, expected, 19, 19);
                HorizontalFlip.Apply(expected);
                VerticalFlip.Apply(expected);
                ColorJitter.Apply(expected, plan.Jitter!.Value);
                if (plan.Grayscale)
                    Grayscale.Apply(expected);
                new GaussianBlur().Apply(expected, plan.Sigma);
                Solarize.Apply(expected, recipe.SolarizeThreshold);

                Assert.That(maker.Draw(picture, 0, plan).Pixels.SequenceEqual(expected.Pixels));
                Assert.That(maker.Draw(picture, 0, ref same).Pixels.SequenceEqual(expected.Pixels));
            }
    }

    [Test]
    public void With_probability_0_nothing_is_done_however_strong_it_would_be()
    {
        var never = everything with
        {
            FlipProbability = 0,
            VerticalFlipProbability = 0,
            JitterProbability = 0,
            Brightness = 9,
            GrayscaleProbability = 0,
            BlurProbability = 0,
            BlurRadiusMin = 5,
            BlurRadiusMax = 9,
            SolarizeProbability = 0,
            SolarizeThreshold = 0,
        };
        AssertUntouched(never);
    }

    [Test]
    public void Without_strength_it_is_nothing_however_often_it_is_done() => AssertUntouched(new Recipe
    {
        JitterProbability = 1,
        BlurProbability = 1,
        BlurRadiusMin = 0,
        BlurRadiusMax = 0,
        SolarizeProbability = 1,
        SolarizeThreshold = 256,
    });

    [Test]
    public void Turning_every_value_is_the_negative()
    {
        var plain = new View { Size = 16, Scale = new(1, 1) };
        var maker = new CropMaker([plain with { Recipe = new() { SolarizeProbability = 1, SolarizeThreshold = 0 } }, plain]);
        var picture = TransformTests.Noise(16, 16);
        PhiloxStream a = CropMaker.StreamOf(1, 0, 0, 0), b = a;
        byte[] turned = maker.Draw(picture, 0, ref a).Pixels.ToArray();
        Assert.That(maker.Draw(picture, 1, ref b).Pixels.ToArray().Select(v => (byte)(255 - v)), Is.EqualTo(turned));
    }

    [Test]
    public void Top_and_bottom_change_places([Values(1, 2, 7, 8)] int height)
    {
        RgbImage picture = TransformTests.Noise(5, height), flipped = new();
        flipped.CopyFrom(picture);
        flipped.Opacity = new RgbImage();
        flipped.Opacity.CopyFrom(picture);
        VerticalFlip.Apply(flipped);
        for (int y = 0; y < height; y++)
        {
            Assert.That(flipped.Row(y).SequenceEqual(picture.Row(height - 1 - y)));
            Assert.That(flipped.Opacity!.Row(y).SequenceEqual(picture.Row(height - 1 - y)));
        }
    }

    // Runs of before had no such flip, and their numbers stay.
    [Test]
    public void A_flip_that_is_never_done_draws_nothing()
    {
        var usual = new MultiCropOptions();
        Assert.That(usual.Global1.VerticalFlipProbability, Is.Zero);
        var with = usual with { Local = usual.Local with { VerticalFlipProbability = 1e-300 } };
        PhiloxStream a = CropMaker.StreamOf(1, 2, 3, 2), b = a, c = a;
        new CropMaker(usual.Views).Plan(50, 40, 2, ref a);
        new CropMaker(with.Views).Plan(50, 40, 2, ref b);
        var plan = new CropMaker(usual.Views).Plan(50, 40, 2, ref c);
        Assert.That((plan.VerticalFlip, c.NextUInt() == a.NextUInt(), c.NextUInt() == b.NextUInt()), Is.EqualTo((false, true, false)));
        var maker = new CropMaker([new View { Size = 8, Recipe = new() { VerticalFlipProbability = 0.3 } }]);
        int flips = Enumerable.Range(0, 2000).Count(i =>
        {
            var random = CropMaker.StreamOf(5, 0, i, 0);
            return maker.Plan(9, 9, 0, ref random).VerticalFlip;
        });
        Assert.That(flips / 2000.0, Is.EqualTo(0.3).Within(0.04));
    }

    [Test]
    public void Boxes_have_the_ratio_that_is_asked_for()
    {
        var options = new MultiCropOptions { CropRatio = new(2, 3), LocalCropsNumber = 1 };
        var maker = new CropMaker(options.Views);
        var ratios = new List<double>();
        for (int i = 0; i < 600; i++)
        {
            var random = CropMaker.StreamOf(1, 0, i, i % 3);
            var box = maker.Plan(3000, 1200, i % 3, ref random).Box;
            ratios.Add((double)box.Width / box.Height);
        }
        Assert.That(ratios, Is.All.InRange(1.98, 3.02)); // whole pixels
        Assert.That(ratios.Average(Math.Log), Is.EqualTo((Math.Log(2) + Math.Log(3)) / 2).Within(0.02), "uniform in its logarithm");
        Assert.That(RandomResizedCrop.Fallback(100, 100, new(2, 3)), Is.EqualTo(new CropBox(0, 25, 100, 50)));
        Assert.That(RandomResizedCrop.Fallback(900, 100, new(2, 3)), Is.EqualTo(new CropBox(300, 0, 300, 100)));
    }

    [Test]
    public void Recipes_that_cannot_be_are_named()
    {
        var usual = new MultiCropOptions();
        void Refuses(string message, MultiCropOptions options) =>
            Assert.That(options.Validate, Throws.ArgumentException.With.Message.Contains(message));
        Refuses("Recipe.Contrast is 1001: it must be 0 … 1000", usual with { Global2 = usual.Global2 with { Contrast = 1001 } });
        Refuses("Recipe.BlurRadiusMax is 101", usual with { Local = usual.Local with { BlurRadiusMax = 101 } });
        Refuses("Recipe.VerticalFlipProbability is -1", usual with { Global1 = usual.Global1 with { VerticalFlipProbability = -1 } });
        Refuses("Recipe.JitterProbability is NaN", usual with { Global1 = usual.Global1 with { JitterProbability = double.NaN } });
        Refuses("crop ratio is 2 … 1", usual with { CropRatio = new(2, 1) });
        Refuses("crop ratio is 0 … 1", usual with { CropRatio = new(0, 1) });
        Assert.That(new View { Size = 8, Ratio = new(-1, 1) }.Validate, Throws.ArgumentException.With.Message.Contains("View.Ratio"));
    }

    private static void AssertUntouched(Recipe recipe)
    {
        var plain = new View { Size = 20, Scale = new(0.5, 1) };
        var maker = new CropMaker([plain, plain with { Recipe = recipe }]);
        RgbImage picture = TransformTests.Noise(33, 27), expected = new();
        for (int i = 0; i < 20; i++)
        {
            PhiloxStream a = CropMaker.StreamOf(1, 0, i, 0), b = a;
            expected.CopyFrom(maker.Draw(picture, 0, ref a));
            Assert.That(maker.Draw(picture, 1, ref b).Pixels.SequenceEqual(expected.Pixels));
        }
    }
}
