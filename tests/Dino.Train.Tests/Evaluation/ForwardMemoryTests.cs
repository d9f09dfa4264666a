using Dino.Model;
using Dino.Tensors;
using Dino.Tensors.Nn;
using Dino.Train.Evaluation.Attention;
using NUnit.Framework;

namespace Dino.Train.Tests.Evaluation;

public class ForwardMemoryTests
{
    /// <summary>
    /// What is estimated is what the device's pool then holds, so that nothing is refused which fits, and nothing begun which does not.
    /// </summary>
    [TestCase(1, 400, 400, 32, 2, 8, ViTFamily.Dino)]
    [TestCase(1, 96, 1600, 64, 4, 8, ViTFamily.Dino)]
    [TestCase(16, 112, 112, 64, 4, 16, ViTFamily.Dino)]
    [TestCase(3, 224, 224, 96, 3, 16, ViTFamily.Dino)]
    [TestCase(2, 224, 168, 64, 4, 14, ViTFamily.DinoV2)]
    [TestCase(2, 224, 160, 64, 4, 16, ViTFamily.DinoV3)]
    public void TheEstimate_IsThePeak(int images, int height, int width, int dim, int heads, int patch, ViTFamily family)
    {
        var config = new ViTConfig
        {
            ImageSize = 4 * patch,
            Patch = patch,
            Dim = dim,
            Depth = 3,
            Heads = heads,
            Registers = family == ViTFamily.Dino ? 0 : 4,
            LayerScale = family != ViTFamily.Dino,
            Rotary = family == ViTFamily.DinoV3,
            SwiGlu = family == ViTFamily.DinoV3,
        };
        foreach (Func<VisionTransformer, Tensor, Tensor> look in (Func<VisionTransformer, Tensor, Tensor>[])
            [(backbone, pictures) => backbone.Forward(pictures), (backbone, pictures) => backbone.FirstTokenAttention(pictures)])
        {
            using var device = Device.Open("cpu", new DeviceOptions { Threads = 1 });
            var backbone = new VisionTransformer(config);
            using var parameters = new FlatParameters(backbone, device, trainable: false);
            parameters.Initialize(1);
            long before = device.Pool.UsedBytes;
            using (device.BeginArena())
                look(backbone, Tensor.Zeros(device, new Shape(images, 3, height, width)));

            double peak = device.Pool.PeakBytes - before;
            Assert.That(backbone.ForwardBytes(images, height, width), Is.InRange(0.8 * peak, 1.2 * peak));
        }
    }

    [TestCase(40, 30, 64, 8, 6, 8)]
    [TestCase(30, 40, 64, 8, 8, 6)]
    [TestCase(30000, 1, 64, 8, 1, 8)]
    [TestCase(1, 30000, 100, 16, 6, 1)]
    [TestCase(50, 50, 60, 16, 3, 3)]
    [TestCase(1, int.MaxValue, 8192, 8, 1024, 1)]
    public void WithinASize_NoSideIsLonger(int width, int height, int size, int patch, int rows, int columns) =>
        Assert.That(PictureGrid.Within(width, height, size, patch), Is.EqualTo(new PictureGrid(rows, columns)));

    [TestCase(640, 480, 480, 8, 60, 80)]
    [TestCase(480, 1920, 480, 8, 240, 60)]
    [TestCase(480, 9600, 480, 8, 240, 12)]
    [TestCase(30000, 1, 480, 16, 1, 120)]
    public void ByTheShorterSide_TheLongerIsAtMostFourTimesAsLong(int width, int height, int size, int patch, int rows, int columns) =>
        Assert.That(PictureGrid.Of(width, height, size, patch), Is.EqualTo(new PictureGrid(rows, columns)));
}
