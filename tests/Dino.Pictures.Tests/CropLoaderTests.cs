using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Pictures.Transforms;
using Dino.Tensors;
using Dino.Testing;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

[CancelAfter(60_000)]
public sealed class CropLoaderTests : IDisposable
{
    private const int Pictures = 11;

    private static readonly MultiCropOptions Crops = new() { GlobalCropsSize = 16, LocalCropsSize = 8, LocalCropsNumber = 3 };

    private static readonly CropLoaderOptions Options = new()
    {
        BatchSize = 2,
        Seed = 42,
        Views = Crops.Views,
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
        var epochs = Load(Options, 10).GroupBy(batch => batch.Epoch).Select(epoch => epoch.SelectMany(batch => batch.Samples).ToArray())
            .ToArray();
        Assert.That(epochs, Has.Length.EqualTo(2));
        foreach (int[] epoch in epochs)
            Assert.That(epoch.Distinct().Count(), Is.EqualTo(10));
        Assert.That(epochs[0], Is.Not.EqualTo(epochs[1]));
        Assert.That(Load(Options with { Seed = 43 }, 5).SelectMany(batch => batch.Samples), Is.Not.EqualTo(epochs[0]));
    }

    [TestCase(2)]
    [TestCase(3)]
    public void Ranks_together_see_the_batches_of_one(int count)
    {
        var options = Options with { BatchSize = 1, StartEpoch = 1, StartStep = 1 };
        var whole = Load(options with { BatchSize = count }, 6);
        var ranks = Enumerable.Range(0, count).Select(rank => Load(options with { Ranks = count, Rank = rank }, 6)).ToArray();
        for (int step = 0; step < whole.Length; step++)
        {
            Assert.That(ranks.Select(rank => (rank[step].Epoch, rank[step].Step)), Is.All.EqualTo((whole[step].Epoch, whole[step].Step)));
            Assert.That(ranks.SelectMany(rank => rank[step].Samples), Is.EqualTo(whole[step].Samples));
            // View after view, and in a view rank after rank.
            for (int view = 0; view < 5; view++)
                Assert.That(ranks.SelectMany(rank => rank[step].View(view)), Is.EqualTo(whole[step].View(view)), $"view {view}");
        }
    }

    [Test]
    public void Crops_of_any_sizes_lie_view_after_view_each_as_the_maker_makes_it()
    {
        var plain = new View { Size = 5 };
        View[] views = [plain, plain with { Size = 7, Recipe = new MultiCropOptions().Local },
            plain with { Size = 7, Scale = new(0.2, 0.3) },
            plain, plain with { Size = 16 }];
        using var loader = new CropLoader(images, Options with { Views = views });
        loader.Next().Dispose();
        using var batch = loader.Next();
        var maker = new CropMaker(views);
        using var decoder = new ImageDecoder();
        var picture = new RgbImage();
        Assert.That(batch.Views(1, 2).Length, Is.EqualTo(2 * 2 * 3 * 7 * 7));
        for (int i = 0; i < 2; i++)
        {
            decoder.Decode(images.PathOf(batch.Samples[i]), picture);
            for (int view = 0; view < views.Length; view++)
            {
                float[] expected = new float[3 * views[view].Size * views[view].Size];
                maker.Apply(picture, view, CropMaker.StreamOf(42, 0, position: 2 + i, view), expected);
                Assert.That(batch.Views(view, 1).Slice(i * expected.Length, expected.Length).SequenceEqual(expected),
                    $"view {view} of picture {i}");
                if (view is 1 or 2)
                    Assert.That(batch.Views(1, 2).Slice(((view - 1) * 2 + i) * expected.Length, expected.Length).SequenceEqual(expected));
            }
        }
        Assert.That(() => batch.Views(0, 2).Length,
            Throws.ArgumentException.With.Message.Contains("view 0 has 5 pixels a side, view 1 has 7"));
        Assert.That(() => batch.Views(3, 3).Length, Throws.ArgumentException.With.Message.Contains("not among the 5 views"));
    }

    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void A_source_fills_the_views_of_a_device(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        View[] views = [new() { Size = 5 }, new() { Size = 5 }, new() { Size = 7 }];
        var options = Options with { Views = views };
        using var expected = new CropLoader(images, options);
        using var source = new HostCrops(device, images, options);
        using var batch = new ViewBatch(device, views, pictures: 2);
        for (int step = 0; step < 8; step++)
        {
            using var crops = expected.Next();
            source.Next(batch);
            Assert.That(batch.Views(0, 2).Shape, Is.EqualTo(new Shape(4, 3, 5, 5)));
            Assert.That(batch.Views(0, 2).ToArray(), Is.EqualTo(crops.Views(0, 2).ToArray()));
            Assert.That(batch.Views(2, 1).ToArray(), Is.EqualTo(crops.Views(2, 1).ToArray()));
        }
        Assert.That((batch.Pictures, batch.Count), Is.EqualTo((2, 3)));
        Assert.That(() => batch.Views(1, 2), Throws.ArgumentException.With.Message.Contains("view 1 has 5 pixels a side, view 2 has 7"));
    }

    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void A_source_waits_for_no_device_and_writes_over_nothing_that_is_still_to_be_copied(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        View[] views = [new() { Size = 9 }];
        foreach (int batches in (int[])[1, 2, 3, 20])
        {
            var options = Options with { Views = views, Prefetch = new() { Workers = 2, Batches = batches } };
            using var expected = new CropLoader(images, options with { Prefetch = new() { Workers = 1 } });
            using var source = new HostCrops(device, images, options);
            using var batch = new ViewBatch(device, views, pictures: 2);
            var seen = new List<Tensor>();
            device.Synchronize();
            long waits = device.Waits;
            for (int step = 0; step < 16; step++)
            {
                source.Next(batch);
                var copy = Tensor.Empty(device, batch.Views(0, 1).Shape);
                copy.CopyFrom(batch.Views(0, 1));
                seen.Add(copy);
            }
            if (batches == 20)
                Assert.That(device.Waits, Is.EqualTo(waits), "a ring longer than the steps");
            foreach (var copy in seen)
            {
                using var crops = expected.Next();
                Assert.That(copy.ToArray(), Is.EqualTo(crops.Views(0, 1).ToArray()), $"{batches} batches");
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
        float[] first = held[0].Views(0, 2).ToArray();
        Assert.That(loader.Next, Throws.InvalidOperationException.With.Message.Contains("dispose of one"));
        Assert.That(held[0].Views(0, 2).SequenceEqual(first));
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
        Refuses(Options with { Views = [] }, "list of views is empty");
        Refuses(Options with { Prefetch = new() { Batches = 0 } }, "prefetched batches");
        Refuses(Options with { Prefetch = new() { Workers = -1 } }, "workers");
        Refuses(Options with { Views = [new View { Size = 20_000 }] }, "MiB");
        Assert.That(Options.Ranks, Is.EqualTo(1));
    }

    private Recorded[] Load(CropLoaderOptions options, int batches, ImageFolder? from = null, SkippedFiles? skipped = null)
    {
        using var loader = new CropLoader(from ?? images, options, skipped);
        var result = new Recorded[batches];
        for (int i = 0; i < batches; i++)
        {
            using CropBatch batch = loader.Next();
            result[i] = new(batch.Epoch, batch.Step, batch.Samples.ToArray(), batch.Views(0, 2).ToArray(), batch.Views(2, 3).ToArray());
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

    private sealed record Recorded(int Epoch, int Step, int[] Samples, float[] Globals, float[] Locals)
    {
        public float[] View(int view) => view < 2 ? Part(Globals, 2, view) : Part(Locals, 3, view - 2);

        private static float[] Part(float[] all, int parts, int part) =>
            all[(part * all.Length / parts)..((part + 1) * all.Length / parts)];
    }
}
