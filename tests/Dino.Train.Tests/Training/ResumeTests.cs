using Dino.Model;
using Dino.Tensors;
using Dino.Tensors.Io;
using Dino.Train.Cli;
using Dino.Train.Data;
using Dino.Train.Demo;
using Dino.Train.Report;
using NUnit.Framework;

namespace Dino.Train.Tests.Training;

/// <summary>A run that was stopped or killed and resumed is the run that was not, bit for bit.</summary>
public class ResumeTests
{
    private const int Pictures = 22;
    private string root = "";
    private ImageFolder folder = null!;

    [OneTimeSetUp]
    public void MakePictures()
    {
        root = Directory.CreateTempSubdirectory("dino-resume-").FullName;
        new ProceduralPictures(seed: 5, size: 24).WriteFolder(Path.Combine(root, "pictures"), Pictures, 0);
        folder = ImageFolder.Scan(Path.Combine(root, "pictures", "train"));
    }

    [OneTimeTearDown]
    public void RemovePictures() => Directory.Delete(root, recursive: true);

    [TestCase(1)]
    [TestCase(2)]
    public void StoppedAndKilledRuns_EndWithTheSameBits(int accumulate)
    {
        var options = Options(accumulate);
        string whole = Output($"whole{accumulate}"), broken = Output($"broken{accumulate}");
        Train(options, whole, workers: 1, stopAfter: []);

        // Odd numbers are a stop, which saves; even ones a kill after as many steps, which goes back to the last epoch's checkpoint.
        Train(options, broken, workers: 3, stopAfter: [1, 4, 2, 3, 6, 5]);

        Assert.That(File.ReadAllBytes(Latest(broken)), Is.EqualTo(File.ReadAllBytes(Latest(whole))));
        var (steps, epochs) = RunLogReader.Read(Path.Combine(broken, "log.jsonl"));
        long all = (long)options.Epochs * (Pictures / options.PicturesPerStep);
        Assert.That(steps.Select(step => step.Step), Is.EqualTo(Enumerable.Range(0, (int)all)));
        Assert.That(epochs.Select(epoch => epoch.Epoch), Is.EqualTo(Enumerable.Range(0, options.Epochs)));
    }

    [Test]
    public void OtherHyperparameters_AreRefused_ByName()
    {
        string output = Output("refused");
        Train(Options(1), output, workers: 1, stopAfter: []);
        using var device = Device.Open("cpu");
        using var trainer = new Trainer(
            Options(1) with { TeacherTemp = 0.05 }, new RunOptions { OutputDir = output }, device, folder, new SkippedFiles());

        Assert.That(trainer.Resume, Throws.TypeOf<UserErrorException>().With.Message.Contains("TeacherTemp (0.04 then, 0.05 now)"));
    }

    [Test]
    public void Accumulation_EqualsALargerBatch()
    {
        float[][] weights = [Weights(batch: 8, accumulate: 1), Weights(batch: 4, accumulate: 2)];

        for (int i = 0; i < weights[0].Length; i++)
            Assert.That(weights[1][i], Is.EqualTo(weights[0][i]).Within(2e-5f));

        // The crops of a picture depend on its place in the epoch, so both see the same ones; branches are not dropped.
        float[] Weights(int batch, int accumulate)
        {
            string output = Output($"batch{batch}");
            var options = Options(accumulate) with { BatchSize = batch, Epochs = 2, Optimizer = OptimizerKind.Sgd, Lr = 0.5 };
            Train(options with { Backbone = options.Backbone with { DropPathRate = 0 } }, output, workers: 2, stopAfter: []);
            using var file = SafetensorsFile.Read(Latest(output));
            return [.. file.Names.Where(name => name.StartsWith("teacher.", StringComparison.Ordinal) || name == "center").SelectMany(file.Floats)];
        }
    }

    private static TrainOptions Options(int accumulate) => new()
    {
        Backbone = new ViTConfig { ImageSize = 16, Patch = 8, Dim = 16, Depth = 2, Heads = 2, DropPathRate = 0.2f },
        Head = new DinoHeadConfig { OutDim = 32, HiddenDim = 24, BottleneckDim = 8 },
        Crops = new MultiCropOptions { GlobalCropsSize = 16, LocalCropsSize = 8, LocalCropsNumber = 2 },
        BatchSize = 4,
        Accumulate = accumulate,
        Epochs = 4,
        WarmupEpochs = 1,
        Seed = 11,
    };

    private string Output(string name) => Path.Combine(root, name);

    private static string Latest(string output) => Path.Combine(output, "latest.safetensors");

    private void Train(TrainOptions options, string output, int workers, int[] stopAfter)
    {
        foreach (int steps in (int[])[.. stopAfter, int.MaxValue])
        {
            using var device = Device.Open("cpu");
            var run = new RunOptions { OutputDir = output, Prefetch = new PrefetchOptions { Workers = workers } };
            using var trainer = new Trainer(options, run, device, folder, new SkippedFiles());
            trainer.Resume();
            using var stop = new CancellationTokenSource();
            var display = new StopAfter(steps, stop, kill: steps % 2 == 0);
            try
            {
                trainer.Run(display, stop.Token);
            }
            catch (OperationCanceledException)
            {
            }
        }
    }

    /// <summary>Ends a run after some steps: by the token, or by an exception out of the middle of it.</summary>
    private sealed class StopAfter(int steps, CancellationTokenSource stop, bool kill) : ProgressDisplay
    {
        public override void Run(string name, long total, Action<ProgressTracker> work) => work(new Tracker(this, total));

        private sealed class Tracker(StopAfter display, long total) : ProgressTracker(total, TimeSpan.Zero, TimeSpan.Zero, TimeProvider.System)
        {
            private int seen;

            public override void Note(string line)
            {
            }

            private protected override void Show(long done, string? detail, TimeSpan? left)
            {
                if (++seen != display.Steps)
                    return;
                if (display.Kill)
                    throw new OperationCanceledException("killed");
                display.Stop.Cancel();
            }
        }

        private int Steps => steps;

        private bool Kill => kill;

        private CancellationTokenSource Stop => stop;
    }
}
