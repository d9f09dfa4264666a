using Dino.Model;
using Dino.Pictures.Transforms;
using Dino.Tensors;
using Dino.Testing.Runs;
using Dino.Train.Methods.Dino;
using NUnit.Framework;

namespace Dino.Train.Tests.Training;

/// <summary>What a run is said to need, against what a step takes.</summary>
public class MemoryEstimateTests
{
    [TestCase(16, 64, 2)]
    [TestCase(8, 4096, 8)]
    public void Estimate_IsNearTheMeasuredPeak(int batch, int prototypes, int locals)
    {
        var options = new DinoOptions
        {
            Backbone = new ViTConfig { ImageSize = 32, Patch = 8, Dim = 96, Depth = 4, Heads = 3 },
            Head = new DinoHeadConfig { OutDim = prototypes, HiddenDim = 128, BottleneckDim = 64 },
            Crops = new MultiCropOptions { GlobalCropsSize = 32, LocalCropsSize = 16, LocalCropsNumber = locals },
            BatchSize = batch,
            Epochs = 1,
            WarmupEpochs = 0,
        };
        using var device = Device.Open("cpu");
        using var state = new SteppedDino(options, device, stepsPerEpoch: 2);
        using var globals = Tensor.Zeros(device, new Shape(2 * batch, 3, 32, 32));
        using var small = Tensor.Zeros(device, new Shape(locals * batch, 3, 16, 16));

        state.Learn(globals, small, null, null);
        state.Update();

        Assert.That(options.EstimateMemory()!.Total, Is.InRange(0.6 * device.Pool.PeakBytes, 1.7 * device.Pool.PeakBytes));
    }

    [Test]
    public void CropLargerThanMemory_IsRefusedBeforeAnythingIsAllocated()
    {
        var options = new DinoOptions
        {
            Crops = new MultiCropOptions { GlobalCropsSize = 20_000 },
            Backbone = new ViTConfig { ImageSize = 20_000, Patch = 8 }
        };
        using var device = Device.Open("cpu");

        Assert.That(() => options.EstimateMemory()!.Check(device),
            Throws.TypeOf<RunException>().With.Message.Contains("`Crops.GlobalCropsSize`").And.Message.Contains("GiB"));
        Assert.That(device.Pool.Allocations, Is.Zero);
    }
}
