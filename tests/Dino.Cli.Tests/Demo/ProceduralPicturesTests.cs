using System.Numerics;
using Dino.Cli.Demo;
using Dino.Train.Evaluation.Features;
using NUnit.Framework;
using SkiaSharp;

namespace Dino.Cli.Tests.Demo;

public class ProceduralPicturesTests
{
    [Test]
    public void PicturesDependOnSeedSplitAndIndexAlone()
    {
        var set = new ProceduralPictures(seed: 7, size: 32);
        var many = set.MakeMany(PictureSplit.Train, 40);
        var again = new ProceduralPictures(seed: 7, size: 32);

        for (int index = 39; index >= 0; index--)
        {
            var alone = again.Make(PictureSplit.Train, index);
            Assert.That(many[index].Rgb, Is.EqualTo(alone.Rgb));
            Assert.That(many[index].Mask, Is.EqualTo(alone.Mask));
        }
        Assert.That(again.Make(PictureSplit.Validation, 3).Rgb, Is.Not.EqualTo(many[3].Rgb));
        Assert.That(new ProceduralPictures(8, 32).Make(PictureSplit.Train, 3).Rgb, Is.Not.EqualTo(many[3].Rgb));
    }

    [Test]
    public void ClassesAreBalanced_AtLeastTen_AndInTheOrderOfFolders()
    {
        var pictures = new ProceduralPictures(1, 16).MakeMany(PictureSplit.Validation, 60);

        Assert.That(ProceduralPictures.ClassNames,
            Has.Count.GreaterThanOrEqualTo(10).And.Ordered.Using((IComparer<string>)StringComparer.Ordinal));
        Assert.That(pictures.CountBy(picture => picture.Label).Select(pair => pair.Value),
            Is.All.EqualTo(60 / ProceduralPictures.ClassNames.Count));
    }

    [Test]
    public void MasksHoldOneObject_SometimesTwo_OfUsefulSize()
    {
        var pictures = new ProceduralPictures(2).MakeMany(PictureSplit.Validation, 200);
        int two = pictures.Count(picture => picture.Mask.Contains((byte)2));

        Assert.That(pictures.Select(picture => picture.Mask.Max()), Is.All.InRange(1, 2));
        Assert.That(two, Is.InRange(15, 75));
        foreach (var picture in pictures)
        {
            double share = picture.Mask.Count(id => id != 0) / (double)picture.Mask.Length;
            Assert.That(share, Is.InRange(0.05, 0.6), ProceduralPictures.ClassNames[picture.Label]);
        }
    }

    /// <summary>
    /// Colours are drawn from the same distribution for all classes: a classifier that sees the mean hue alone must fail.
    /// </summary>
    [Test]
    public void ColourTellsNothingOfTheClass()
    {
        var set = new ProceduralPictures(3, size: 32);
        var (train, validation) = (set.MakeMany(PictureSplit.Train, 1500), set.MakeMany(PictureSplit.Validation, 500));

        double accuracy = KNearest(train, validation, MeanHue);

        Assert.That(accuracy, Is.LessThan(18), "chance is 10 %, and four deviations of 500 guesses are 5 %");
    }

    [Test]
    public void RawPixelsScoreUnderFortyPercent_AndAboveChance()
    {
        var set = new ProceduralPictures(1);
        var (train, validation) = (set.MakeMany(PictureSplit.Train, 4000), set.MakeMany(PictureSplit.Validation, 300));

        double accuracy = KNearest(train, validation, picture =>
        {
            float[] row = new float[3 * 64 * 64];
            RawPixels.Fill(picture.Rgb, picture.Size, picture.Size, 64, row);
            return row;
        });

        TestContext.Out.WriteLine($"raw pixels: {accuracy:F1} %");
        Assert.That(accuracy, Is.InRange(12, 40));
    }

    [Test]
    public void FolderHoldsClassFoldersOfPicturesAndMasks()
    {
        string folder = Path.Combine(TestContext.CurrentContext.WorkDirectory, "demo-" + Guid.NewGuid().ToString("N"));
        try
        {
            int told = 0;
            var set = new ProceduralPictures(5, 32);
            set.WriteFolder(folder, train: 12, validation: 11, _ => Interlocked.Increment(ref told));

            string kind = ProceduralPictures.ClassNames[0];
            Assert.That(told, Is.EqualTo(23));
            Assert.That(Directory.GetFiles(Path.Combine(folder, "train"), "*.png", SearchOption.AllDirectories), Has.Length.EqualTo(12));
            Assert.That(Directory.GetFiles(Path.Combine(folder, "val"), "*.png", SearchOption.AllDirectories), Has.Length.EqualTo(11));
            using var picture = SKBitmap.Decode(Path.Combine(folder, "val", kind, "0001.png"));
            using var mask = SKBitmap.Decode(Path.Combine(folder, "masks", "val", kind, "0001.png"));
            var expected = set.Make(PictureSplit.Validation, 10);
            for (int i = 0; i < expected.Mask.Length; i++)
            {
                var pixel = picture.GetPixel(i % 32, i / 32);
                Assert.That(new[] { pixel.Red, pixel.Green, pixel.Blue }, Is.EqualTo(expected.Rgb[(3 * i)..(3 * i + 3)]));
                Assert.That(mask.GetPixel(i % 32, i / 32).Red, Is.EqualTo(expected.Mask[i]));
            }
        }
        finally
        {
            if (Directory.Exists(folder))
                Directory.Delete(folder, recursive: true);
        }
    }

    [Test]
    public void ASizeThatMakesNoPicture_IsRefused() =>
        Assert.That(() => new ProceduralPictures(1, 8), Throws.InstanceOf<ArgumentOutOfRangeException>());

    private static float[] MeanHue(LabelledPicture picture)
    {
        double u = 0, v = 0;
        for (int i = 0; i < picture.Rgb.Length; i += 3)
        {
            double luma = 0.299 * picture.Rgb[i] + 0.587 * picture.Rgb[i + 1] + 0.114 * picture.Rgb[i + 2];
            u += picture.Rgb[i + 2] - luma;
            v += picture.Rgb[i] - luma;
        }
        double norm = Math.Sqrt(u * u + v * v);
        return [(float)(u / norm), (float)(v / norm)];
    }

    /// <summary>
    /// Accuracy in percent of weighted k-NN with 20 neighbours and T = 0.07 on unit rows, written apart from the program's.
    /// </summary>
    private static double KNearest(LabelledPicture[] train, LabelledPicture[] asked, Func<LabelledPicture, float[]> features)
    {
        float[][] bank = [.. train.AsParallel().AsOrdered().Select(features)];
        int right = asked.AsParallel().Count(picture =>
        {
            float[] row = features(picture);
            float[] similar = [.. bank.Select(other => Dot(row, other))];
            double[] votes = new double[ProceduralPictures.ClassNames.Count];
            foreach (int i in Enumerable.Range(0, bank.Length).OrderByDescending(i => similar[i]).Take(20))
                votes[train[i].Label] += Math.Exp(similar[i] / 0.07);
            return Array.IndexOf(votes, votes.Max()) == picture.Label;
        });
        return 100.0 * right / asked.Length;
    }

    private static float Dot(float[] a, float[] b)
    {
        var sum = Vector<float>.Zero;
        int i = 0;
        for (; i <= a.Length - Vector<float>.Count; i += Vector<float>.Count)
            sum += new Vector<float>(a, i) * new Vector<float>(b, i);
        float total = Vector.Sum(sum);
        for (; i < a.Length; i++)
            total += a[i] * b[i];
        return total;
    }
}
