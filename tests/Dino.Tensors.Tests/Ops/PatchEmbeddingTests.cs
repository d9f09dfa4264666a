using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class PatchEmbeddingTests : OpTests<PatchEmbeddingTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
        [Images(2, 3, 8, 12, 4, 5), Images(1, 1, 3, 3, 1, 2), Images(1, 2, 11, 7, 3, 4), Images(2, 3, 16, 8, 8, 9),
            Images(1, 3, 18, 18, 9, 3)];

    [Test]
    public void ImagesWithoutAWholePatch_AreRefused()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Tensor weight = Tensor.Zeros(device, new Shape(2, 3, 8, 8)), bias = Tensor.Zeros(device, new Shape(2));
        Assert.That(() => Tensor.Zeros(device, new Shape(1, 3, 7, 20)).PatchEmbedding(weight, bias),
            Throws.ArgumentException.With.Message.Contains("7×20"));
        Assert.That(() => Tensor.Zeros(device, new Shape(1, 1, 8, 8)).PatchEmbedding(weight, bias),
            Throws.ArgumentException.With.Message.Contains("(1, 1, 8, 8)"));
    }

    private static OpCase Images(int b, int c, int height, int width, int p, int d)
    {
        int down = height / p, across = width / p;
        return new("PatchEmbedding", x => x[0].PatchEmbedding(x[1], x[2]), new Shape(b, c, height, width), new Shape(d, c, p, p),
            new Shape(d))
        {
            Truth = x => [.. from image in Enumerable.Range(0, b)
                             from patch in Enumerable.Range(0, down * across)
                             from i in Enumerable.Range(0, d)
                             select x[2][i] + Enumerable.Range(0, c * p * p).Sum(at => x[1][i * c * p * p + at]
                                 * x[0][((image * c + at / p / p) * height + patch / across * p + at / p % p) * width + patch % across * p
                                     + at % p])],
        };
    }
}
