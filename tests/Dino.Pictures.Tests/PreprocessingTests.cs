using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Pictures.Transforms;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>From the stored values of files to the numbers that a network gets, by range, mean and deviation.</summary>
public class PreprocessingTests
{
    // The shorter side becomes 18 for squares of 16: pictures of that size are cut, and not resized.
    private const int Size = 16, Side = 18;

    private static readonly Preprocessing twelveBits = new() { Range = new(0, 4095), Mean = [0.4], Std = [0.2] };

    private PictureFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = TinyRun.MakePictures(0);

    [TearDown]
    public void DeleteFolder() => folder.Dispose();

    [TestCase("png", 1)]
    [TestCase("png", 3)]
    [TestCase("png", 4)]
    [TestCase("tif", 1)]
    [TestCase("tif", 3)]
    [TestCase("tif", 4)]
    [TestCase("tif", 5)]
    public void TwelveBitsInSixteen_BecomeTheirShareOfTheRange(string ending, int channels)
    {
        string path = Write($"a.{ending}", 3, channels);
        var preprocessing = twelveBits with
        {
            Mean = [.. Enumerable.Range(0, channels).Select(c => 0.3 + 0.1 * c)],
            Std = [.. Enumerable.Range(0, channels).Select(c => 0.2 + 0.05 * c)],
        };

        float[] expected = Expected(3, channels, preprocessing);
        Assert.That(EvalPicture.Read(path, Size, channels, preprocessing), Is.EqualTo(expected));

        var options = new EvalLoaderOptions
        {
            ResizeSize = Side,
            CropSize = Size,
            Channels = channels,
            Preprocessing = preprocessing,
            BatchSize = 1,
        };
        using var loader = new EvalLoader(ImageFolder.Scan(folder.Root), options);
        using var batch = loader.Next()!;
        Assert.That(batch.Pictures.ToArray(), Is.EqualTo(expected));
    }

    [Test]
    public void APath_AStream_AndBytes_GiveTheSame_FromManyThreadsToo()
    {
        string path = Write("a.png", 1, 3);
        byte[] bytes = File.ReadAllBytes(path);
        var preprocessing = new Preprocessing { Range = new(100, 3000) };
        float[] expected = Expected(1, 3, preprocessing);

        Parallel.For(0, 24, i =>
        {
            using var stream = new MemoryStream(bytes);
            using var input = PictureInput.OfBytes(bytes);
            float[] actual = (i % 4) switch
            {
                0 => EvalPicture.Read(path, Size, 3, preprocessing),
                1 => EvalPicture.Read(stream, Size, 3, preprocessing),
                2 => EvalPicture.Read(bytes, Size, 3, preprocessing),
                _ => EvalPicture.Read(input, Size, 3, preprocessing),
            };
            Assert.That(actual, Is.EqualTo(expected));
        });
    }

    [Test]
    public void WithoutARange_TheUpperByteIsTaken_AndOfOtherChannelsAllBits()
    {
        Write("a.png", 2, 3);
        float[] upper = EvalPicture.Read(folder.PathOf("a.png"), Size);
        var table = Normalize.ImageNet.Levels();
        for (int i = 0; i < upper.Length; i++)
            Assert.That(upper[i], Is.EqualTo(table[256 * (i / 256) + (DeepPictures.Value(2, i / 256, i % 16 + 1, i % 256 / 16 + 1) >> 8)]));

        string five = Write("b.tif", 2, 5);
        var plain = new Preprocessing { Mean = new double[5], Std = [1, 1, 1, 1, 1] };
        Assert.That(EvalPicture.Read(five, Size, 5, plain), Is.EqualTo(Expected(2, 5, plain with { Range = new(0, 65535) })));
    }

    [Test]
    public void FloatingPointNumbers_AreScaledByTheRange()
    {
        double Value(int c, int x, int y) => -2 + 0.25 * x + 0.125 * y;
        string path = folder.Write("a.tif", DeepPictures.Tiff(Side, Side, 1, 32, Value));
        var preprocessing = new Preprocessing { Range = new(-1, 3), Mean = [0], Std = [1] };
        float[] expected = [.. from y in Enumerable.Range(1, Size) from x in Enumerable.Range(1, Size)
                               select (float)Math.Clamp((Value(0, x, y) + 1) / 4, 0, 1)];
        Assert.That(EvalPicture.Read(path, Size, 1, preprocessing), Is.EqualTo(expected));
    }

    [Test]
    public void APictureOfOtherBands_IsSkipped_AndItIsSaidHowManyItHas()
    {
        Write("a.tif", 1, 5);
        Write("b.png", 1, 3);
        var options = new EvalLoaderOptions
        {
            ResizeSize = Side,
            CropSize = Size,
            Channels = 5,
            Preprocessing = new() { Mean = new double[5], Std = [1, 1, 1, 1, 1] },
        };
        var skipped = new SkippedFiles();
        using var loader = new EvalLoader(ImageFolder.Scan(folder.Root), options, skipped);
        using var batch = loader.Next()!;
        Assert.That(batch.Count, Is.EqualTo(1));
        Assert.That(skipped.Snapshot().Single().Path, Does.EndWith("b.png"));
        Assert.That(skipped.Snapshot().Single().Reason, Does.Contain("3").And.Contain("5"));
    }

    [Test]
    public void CropsOfDeepPictures_AreTheSameWithAndWithoutACache_AndFollowTheRange([Values(1, 3, 4, 5)] int channels)
    {
        for (int i = 0; i < 4; i++)
            Write($"{i}.{(channels > 4 ? "tif" : "png")}", i, channels);
        var options = new CropLoaderOptions
        {
            BatchSize = 4,
            Channels = channels,
            Preprocessing = new() { Range = new(0, 4095), Mean = new double[channels], Std = [.. Enumerable.Repeat(1.0, channels)] },
            Views = new MultiCropOptions { GlobalCropsSize = 16, LocalCropsSize = 8, LocalCropsNumber = 2 }.Views,
            Prefetch = new() { Workers = 2 },
        };
        var folderOfPictures = ImageFolder.Scan(folder.Root);
        using var without = new CropLoader(folderOfPictures, options);
        using var with = new CropLoader(folderOfPictures, options with { Prefetch = new() { Workers = 1, CacheBytes = 1 << 20 } });
        for (int step = 0; step < 3; step++)
        {
            using CropBatch a = without.Next(), b = with.Next();
            Assert.That(b.Views(0, 2).ToArray(), Is.EqualTo(a.Views(0, 2).ToArray()));
            Assert.That(b.Views(2, 2).ToArray(), Is.EqualTo(a.Views(2, 2).ToArray()));
            Assert.That(a.Views(0, 2).ToArray(), Is.All.InRange(0, 1));
            Assert.That(a.Views(0, 2).ToArray().Average(), Is.InRange(0.2, 0.8));
        }
    }

    [Test]
    public void AnotherMeanAndDeviation_ChangeNothingElse()
    {
        string path = folder.WritePicture("a.png", 3);
        var other = new Preprocessing { Mean = [0.1, 0.2, 0.3], Std = [0.5, 0.25, 2] };
        float[] expected = EvalPicture.Read(path, Size), actual = EvalPicture.Read(path, Size, 3, other);
        var levels = Normalize.ImageNet.Levels();
        for (int i = 0; i < actual.Length; i++)
        {
            int c = i / 256, value = Array.IndexOf(levels, expected[i], 256 * c, 256) - 256 * c;
            Assert.That(actual[i], Is.EqualTo((value / 255f - (float)other.Mean[c]) / (float)other.Std[c]));
        }
    }

    [Test]
    public void WhatCannotBe_IsNamed()
    {
        void Refuses(Preprocessing preprocessing, int channels, string message) => Assert.That(
            () => preprocessing.NormalizeFor(channels), Throws.ArgumentException.With.Message.Contains(message));
        Refuses(new() { Range = new(5, 5) }, 3, "`Range`");
        Refuses(new() { Range = new(0, double.NaN) }, 3, "`Range`");
        Refuses(new() { Mean = [0.5, 0.5, 0.5] }, 3, "`Std`");
        Refuses(new() { Mean = [0.5], Std = [0.5] }, 3, "3 channels");
        Refuses(new() { Mean = [0.5], Std = [0] }, 1, "above 0");
        Refuses(new(), 5, "not 5");
        Assert.That(new Preprocessing { Mean = [0.5], Std = [2] }, Is.EqualTo(new Preprocessing { Mean = [0.5], Std = [2] }));
        Assert.That(new Preprocessing { Mean = [0.5], Std = [2] }, Is.Not.EqualTo(new Preprocessing { Mean = [0.5], Std = [3] }));
    }

    [Test]
    public void TheRange_IsMeasuredAsNumpysPercentiles()
    {
        // 3 · 20 · 10 values from 0 to 599 of which 2.995 and 596.005 are the percentiles; whole numbers are rounded outwards.
        for (int i = 0; i < 3; i++)
            folder.Write($"{i}.png", DeepPictures.Png(20, 10, 1, (_, x, y) => i * 200 + y * 20 + x));
        var (range, pictures) = PictureStatistics.MeasureRange(ImageFolder.Scan(folder.Root), new(), 1, new());
        Assert.That((range, pictures), Is.EqualTo((new ValueRange(2, 597), 3)));

        using var floats = new PictureFolder();
        floats.Write("a.tif", DeepPictures.Tiff(25, 8, 1, 32, (_, x, y) => x + y == 0 ? double.NaN : 0.5 * (y * 25 + x)));
        (range, _) = PictureStatistics.MeasureRange(ImageFolder.Scan(floats.Root), new(), 1, new());
        Assert.That(range.Low, Is.EqualTo(0.995).Within(1e-5), "of 199 numbers from 0.5 to 99.5");
        Assert.That(range.High, Is.EqualTo(99.005).Within(1e-5));
    }

    [Test]
    public void MeanAndDeviation_AreThoseOfAllPixels([Values(1, 3, 4, 5)] int channels)
    {
        for (int i = 0; i < 6; i++)
            Write($"{i}.{(channels > 4 ? "tif" : "png")}", i, channels);
        var preprocessing = new Preprocessing { Range = new(500, 3500) };
        var (mean, std, pictures) = PictureStatistics.MeasureMeanAndStd(
            ImageFolder.Scan(folder.Root), preprocessing, channels, new PrefetchOptions { Workers = 3 });
        Assert.That(pictures, Is.EqualTo(6));
        for (int c = 0; c < channels; c++)
        {
            double[] values = [.. from i in Enumerable.Range(0, 6) from y in Enumerable.Range(0, Side) from x in Enumerable.Range(0, Side)
                                  select Math.Clamp((DeepPictures.Value(i, c, x, y) - 500) / 3000.0, 0, 1)];
            double average = values.Average();
            Assert.That(mean[c], Is.EqualTo(average).Within(1e-6));
            Assert.That(std[c], Is.EqualTo(Math.Sqrt(values.Average(value => (value - average) * (value - average)))).Within(1e-6));
        }
    }

    [Test]
    public void AChannelThatNeverChanges_HasADeviationOf1()
    {
        folder.Write("a.png", DeepPictures.Png(9, 8, 1, (_, _, _) => 700));
        var (mean, std, _) = PictureStatistics.MeasureMeanAndStd(
            ImageFolder.Scan(folder.Root), new() { Range = new(0, 1400) }, 1, new());
        Assert.That((mean[0], std[0]), Is.EqualTo((0.5, 1.0)));
        Assert.That(() => PictureStatistics.MeasureRange(ImageFolder.Scan(folder.Root), new(), 1, new()),
            Throws.TypeOf<ImageFolderException>().With.Message.Contains("700 alone"));
    }

    private string Write(string name, int number, int channels)
    {
        int Value(int c, int x, int y) => DeepPictures.Value(number, c, x, y);
        return folder.Write(name, name.EndsWith("png", StringComparison.Ordinal) ? DeepPictures.Png(Side, Side, channels, Value)
            : DeepPictures.Tiff(Side, Side, channels, 16, (c, x, y) => Value(c, x, y)));
    }

    private static float[] Expected(int number, int channels, Preprocessing preprocessing)
    {
        float low = (float)preprocessing.Range!.Value.Low, span = (float)(preprocessing.Range.Value.High - preprocessing.Range.Value.Low);
        double[] mean = [.. preprocessing.Mean ?? [0.485, 0.456, 0.406]], std = [.. preprocessing.Std ?? [0.229, 0.224, 0.225]];
        return [.. from c in Enumerable.Range(0, channels) from y in Enumerable.Range(1, Size) from x in Enumerable.Range(1, Size)
                   select (Math.Clamp((DeepPictures.Value(number, c, x, y) - low) / span, 0f, 1f) - (float)mean[c]) / (float)std[c]];
    }
}
