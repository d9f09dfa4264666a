using Dino.Model;
using Dino.Pictures.Decoding;
using Dino.Tensors.Nn;
using Dino.Testing;
using Dino.Testing.Runs;
using Dino.Train.Evaluation.Retrieval;
using NUnit.Framework;

namespace Dino.Train.Tests.Evaluation;

public class RetrievalFeaturesTests
{
    // Sizes that Pillow 9.4's Image.thumbnail gives.
    [TestCase(1024, 768, 224, 224, 168)]
    [TestCase(768, 1024, 224, 168, 224)]
    [TestCase(683, 1024, 512, 341, 512)]
    [TestCase(1000, 3, 100, 100, 1)]
    [TestCase(200, 100, 224, 200, 100)]
    public void Thumbnails_HaveTheSizeOfPillows(int width, int height, int size, int expectedWidth, int expectedHeight) =>
        Assert.That(RetrievalFeatures.Thumbnail(width, height, size), Is.EqualTo((expectedWidth, expectedHeight)));

    /// <summary>
    /// Channel 1 of the powers (i ^ 1.1) of a (3, 5, 7) ramp, as torch 1.13's <c>interpolate(scale_factor, bilinear)</c> shrinks it.
    /// </summary>
    [TestCase(0.7071067811865476, 4, 3, new[]
    {
        52.5669f, 54.8008f, 57.0426f, 59.2932f, 68.3765f, 70.6636f, 72.957f, 75.2577f, 84.5071f, 86.8386f, 89.1753f, 91.5183f,
    })]
    [TestCase(0.5, 3, 2, new[] { 56.2818f, 59.4621f, 62.6581f, 78.8515f, 82.1292f, 85.419f })]
    public void Shrinking_IsTorchs(double scale, int width, int height, float[] expected)
    {
        float[] ramp = [.. Enumerable.Range(0, 3 * 5 * 7).Select(i => (float)Math.Pow(i, 1.1))];
        var (pixels, w, h) = RetrievalFeatures.Shrink(ramp, 7, 5, scale);

        Assert.That((w, h), Is.EqualTo((width, height)));
        Tolerance.Balanced.Check<float>(pixels.AsSpan(width * height, width * height), expected, "channel 1");
    }

    [Test]
    public void Features_HaveLengthOne_AndABoxIsThePictureCutByHand()
    {
        var device = Devices.Open("cpu");
        var backbone = new VisionTransformer(new ViTConfig { ImageSize = 16, Patch = 8, Dim = 16, Depth = 1, Heads = 2 });
        using var parameters = new FlatParameters(backbone, device, trainable: false);
        parameters.Initialize(5);
        var picture = PictureFolder.Pattern(3, 60, 50);
        var cut = new RgbImage(40, 32);
        for (int y = 0; y < 32; y++)
            picture.Row(10 + y).Slice(3 * 5, 3 * 40).CopyTo(cut.Row(y));
        float[] whole = new float[16], boxed = new float[16], byHand = new float[16];
        var features = new RetrievalFeatures(backbone, device, 48, multiScale: true);
        features.Compute(picture, null, whole);
        features.Compute(picture, [5, 10, 45, 42], boxed);
        features.Compute(cut, null, byHand);

        Assert.That(whole.Sum(x => x * x), Is.EqualTo(1).Within(1e-5));
        Assert.That(boxed, Is.EqualTo(byHand).And.Not.EqualTo(whole));
    }
}
