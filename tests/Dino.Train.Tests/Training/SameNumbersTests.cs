using Dino.Model;
using Dino.Pictures.Transforms;
using Dino.Tensors;
using Dino.Testing.Runs;
using Dino.Train.Log;
using Dino.Train.Methods.Dino;
using NUnit.Framework;

namespace Dino.Train.Tests.Training;

/// <summary>What must not change a bit of a training step: the number of threads, and whether blocks are computed again.</summary>
public class SameNumbersTests
{
    // Large enough for the products, the attention and the sums to be shared out among threads.
    private static readonly DinoOptions options = TinyRun.Options with
    {
        Backbone = new ViTConfig { ImageSize = 64, Patch = 8, Dim = 96, Depth = 2, Heads = 3, DropPathRate = 0.3f },
        Head = new DinoHeadConfig { OutDim = 700, HiddenDim = 256, BottleneckDim = 64, NormLastLayer = false },
        Crops = new MultiCropOptions { GlobalCropsSize = 64, LocalCropsSize = 24, LocalCropsNumber = 2 },
        FreezeLastLayer = 0,
        WarmupEpochs = 0,
    };

    [TestCase(2, false)]
    [TestCase(3, false)]
    [TestCase(1, true)]
    [TestCase(2, true)]
    public void Steps_AreThoseOfOneThreadThatKeepsEverything(int threads, bool recompute)
    {
        float[] expected = TwoSteps(options, threads: 1);
        Assert.That(expected, Has.None.NaN);
        Assert.That(TwoSteps(options with { Recompute = recompute }, threads), Is.EqualTo(expected));
    }

    /// <summary>Gradients, student, teacher and centre.</summary>
    private static float[] TwoSteps(DinoOptions options, int threads)
    {
        using var device = Device.Open("cpu", new DeviceOptions { Strict = true, Threads = threads });
        using var state = new SteppedDino(options, device, stepsPerEpoch: 100);
        var (globalDepth, localDepth) = (new RandomStochasticDepth(3) { Pass = 0 }, new RandomStochasticDepth(3) { Pass = 1 });
        using Tensor globals = TinyRun.RandomCrops(device, 2, 64), locals = TinyRun.RandomCrops(device, 2, 24);
        float[] gradients = [];
        for (uint step = 0; step < 2; step++)
        {
            globalDepth.Step = localDepth.Step = step;
            state.Learn(globals, locals, globalDepth, localDepth);
            gradients = state.StudentParameters.CompleteGradients().ToArray();
            state.Update();
            state.Measured.Read((in StepRow _, ReadOnlySpan<float> _) => { });
        }
        return [.. gradients, .. state.StudentParameters.Values.ToArray(), .. state.TeacherParameters.Values.ToArray(),
            .. state.Loss.Centre.ToArray()];
    }
}
