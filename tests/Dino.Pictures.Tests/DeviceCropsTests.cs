using System.Runtime.Intrinsics;
using System.Text.Json;
using Dino.Pictures.Cutting;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Pictures.Transforms;
using Dino.Tensors;
using Dino.Testing;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>Crops made on an accelerator are those of the host, to the bit, and those of Pillow.</summary>
[CancelAfter(300_000)]
public sealed class DeviceCropsTests : IDisposable
{
    private static readonly GoldenSet Set = GoldenSet.Open("augment");
    private static readonly JsonElement Ops = Set.Config.GetProperty("ops");

    // Wide, high, smaller than a crop, a single row; the last is larger than a small block.
    private static readonly (int Width, int Height)[] Sizes = [(40, 30), (25, 61), (9, 7), (50, 1), (130, 90)];

    private readonly PictureFolder folder = new();
    private readonly ImageFolder images;

    public DeviceCropsTests()
    {
        for (int i = 0; i < 2 * Sizes.Length; i++)
            folder.Write($"{i:d2}.png", PictureFolder.Encode(
                ".png", TransformTests.Noise(Sizes[i % Sizes.Length].Width, Sizes[i % Sizes.Length].Height)));
        images = ImageFolder.Scan(folder.Root);
    }

    private static IEnumerable<string> Accelerators => Devices.Names.Where(name => name != "cpu");

    /// <summary>Crops that can be expressed as a plan: of a square, or with the geometry of a resized crop.</summary>
    private static IEnumerable<string> Planned => Ops.EnumerateObject()
        .Where(op => op.Value.GetProperty("op").GetString()
            is "resized_crop" or "hflip" or "hue" or "jitter" or "grayscale" or "solarize" or "chain")
        .Where(op => Set[op.Name].Type == "uint8").Select(op => op.Name);

    public static IEnumerable<TestCaseData> PlannedOnDevices =>
        from device in Accelerators from name in Planned select Devices.Case(device, name);

    public static IEnumerable<TestCaseData> LoadedOnDevices =>
        from device in Accelerators
        from sizes in ((int, int)[])[(16, 8), (37, 20), (96, 0)]
        from blockWords in (int[])[1, PictureLoader.DefaultBlockWords]
        where device != "cpu:debug" || sizes.Item1 < 96
        select Devices.Case(device, sizes.Item1, sizes.Item2, blockWords);

    public static IEnumerable<TestCaseData> OnDevices => Accelerators.Select(device => Devices.Case(device));

    public void Dispose() => folder.Dispose();

    [TestCaseSource(nameof(LoadedOnDevices))]
    public void Batches_are_those_of_the_host(int globalSize, int localSize, int blockWords, string name)
    {
        var crops = new MultiCropOptions
        {
            GlobalCropsSize = globalSize,
            LocalCropsSize = localSize,
            LocalCropsNumber = localSize == 0 ? 0 : 4
        };
        Compare(name, crops.Views, blockWords);
    }

    // What DINO does not ask for: jitter without the hue, another threshold, a blur wider than the device's, three sizes.
    [TestCaseSource(nameof(OnDevices))]
    public void Batches_of_other_recipes_are_those_of_the_host(string name)
    {
        var jitter = new Recipe { FlipProbability = 0.3, JitterProbability = 1, Brightness = 0.8, Contrast = 1.5, Saturation = 0.4 };
        Compare(name, [
            new View { Size = 13, Recipe = jitter },
            new View { Size = 9, Recipe = jitter with { Hue = 0.5, SolarizeProbability = 0.7, SolarizeThreshold = 60 } },
            new View { Size = 9, Scale = new(0.1, 0.2) },
            new View { Size = 17, Recipe = new() { BlurProbability = 0.4, BlurRadiusMin = 2.5, BlurRadiusMax = 4 } },
        ], PictureLoader.DefaultBlockWords);
    }

    // Every setting at its ends: everything always and never, no hue, no and every value turned, no blur and one for the host.
    [TestCaseSource(nameof(OnDevices))]
    public void Batches_of_recipes_at_their_ends_are_those_of_the_host(string name)
    {
        var always = new Recipe
        {
            FlipProbability = 1,
            VerticalFlipProbability = 1,
            JitterProbability = 1,
            Brightness = Recipe.MaxStrength,
            Contrast = Recipe.MaxStrength,
            Saturation = Recipe.MaxStrength,
            Hue = 0.5,
            GrayscaleProbability = 1,
            BlurProbability = 1,
            BlurRadiusMin = 0,
            BlurRadiusMax = 2,
            SolarizeProbability = 1,
            SolarizeThreshold = 0,
        };
        var colour = always with { GrayscaleProbability = 0, Brightness = 0.4, Contrast = 0.4, Saturation = 0 };
        Compare(name, [
            new View { Size = 11, Recipe = always },
            new View { Size = 11, Recipe = colour with { SolarizeThreshold = 256 } },
            new View { Size = 12, Recipe = colour with { SolarizeThreshold = 1, BlurProbability = 0, Hue = 0 }, Ratio = new(3, 3) },
            new View { Size = 12, Recipe = new() { JitterProbability = 1, VerticalFlipProbability = 0.5 }, Ratio = new(0.1, 0.2) },
            new View { Size = 10, Recipe = colour with { BlurRadiusMin = 0, BlurRadiusMax = 0 } },
            new View { Size = 10, Recipe = colour with { BlurRadiusMin = GaussianBlur.MaxSigma, BlurRadiusMax = GaussianBlur.MaxSigma } },
        ], PictureLoader.DefaultBlockWords);
    }

    private void Compare(string name, IReadOnlyList<View> views, int blockWords)
    {
        var device = Devices.Open(name);
        var options = new CropLoaderOptions { BatchSize = 3, Seed = 11, Views = views, Prefetch = new() { Workers = 2 } };
        using var arena = device.BeginArena();
        using var host = new CropLoader(images, options);
        using var crops = new DeviceCrops(device, images, options, new SkippedFiles(), blockWords);
        using var batch = new ViewBatch(device, views, options.BatchSize);
        for (int step = 0; step < (name == "cpu:debug" ? 2 : 7); step++)
        {
            batch.All.Fill(float.NaN);
            crops.Next(batch);
            using var expected = host.Next();
            for (int view = 0; view < views.Count; view++)
                Assert.That(batch.Views(view, 1).ToArray().AsSpan().SequenceEqual(expected.Views(view, 1)), $"view {view} of step {step}");
        }
    }

    [TestCaseSource(nameof(PlannedOnDevices))]
    public void Crops_equal_pillows(string op, string name)
    {
        var (plan, size) = PlanOf(Ops.GetProperty(op));

        byte[] actual = Cut(Devices.Open(name), Image(Ops.GetProperty(op).GetProperty("source").GetString()!), plan, size);

        Assert.That(new[] { size, size, 3 }, Is.EqualTo(Set[op].Shape));
        Set.Check<byte>(op, actual);
    }

    [TestCaseSource(nameof(OnDevices))]
    public void Hue_equals_the_hosts_for_every_colour(string name)
    {
        var device = Devices.Open(name);
        // All 2^24 colours where that is quick; on simulated threads, every 61st red with every 13th blue.
        int step = name == "cpu:debug" ? 61 : 1;
        const int side = 256;
        for (int red = 0; red < 256; red += step)
        {
            var image = new RgbImage(side, side);
            for (int i = 0; i < side * side; i++)
                new[] { (byte)red, (byte)(i >> 8), (byte)i }.CopyTo(image.Pixels[(3 * i)..]);
            if (step > 1)
                Shrink(image, 48, 13);
            double factor = red / 255.0 * 0.2 - 0.1;
            var plan = new CropPlan(
                new CropBox(0, 0, image.Width, image.Height), false,
                new JitterPlan((int)ColorOperation.Contrast << 2 | (int)ColorOperation.Saturation << 4
                    | (int)ColorOperation.Hue << 6, 1, 1, 1, factor), false, 0, null);
            byte[] actual = Cut(device, image, plan, image.Width);
            HueShift.Apply(image, factor);
            Assert.That(image.Pixels.SequenceEqual(actual), $"red {red}");
        }
    }

    [Test]
    public void Levels_of_a_turned_hue_are_those_of_the_doubles()
    {
        var (saturation, hue) = HueShift.Tables;
        int[] tables = HueTables.Make(saturation, hue);
        var levels = Vector256.Create(0, 1, 2, 3, 4, 5, 6, 7);
        int wrong = 0;
        for (int h = 0; h < 256; h++)
            for (int s = 0; s < 256; s++)
                for (int from = 0; from < 256; from += 8)
                {
                    var v = levels + Vector256.Create(from);
                    var (r, g, b) = HueShift.ToRgb(Vector256.Create(h), Vector256.Create(s), v);
                    uint share = (uint)tables[HueTables.SaturationAt + s];
                    for (int i = 0; i < 8; i++)
                    {
                        int p = HueTables.Level(v[i], share, 1 << 29),
                            w = HueTables.Level(v[i], share, (uint)tables[HueTables.FractionAt + h]);
                        // In every sector, highest, lowest and middle are v, p and w in some order.
                        wrong += r[i] + g[i] + b[i] == v[i] + p + w && Math.Min(r[i], Math.Min(g[i], b[i])) == Math.Min(p, w) ? 0 : 1;
                    }
                }
        Assert.That(wrong, Is.Zero, "of 2^24");
    }

    [TestCaseSource(nameof(OnDevices))]
    public void Steady_batches_take_four_launches_and_no_memory(string name)
    {
        Devices.Open(name); // inconclusive where there is none
        using var device = Device.Open(name);
        var options = new CropLoaderOptions
        {
            BatchSize = 2,
            Views = new MultiCropOptions { GlobalCropsSize = 16, LocalCropsSize = 8, LocalCropsNumber = 2 }.Views,
            Prefetch = new() { Workers = 1, Batches = 8, CacheBytes = 1 << 24 },
        };
        using var batch = new ViewBatch(device, options.Views, options.BatchSize);
        using var crops = new DeviceCrops(device, images, options, new SkippedFiles());
        const int epochs = 4, steps = 5;
        for (int i = 0; i < epochs * steps; i++)
            crops.Next(batch);
        device.Synchronize();

        int pieces = device.Pool.Allocations;
        long waits = device.Waits, launches = device.Launches, managed = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < steps; i++)
            crops.Next(batch);
        managed = GC.GetAllocatedBytesForCurrentThread() - managed;

        Assert.That(device.Launches - launches, Is.EqualTo(4 * steps));
        Assert.That(device.Pool.Allocations, Is.EqualTo(pieces));
        Assert.That(device.Waits, Is.EqualTo(waits));
        if (name != "cpu:debug") // simulated threads allocate for each launch
            Assert.That(managed / steps, Is.LessThanOrEqualTo(1024));
        Assert.That(KernelTable.Unlisted, Is.Empty);
    }

    /// <summary>The bytes of a crop, (size, size, 3).</summary>
    private static byte[] Cut(Device device, RgbImage picture, CropPlan plan, int size)
    {
        int words = CropTaskWriter.PictureWords(picture.Width, picture.Height) + CropTaskWriter.TaskWords(plan.Box, size);
        using var block = new UploadBuffer(device, words + CropIndex.Words);
        int task = CropTaskWriter.WritePicture(picture, block.Ints, 0);
        Assert.That(new CropTaskWriter().Write(block.Ints, task, 0, picture.Width, plan, size, out int rows), Is.EqualTo(words));
        float[] levels = [.. Enumerable.Range(0, 3 * 256).Select(i => (float)(i % 256))];
        var (saturation, hue) = HueShift.Tables;
        using var arena = device.BeginArena();
        using var cutter = new PictureCutter(device, levels, saturation, hue);
        var crop = Tensor.Zeros(device, new Shape(1, 3, size, size));
        cutter.Cut(block, words, [new CropEntry(task, rows, size, 0)], crop);
        float[] planes = crop.ToArray();
        byte[] bytes = new byte[planes.Length];
        for (int i = 0; i < bytes.Length; i++)
            bytes[i] = (byte)planes[i % 3 * size * size + i / 3];
        return bytes;
    }

    private static (CropPlan Plan, int Size) PlanOf(JsonElement op)
    {
        int Number(string key) => op.GetProperty(key).GetInt32();
        string kind = op.GetProperty("op").GetString()!;
        bool chain = kind == "chain", cuts = chain || kind == "resized_crop";
        int[] source = Set[op.GetProperty("source").GetString()!].Shape;
        var plan = new CropPlan(
            cuts ? new CropBox(Number("left"), Number("top"), Number("w"), Number("h")) : new CropBox(0, 0, source[1], source[0]),
            kind == "hflip" || chain && op.GetProperty("hflip").GetBoolean(),
            kind switch
            {
                "jitter" => JitterOf(op),
                "hue" => JitterOf(Ops.GetProperty("jitter.0"))
                    with
                { Brightness = 1, Contrast = 1, Saturation = 1, Hue = op.GetProperty("factor").GetDouble() },
                "chain" => JitterOf(Ops.GetProperty(op.GetProperty("jitter").GetString()!)),
                _ => null,
            },
            kind == "grayscale" || chain && op.GetProperty("grayscale").GetBoolean(),
            chain ? op.GetProperty("blur").GetDouble() : 0,
            kind == "solarize" ? Number("threshold") : chain && op.GetProperty("solarize").GetBoolean() ? Solarize.DefaultThreshold : null);
        return (plan, cuts ? Number("size") : source[1]);
    }

    private static JitterPlan JitterOf(JsonElement op)
    {
        var order = op.GetProperty("order").EnumerateArray().Select(o => Enum.Parse<ColorOperation>(o.GetString()!, ignoreCase: true));
        double Factor(string key) => op.GetProperty(key).GetDouble();
        return new(order.Select((o, i) => (int)o << (2 * i)).Sum(), Factor("brightness"), Factor("contrast"), Factor("saturation"),
            Factor("hue"));
    }

    private static RgbImage Image(string name)
    {
        int[] shape = Set[name].Shape;
        var image = new RgbImage(shape[1], shape[0]);
        Set.Bytes(name).CopyTo(image.Pixels);
        return image;
    }

    private static void Shrink(RgbImage image, int side, int every)
    {
        byte[] kept = [.. image.Pixels.ToArray().Chunk(3).Where((_, i) => i % every == 0).Take(side * side).SelectMany(p => p)];
        image.Reshape(side, side);
        kept.CopyTo(image.Pixels);
    }
}
