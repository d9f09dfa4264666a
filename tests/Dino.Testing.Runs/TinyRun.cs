using Dino.Model;
using Dino.Pictures.DataSets;
using Dino.Pictures.Loading;
using Dino.Pictures.Transforms;
using Dino.Tensors;
using Dino.Train;
using Dino.Train.Log;
using Dino.Train.Methods.Dino;

namespace Dino.Testing.Runs;

/// <summary>The smallest run in which everything random happens: crops, dropped branches, order of pictures.</summary>
public static class TinyRun
{
    public const int Pictures = 24;

    public static DinoOptions Options { get; } = new()
    {
        Backbone = new ViTConfig { ImageSize = 16, Patch = 8, Dim = 16, Depth = 2, Heads = 2, DropPathRate = 0.3f },
        Head = new DinoHeadConfig { OutDim = 32, HiddenDim = 16, BottleneckDim = 8, NormLastLayer = false },
        Crops = new MultiCropOptions { GlobalCropsSize = 16, LocalCropsSize = 8, LocalCropsNumber = 2 },
        BatchSize = 4,
        Epochs = 3,
        WarmupEpochs = 1,
        WarmupTeacherTempEpochs = 2,
        TeacherTemp = 0.07,
        MomentumTeacher = 0.9,
        Lr = 0.02,
        Seed = 7,
    };

    public static PictureFolder MakePictures(int count = Pictures)
    {
        var folder = new PictureFolder();
        for (int i = 0; i < count; i++)
            folder.WritePicture($"{(i % 2 == 0 ? "even" : "odd")}/{i:D3}.png", i, 24, 20);
        return folder;
    }

    /// <summary>So many noisy crops of each picture of a batch (crops · B, 3, size, size), the same on every device.</summary>
    public static Tensor RandomCrops(Device device, int crops, int size)
    {
        var random = new System.Random(size);
        var shape = new Shape(crops * Options.BatchSize, 3, size, size);
        return Tensor.From(device, [.. Enumerable.Range(0, shape.Count).Select(_ => random.NextSingle() * 4 - 2)], shape);
    }

    /// <summary>Trains, or goes on, until the end or until the display stops it.</summary>
    public static void Run(
        DinoOptions options, string pictures, string output, int workers = 1, ProgressDisplay? display = null,
        CancellationToken cancel = default)
    {
        using var device = Device.Open("cpu", new DeviceOptions { Strict = true, Threads = 2 });
        var run = new RunOptions { OutputDir = output, Prefetch = new PrefetchOptions { Workers = workers, CacheBytes = 1 << 20 } };
        using var trainer = new Trainer(options, run, device, ImageFolder.Scan(pictures, cancel: cancel), new SkippedFiles());
        trainer.Resume();
        trainer.Run(display ?? new StepDisplay(_ => { }), cancel);
    }
}

/// <summary>Calls back after each step with the number of steps done.</summary>
public sealed class StepDisplay(Action<long> onStep) : ProgressDisplay
{
    public override void Run(string name, long total, Action<ProgressTracker> work) => work(new Tracker(total, onStep));

    private sealed class Tracker(long total, Action<long> onStep) : ProgressTracker(total)
    {
        public override void StartAt(long done)
        {
        }

        public override void Report(long done, string? detail = null) => onStep(done);

        public override void Report(long done, in StepRow row) => onStep(done);

        public override void Note(string line)
        {
        }
    }
}
