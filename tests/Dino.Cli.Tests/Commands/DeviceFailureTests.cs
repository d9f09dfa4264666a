using Dino.Cli.Arguments;
using Dino.Model;
using Dino.Pictures.DataSets;
using Dino.Pictures.Loading;
using Dino.Tensors;
using Dino.Testing.Runs;
using Dino.Train;
using Dino.Train.Methods.Dino;
using Dino.Train.Runs;
using ILGPU.Runtime.OpenCL;
using NUnit.Framework;

namespace Dino.Cli.Tests.Commands;

/// <summary>
/// A device that has no memory left, or is lost, in the middle of a run: the run ends with the reason, and the checkpoint is kept.
/// </summary>
public class DeviceFailureTests
{
    // One step an epoch: simulated threads take seconds for one.
    private static readonly DinoOptions options = TinyRun.Options with { Epochs = 2, Backbone = TinyRun.Options.ViT with { Depth = 1 } };

    private PictureFolder pictures = null!, fewPictures = null!;
    private string output = null!;

    [OneTimeSetUp]
    public void MakePictures() => (pictures, fewPictures) = (TinyRun.MakePictures(), TinyRun.MakePictures(options.BatchSize));

    [OneTimeTearDown]
    public void DeletePictures()
    {
        pictures.Dispose();
        fewPictures.Dispose();
    }

    [SetUp]
    public void MakeOutput() => output = Directory.CreateTempSubdirectory("dino-failure-").FullName;

    [TearDown]
    public void DeleteOutput() => Directory.Delete(output, recursive: true);

    private string Latest => Path.Combine(output, "latest.safetensors");

    [TestCase("cpu")]
    [TestCase("cpu:debug")]
    public void NoMemoryLeft_EndsTheRun_WithWhatWasAskedFor_AndTheCheckpointOfTheEpochBefore(string name)
    {
        byte[] kept = [];
        int evaluations = 0;
        // The device's memory is the limit: the second evaluation asks for more than there is, as a k-NN over many pictures does.
        double? Evaluate(Backbone backbone, Device device)
        {
            if (++evaluations == 1)
                return 50;
            kept = File.ReadAllBytes(Latest);
            using var arena = device.BeginArena();
            Tensor.Zeros(device, new Shape(1 << 22));
            return 50;
        }

        var error = Assert.Throws<RunException>(() => Run(name, Evaluate))!;

        Assert.That(error.Message, Does.StartWith($"Step 2: Device {name} could not provide 16 MiB: ")
            .And.Match(@"\d+ KiB of 16 MiB are in use here\.")
            .And.Contain("`Recompute` lowers it").And.Contain("`BatchSize`").And.Contain("`Crops.LocalCropsNumber`")
            .And.EndWith($"The last checkpoint is kept: {Latest}. "));
        Assert.That(kept, Is.Not.Empty);
        Assert.That(File.ReadAllBytes(Latest), Is.EqualTo(kept));
        Assert.That(Checkpoint.ReadInfo(Latest).Step, Is.EqualTo(1));
        Assert.That(Directory.GetFiles(output, ".*"), Is.Empty, "temporary files");
    }

    [Test]
    public void LostDevice_EndsTheRun_WithWhatTheDriverSaid_AndTheCheckpoint()
    {
        // What ILGPU throws at the first call after the driver has given up.
        double? Evaluate(Backbone backbone, Device device) =>
            File.Exists(Latest) ? throw new CLException(CLError.CL_DEVICE_NOT_AVAILABLE) : null;

        var error = Assert.Throws<RunException>(() => Run("cpu", Evaluate))!;

        Assert.That(error.Message, Does.StartWith("Step 2: cpu (").And.Contain("CL_DEVICE_NOT_AVAILABLE")
            .And.Contain($"The last checkpoint is kept: {Latest}.").And.Not.Contain("--batch-size"));
        Assert.That(Checkpoint.ReadInfo(Latest).Step, Is.EqualTo(1));
    }

    [Test]
    public void Program_EndsWithFailure_AndOneLine_AndGoesOnWithMoreMemory()
    {
        // Larger than TinyOptions, so that MiB tell the evaluation's 64 pictures from the four of a step.
        string[] larger =
        [
            .. DinoProcess.TinyOptions.Chunk(2).Where(pair => pair[0] is not ("--embed-dim" or "--global-crops-size"))
                .SelectMany(pair => pair),
            "--embed-dim", "32", "--global-crops-size", "64", "--knn-freq", "2", "--val", pictures.Root,
        ];
        string[] train = ["train", "--data", pictures.Root, "--output-dir", output, .. larger];

        var run = DinoProcess.Run([.. train, "--memory-mb", "4"]);

        Assert.That(run.Code, Is.EqualTo(ExitCode.Failure), run.Output);
        Assert.That(run.Error, Does.Match(
            @"\Adino train: Step 12, k-NN: 24 pictures at a time of 64 × 64 pixels would take about \d+ MiB of cpu, which has \d MiB "
                + @"left: .*\n\z"));
        Assert.That(run.Error, Does.Contain($"The last checkpoint is kept: {Latest}."));
        Assert.That(Checkpoint.ReadInfo(Latest).Step, Is.EqualTo(6));

        var more = DinoProcess.Run(train);
        Assert.That(more.Code, Is.EqualTo(ExitCode.Ok), more.Error);
        Assert.That(more.Output, Does.Contain("going on from step 6"));
    }

    private void Run(string name, Func<Backbone, Device, double?> evaluate)
    {
        using var device = Device.Open(name, new DeviceOptions { Strict = true, Threads = 2, MemoryBytes = 16 << 20 });
        var run = new RunOptions { OutputDir = output, KnnEvery = 1, Prefetch = new PrefetchOptions { Workers = 1 } };
        using var trainer = new Trainer(
            options, run, device, ImageFolder.Scan(fewPictures.Root), new SkippedFiles(), backbone => evaluate(backbone, device));
        trainer.Run(new StepDisplay(_ => { }), default);
    }
}
