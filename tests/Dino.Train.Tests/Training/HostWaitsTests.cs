using Dino.Model;
using Dino.Pictures.DataSets;
using Dino.Pictures.Loading;
using Dino.Pictures.Transforms;
using Dino.Tensors;
using Dino.Testing;
using Dino.Testing.Runs;
using Dino.Train.Log;
using Dino.Train.Methods.Dino;
using NUnit.Framework;

namespace Dino.Train.Tests.Training;

/// <summary>An accelerator that has to be waited for in every step stands still while the host prepares the next one.</summary>
[CancelAfter(600_000)]
public class HostWaitsTests
{
    // As little as has every part of a step: simulated threads take a second for a few launches.
    private static readonly DinoOptions options = TinyRun.Options with
    {
        Backbone = new ViTConfig { ImageSize = 16, Patch = 8, Dim = 8, Depth = 1, Heads = 1 },
        Head = new DinoHeadConfig { OutDim = 8, HiddenDim = 8, BottleneckDim = 8 },
        Crops = new MultiCropOptions { GlobalCropsSize = 16, LocalCropsSize = 8, LocalCropsNumber = 1 },
        BatchSize = 2,
    };

    public static IEnumerable<TestCaseData> OnAccelerators => from name in Devices.Names where name != "cpu" select Devices.Case(name);

    [TestCaseSource(nameof(OnAccelerators))]
    public void Steps_WaitForTheDevice_OnlyToReadWhatTheyMeasured(string name)
    {
        Devices.Open(name); // inconclusive where there is none
        using var device = Device.Open(name);
        // Both on one device: a driver compiles a step's kernels for half a minute.
        foreach (var place in Enum.GetValues<Augmentation>())
            Steps_WaitOnlyToRead(device, place);
    }

    private static void Steps_WaitOnlyToRead(Device device, Augmentation place)
    {
        const int Steps = 2;
        using var pictures = TinyRun.MakePictures();
        // As many batches as a ring needs that is never full, however slow the device.
        var loading = new CropLoaderOptions
        {
            BatchSize = options.BatchSize,
            Views = options.Crops.Views,
            Prefetch = new() { Workers = 1, Batches = Steps + 2, CacheBytes = 1 << 20 },
        };
        var folder = ImageFolder.Scan(pictures.Root);
        using IViewSource source = place == Augmentation.Host
            ? new HostCrops(device, folder, loading)
            : new DeviceCrops(device, folder, loading);
        using var views = new ViewBatch(device, options.Crops.Views, options.BatchSize);
        using var state = new SteppedDino(options, device, stepsPerEpoch: 6);
        Step();
        Read();

        long waits = device.Waits;
        for (int step = 0; step < Steps; step++)
            Step();
        Assert.That(device.Waits, Is.EqualTo(waits), $"in {Steps} steps, crops by {place}");
        Read();
        Assert.That(device.Waits, Is.EqualTo(waits + 1), $"to read, crops by {place}");

        void Step()
        {
            source.Next(views);
            using (device.BeginArena(reuseTensors: true))
                state.Learn(views.Views(0, 2), views.Views(2, 1), null, null);
            state.Update();
        }

        void Read() => state.Measured.Read((in StepRow row, ReadOnlySpan<float> _) => Assert.That(row["loss"], Is.Not.NaN));
    }
}
