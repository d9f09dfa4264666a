using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Pictures.Transforms;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

[CancelAfter(60_000)]
public sealed class EvalLoaderTests : IDisposable
{
    private static readonly EvalLoaderOptions Options =
        new() { ResizeSize = 20, CropSize = 16, BatchSize = 4, Prefetch = new() { Workers = 3 } };

    private readonly PictureFolder folder = new();
    private readonly ImageFolder images;

    public EvalLoaderTests()
    {
        for (int i = 0; i < 10; i++)
            folder.WritePicture($"{(char)('a' + i % 3)}/{i}.png", i, 30 + i, 40 - i);
        images = ImageFolder.Scan(folder.Root);
    }

    public void Dispose() => folder.Dispose();

    [Test]
    public void Every_picture_comes_once_in_order_with_its_label()
    {
        var pictures = Load(images, Options, out int[] samples, out int[] labels, out int[] counts);
        Assert.That(samples, Is.EqualTo(Enumerable.Range(0, 10)));
        Assert.That(labels, Is.EqualTo(new[] { 0, 0, 0, 0, 1, 1, 1, 2, 2, 2 }));
        Assert.That(counts, Is.EqualTo(new[] { 4, 4, 2 }));
        using var decoder = new ImageDecoder();
        RgbImage picture = new(), resized = new(), square = new(16, 16);
        for (int i = 0; i < 10; i++)
        {
            decoder.Decode(images.PathOf(i), picture);
            new Resample().ResizeShortSide(picture, resized, 20);
            int left = (int)Math.Round((resized.Width - 16) / 2.0), top = (int)Math.Round((resized.Height - 16) / 2.0);
            for (int y = 0; y < 16; y++)
                resized.Row(top + y).Slice(3 * left, 48).CopyTo(square.Row(y));
            float[] expected = new float[3 * 16 * 16];
            Normalize.ImageNet.Apply(square, expected);
            Assert.That(pictures[i], Is.EqualTo(expected), $"picture {i}");
        }
    }

    [TestCase(1, 1)]
    [TestCase(5, 4)]
    public void Pictures_do_not_depend_on_workers(int workers, int batches)
    {
        var expected = Load(images, Options, out _, out _, out _);
        var actual = Load(images, Options with { Prefetch = new() { Workers = workers, Batches = batches } }, out _, out _, out _);
        Assert.That(actual, Is.EqualTo(expected));
    }

    [Test]
    public void Unreadable_files_are_left_out_and_reported()
    {
        using var damaged = new PictureFolder();
        for (int i = 0; i < 9; i++)
            damaged.WritePicture($"{i}.png", i);
        foreach (int i in new[] { 0, 2, 4, 5, 6, 7 })
            damaged.Write($"{i}.png", "no picture"u8);
        var skipped = new SkippedFiles();
        var found = ImageFolder.Scan(damaged.Root);
        var pictures = Load(found, Options, out int[] samples, out _, out int[] counts, skipped);
        Assert.That(samples, Is.EqualTo(new[] { 1, 3, 8 }));
        Assert.That(counts, Is.EqualTo(new[] { 2, 1 }));
        Assert.That(skipped.Count, Is.EqualTo(6));
        foreach (int i in new[] { 0, 2, 4, 5, 6, 7 })
            damaged.WritePicture($"{i}.png", i);
        var all = Load(found, Options, out _, out _, out _);
        Assert.That(pictures, Is.EqualTo(new[] { all[1], all[3], all[8] }));
    }

    [Test]
    public void A_folder_without_a_readable_picture_is_an_error()
    {
        using var damaged = new PictureFolder();
        damaged.Write("1.png", "no picture"u8);
        using var loader = new EvalLoader(ImageFolder.Scan(damaged.Root), Options);
        Assert.That(loader.Next, Throws.TypeOf<ImageFolderException>().With.Message.Contains("no readable picture"));
    }

    [Test]
    public void Bad_options_are_named()
    {
        Assert.That(() => new EvalLoader(images, Options with { CropSize = 21 }),
            Throws.ArgumentException.With.Message.Contains("21 pixels"));
        Assert.That(() => new EvalLoader(images, Options with { BatchSize = 0 }),
            Throws.ArgumentException.With.Message.Contains("batch size"));
    }

    private static float[][] Load(
        ImageFolder from, EvalLoaderOptions options, out int[] samples, out int[] labels, out int[] counts, SkippedFiles? skipped = null)
    {
        using var loader = new EvalLoader(from, options, skipped);
        List<float[]> pictures = [];
        List<int> sampleList = [], labelList = [], countList = [];
        while (loader.Next() is { } batch)
        {
            pictures.AddRange(batch.Pictures.ToArray().Chunk(3 * options.CropSize * options.CropSize));
            sampleList.AddRange(batch.Samples);
            labelList.AddRange(batch.Labels);
            countList.Add(batch.Count);
            batch.Dispose();
        }
        (samples, labels, counts) = ([.. sampleList], [.. labelList], [.. countList]);
        return [.. pictures];
    }
}
