using Dino.Pictures.DataSets;
using Dino.Pictures.Loading;
using Dino.Tensors;
using Dino.Testing;
using Dino.Testing.Runs;
using Dino.Train.Log;
using NUnit.Framework;

namespace Dino.Train.Tests.Training;

/// <summary>An accelerator that has to be waited for in every step stands still while the host prepares the next one.</summary>
[CancelAfter(600_000)]
public class HostWaitsTests
{
    public static IEnumerable<TestCaseData> OnAccelerators =>
        from name in Devices.Names where name != "cpu" from place in Enum.GetValues<Augmentation>() select Devices.Case(name, place);

    [TestCaseSource(nameof(OnAccelerators))]
    public void Steps_WaitForTheDevice_OnlyToReadWhatTheyMeasured(Augmentation place, string name)
    {
        const int Steps = 3;
        Devices.Open(name); // inconclusive where there is none
        using var device = Device.Open(name);
        var options = TinyRun.Options;
        using var pictures = TinyRun.MakePictures();
        // As many batches as a ring needs that is never full, however slow the device.
        var loading = new CropLoaderOptions
        {
            BatchSize = options.BatchSize,
            Views = options.Crops.Views,
            Prefetch = new() { Workers = 1, Batches = Steps + 2, CacheBytes = 1 << 20 },
        };
        var folder = ImageFolder.Scan(pictures.Root);
        using IViewSource source = place == Augmentation.Host ? new HostCrops(device, folder, loading) : new DeviceCrops(device, folder, loading);
        using var views = new ViewBatch(device, options.Crops.Views, options.BatchSize);
        using var state = new SteppedDino(options, device, stepsPerEpoch: 6);
        Step();
        Step();
        Read();

        long waits = device.Waits;
        for (int step = 0; step < Steps; step++)
            Step();
        Assert.That(device.Waits, Is.EqualTo(waits), $"in {Steps} steps");
        Read();
        Assert.That(device.Waits, Is.EqualTo(waits + 1), "to read");

        void Step()
        {
            source.Next(views);
            using (device.BeginArena(reuseTensors: true))
                state.Learn(views.Views(0, 2), views.Views(2, 2), null, null);
            state.Update();
        }

        void Read() => state.Measured.Read((in StepRow row, ReadOnlySpan<float> _) => Assert.That(row["loss"], Is.Not.NaN));
    }
}
