using Dino.Model;
using Dino.Pictures.DataSets;
using Dino.Pictures.Loading;
using Dino.Tensors;
using Dino.Testing;
using Dino.Testing.Runs;
using Dino.Train.Log;
using Dino.Train.Methods.Dino;
using NUnit.Framework;

namespace Dino.Train.Tests.Training;

/// <summary>
/// Training on an accelerator goes where it goes on the host, with stochastic depth, weight decay and the teacher's average.
/// </summary>
public class OtherDevicesTests
{
    private const int Steps = 20;

    private static readonly DinoOptions options = TinyRun.Options with { Epochs = 10, FreezeLastLayer = 1, ClipGrad = 0.3 };

    public static IEnumerable<TestCaseData> Accelerators =>
        Devices.Names.Where(name => name is not ("cpu" or "cpu:debug")).Select(name => Devices.Case(name));

    public static IEnumerable<TestCaseData> WithCutters => Devices.Names.Where(name => name != "cpu").Select(name => Devices.Case(name));

    [TestCaseSource(nameof(Accelerators))]
    public void TwentySteps_FollowTheHost(string name)
    {
        var (losses, weights) = Train(Devices.Open(name));
        var (expectedLosses, expectedWeights) = Train(Devices.Open("cpu"));

        Assert.That(expectedLosses, Has.Length.EqualTo(Steps));
        Assert.That(expectedLosses[^1], Is.Not.EqualTo(expectedLosses[0]).Within(1e-2), "nothing was learned that could differ");
        Tolerance.Balanced.Check<float>(losses, expectedLosses, "losses");
        // AdamW divides by the root of small numbers: an element that hardly moves may go either way.
        Tolerance.Loose.Check<float>(weights, expectedWeights, "the student's weights");
    }

    [TestCaseSource(nameof(WithCutters))]
    public void RunWithCropsOfTheDevice_IsTheRunWithCropsOfTheHost(string name)
    {
        using var pictures = TinyRun.MakePictures(TinyRun.Options.BatchSize);
        byte[] host = Run(Augmentation.Host), device = Run(Augmentation.Device);
        Assert.That(device, Is.EqualTo(host));

        byte[] Run(Augmentation augment)
        {
            string output = Directory.CreateTempSubdirectory("dino-augment-").FullName;
            var run = new RunOptions { OutputDir = output, Augment = augment, Prefetch = new PrefetchOptions { Workers = 2 } };
            var folder = ImageFolder.Scan(pictures.Root);
            using (var trainer = new Trainer(TinyRun.Options with { Epochs = 2, Backbone = TinyRun.Options.ViT with { Depth = 1 } }, run,
                Devices.Open(name), folder, new SkippedFiles()))
                trainer.Run(new StepDisplay(_ => { }), default);
            byte[] latest = File.ReadAllBytes(Path.Combine(output, "latest.safetensors"));
            Directory.Delete(output, recursive: true);
            return latest;
        }
    }

    private static (float[] Losses, float[] Weights) Train(Device device)
    {
        using var arena = device.BeginArena();
        using var state = new SteppedDino(options, device, stepsPerEpoch: 5);
        var (globalDepth, localDepth) = (new RandomStochasticDepth(3) { Pass = 0 }, new RandomStochasticDepth(3) { Pass = 1 });
        Tensor globals = TinyRun.RandomCrops(device, 2, 16), locals = TinyRun.RandomCrops(device, 2, 8);
        List<float> losses = [];
        while (losses.Count < Steps)
        {
            globalDepth.Step = localDepth.Step = (uint)state.Step;
            state.Learn(globals, locals, globalDepth, localDepth);
            state.Update();
            state.Measured.Read((in StepRow row, ReadOnlySpan<float> _) => losses.Add((float)row["loss"]));
        }
        return ([.. losses], state.StudentParameters.Values.ToArray());
    }
}
