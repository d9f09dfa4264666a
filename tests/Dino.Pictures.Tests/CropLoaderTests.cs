using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Pictures.Transforms;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

[CancelAfter(60_000)]
public sealed class CropLoaderTests : IDisposable
{
    private const int Pictures = 11;

    private static readonly CropLoaderOptions Options = new()
    {
        BatchSize = 2,
        Seed = 42,
        Crops = new() { GlobalCropsSize = 16, LocalCropsSize = 8, LocalCropsNumber = 3 },
        Prefetch = new() { Workers = 2 },
    };

    private readonly PictureFolder folder = new();
    private readonly ImageFolder images;

    public CropLoaderTests()
    {
        for (int i = 0; i < Pictures; i++)
            folder.WritePicture($"{i:d2}.png", i);
        images = ImageFolder.Scan(folder.Root);
    }

    public void Dispose() => folder.Dispose();

    [Test]
    public void Batches_do_not_depend_on_workers_prefetch_or_cache()
    {
        var expected = Load(Options with { Prefetch = new() { Workers = 1, Batches = 1 } }, 13);
        foreach (var prefetch in new PrefetchOptions[]
        {
            new() { Workers = 2 }, new() { Workers = 7, Batches = 5 }, new() { Workers = 3, CacheBytes = 1 << 30 },
            new() { Workers = 3, CacheBytes = 9000 },
        })
            AssertEqual(Load(Options with { Prefetch = prefetch }, 13), expected);
    }

    [TestCase(0, 3)]
    [TestCase(1, 0)]
    [TestCase(1, 5)]
    [TestCase(2, 1)]
    public void A_loader_started_later_continues_the_same_sequence(int epoch, int step)
    {
        var all = Load(Options, 14);
        int start = epoch * 5 + step; // 11 pictures, 2 a batch: 5 steps
        AssertEqual(Load(Options with { StartEpoch = epoch, StartStep = step }, 14 - start), all[start..]);
    }

    [Test]
    public void An_epoch_takes_each_picture_at_most_once_in_an_order_of_its_own()
    {
        var epochs = Load(Options, 10).GroupBy(batch => batch.Epoch).Select(epoch => epoch.SelectMany(batch => batch.Samples).ToArray()).ToArray();
        Assert.That(epochs, Has.Length.EqualTo(2));
        foreach (int[] epoch in epochs)
            Assert.That(epoch.Distinct().Count(), Is.EqualTo(10));
        Assert.That(epochs[0], Is.Not.EqualTo(epochs[1]));
        Assert.That(Load(Options with { Seed = 43 }, 5).SelectMany(batch => batch.Samples), Is.Not.EqualTo(epochs[0]));
    }

    [Test]
    public void Ranks_share_the_pictures_of_each_step()
    {
        var whole = Load(Options with { BatchSize = 4 }, 4);
        var ranks = new[] { Load(Options with { Ranks = 2, Rank = 0 }, 4), Load(Options with { Ranks = 2, Rank = 1 }, 4) };
        for (int step = 0; step < whole.Length; step++)
            for (int i = 0; i < 4; i++)
            {
                var part = ranks[i % 2][step];
                Assert.That(part.Samples[i / 2], Is.EqualTo(whole[step].Samples[i]));
                int floats = 3 * 16 * 16;
                Assert.That(part.Globals.AsSpan((2 + i / 2) * floats, floats).SequenceEqual(whole[step].Globals.AsSpan((4 + i) * floats, floats)));
            }
    }

    [Test]
    public void Crops_lie_crop_major_each_as_the_augmentation_makes_it()
    {
        var batch = Load(Options, 2)[1];
        var augmentation = new MultiCropAugmentation(Options.Crops);
        using var decoder = new ImageDecoder();
        var picture = new RgbImage();
        Assert.That((batch.Globals.Length, batch.Locals.Length), Is.EqualTo((2 * 2 * 3 * 16 * 16, 3 * 2 * 3 * 8 * 8)));
        for (int i = 0; i < 2; i++)
        {
            decoder.Decode(images.PathOf(batch.Samples[i]), picture);
            for (int crop = 0; crop < 5; crop++)
            {
                int size = crop < 2 ? 16 : 8, row = (crop < 2 ? crop : crop - 2) * 2 + i;
                float[] expected = new float[3 * size * size];
                augmentation.Apply(picture, crop, MultiCropAugmentation.StreamOf(42, 0, position: 2 + i, crop), expected);
                Assert.That((crop < 2 ? batch.Globals : batch.Locals).AsSpan(row * expected.Length, expected.Length).SequenceEqual(expected));
            }
        }
    }

    [Test]
    public void An_unreadable_file_is_reported_once_and_replaced_by_the_next_readable_one()
    {
        using var damaged = new PictureFolder();
        for (int i = 0; i < 6; i++)
            damaged.WritePicture($"{i}.png", i);
        foreach (int i in new[] { 2, 3, 5 })
            damaged.Write($"{i}.png", "no picture"u8);
        var found = ImageFolder.Scan(damaged.Root);
        int calls = 0;
        var skipped = new SkippedFiles((_, _) => Interlocked.Increment(ref calls));
        var options = Options with { BatchSize = 6, Prefetch = new() { Workers = 4 } };
        var batches = Load(options, 3, found, skipped);
        Assert.That(batches[0].Samples.Order(), Is.EqualTo(new[] { 0, 0, 1, 4, 4, 4 }));
        Assert.That(skipped.Snapshot().Select(entry => Path.GetFileName(entry.Path)), Is.EqualTo(new[] { "2.png", "3.png", "5.png" }));
        Assert.That(calls, Is.EqualTo(3));
        AssertEqual(batches, Load(options with { Prefetch = new() { Workers = 1 } }, 3, found));
    }

    [Test]
    public void A_folder_without_a_readable_picture_is_an_error_of_the_consumer()
    {
        using var damaged = new PictureFolder();
        damaged.Write("1.png", "no picture"u8);
        damaged.Write("2.png", ""u8);
        using var loader = new CropLoader(ImageFolder.Scan(damaged.Root), Options);
        for (int i = 0; i < 2; i++)
            Assert.That(loader.Next, Throws.TypeOf<ImageFolderException>().With.Message.Contains("no readable picture"));
    }

    [Test]
    public void An_exception_of_a_worker_reaches_the_consumer()
    {
        using var damaged = new PictureFolder();
        for (int i = 0; i < 4; i++)
            damaged.Write($"{i}.png", "no picture"u8);
        var skipped = new SkippedFiles((_, _) => throw new InvalidOperationException("the report failed"));
        using var loader = new CropLoader(ImageFolder.Scan(damaged.Root), Options, skipped);
        Assert.That(loader.Next, Throws.InvalidOperationException.With.Message.EqualTo("the report failed"));
    }

    [Test]
    public void The_consumer_allocates_nothing_once_the_ring_turns()
    {
        using var loader = new CropLoader(images, Options);
        for (int i = 0; i < 20; i++)
            loader.Next().Dispose();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 50; i++)
            loader.Next().Dispose();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1024));
    }

    [Test]
    public void Batches_in_use_are_never_written_and_too_many_are_an_error()
    {
        using var loader = new CropLoader(images, Options);
        CropBatch[] held = [loader.Next(), loader.Next(), loader.Next()];
        float[] first = held[0].Globals.ToArray();
        Assert.That(loader.Next, Throws.InvalidOperationException.With.Message.Contains("dispose of one"));
        Assert.That(held[0].Globals.SequenceEqual(first));
        held[1].Dispose();
        held[0].Dispose();
        using CropBatch next = loader.Next();
        Assert.That(next.Step, Is.EqualTo(3));
        held[2].Dispose();
    }

    [Test]
    public void Disposal_ends_the_workers_at_any_moment()
    {
        for (int i = 0; i < 10; i++)
        {
            var loader = new CropLoader(images, Options with { Prefetch = new() { Workers = 4 } });
            for (int k = 0; k < i % 3; k++)
                loader.Next().Dispose();
            loader.Dispose();
            loader.Dispose();
        }
    }

    [Test]
    public void Bad_options_are_named()
    {
        void Refuses(CropLoaderOptions options, string message) =>
            Assert.That(() => new CropLoader(images, options), Throws.ArgumentException.With.Message.Contains(message));
        Refuses(Options with { BatchSize = 0 }, "batch size is 0");
        Refuses(Options with { BatchSize = 12 }, "fewer than the 12");
        Refuses(Options with { BatchSize = 6, Ranks = 2 }, "fewer than the 12");
        Refuses(Options with { Rank = 1 }, "Rank 1 of 1");
        Refuses(Options with { StartStep = 6 }, "5 steps");
        Refuses(Options with { Prefetch = new() { Batches = 0 } }, "prefetched batches");
        Refuses(Options with { Prefetch = new() { Workers = -1 } }, "workers");
        Refuses(Options with { Crops = new() { GlobalCropsSize = 20_000 } }, "MiB");
        Assert.That(new CropLoaderOptions().Ranks, Is.EqualTo(1));
    }

    private Recorded[] Load(CropLoaderOptions options, int batches, ImageFolder? from = null, SkippedFiles? skipped = null)
    {
        using var loader = new CropLoader(from ?? images, options, skipped);
        var result = new Recorded[batches];
        for (int i = 0; i < batches; i++)
        {
            using CropBatch batch = loader.Next();
            result[i] = new(batch.Epoch, batch.Step, batch.Samples.ToArray(), batch.Globals.ToArray(), batch.Locals.ToArray());
        }
        return result;
    }

    private static void AssertEqual(Recorded[] actual, Recorded[] expected)
    {
        Assert.That(actual, Has.Length.EqualTo(expected.Length));
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.That((actual[i].Epoch, actual[i].Step), Is.EqualTo((expected[i].Epoch, expected[i].Step)), $"batch {i}");
            Assert.That(actual[i].Samples, Is.EqualTo(expected[i].Samples), $"batch {i}");
            Assert.That(actual[i].Globals.AsSpan().SequenceEqual(expected[i].Globals), $"global crops of batch {i}");
            Assert.That(actual[i].Locals.AsSpan().SequenceEqual(expected[i].Locals), $"local crops of batch {i}");
        }
    }

    private sealed record Recorded(int Epoch, int Step, int[] Samples, float[] Globals, float[] Locals);
}
