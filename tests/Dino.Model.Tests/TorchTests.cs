using System.Diagnostics;
using Dino.Model.Weights;
using Dino.Tensors;
using Dino.Tensors.Io;
using Dino.Tensors.Nn;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Model.Tests;

/// <summary>PyTorch reads what is written here and sees the same; what PyTorch writes is read here.</summary>
public class TorchTests
{
    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("dino-torch-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void OurFile_LoadsStrictly_AndGivesTheFixturesFeatures()
    {
        var golden = GoldenCheckpoints.Good.First(file => file.Compare.Any(pair => pair is ("", "backbone.")));
        using var file = WeightsFile.Open(golden.Path);
        var weights = ModelWeights.Find(file);
        var config = weights.BackboneConfig(GoldenCheckpoints.Config.GetProperty("heads").GetInt32());
        string ours = Path.Combine(folder, "ours.pth"), x = GoldenCheckpoints.Forward.GetProperty("x").GetString()!;
        // With the number of heads, as dino export writes it: beside the state dict, where strict loading does not see it.
        PyTorchFile.Write(
            ours, WeightsExport.Official(config, name => weights.Values(weights.Backbone[name])),
            new Dictionary<string, string> { [HeadCount.MetadataKey] = $"{config.Heads}" });
        int[] shape = [.. GoldenCheckpoints.Expected.Shape(x).Select(size => (int)size)];

        float[] features = Torch.Features(ours, config, (GoldenCheckpoints.Expected.Floats(x), shape[0], shape[2], shape[3]))[0];

        var tolerance = new Tolerance(1e-5, 0);
        tolerance.Check<float>(features, GoldenCheckpoints.Expected.Floats(GoldenCheckpoints.Forward.GetProperty("out").GetString()!),
            "PyTorch and the fixture");
        tolerance.Check<float>(Features(weights, config, GoldenCheckpoints.Expected.Floats(x), Shape.Of(shape)), features,
            "ours and PyTorch");
    }

    [Test]
    public void SmallViT_ByTorchAndByUs_SeesTheSame()
    {
        var config = ViTConfig.Named("vit_small");
        string theirs = Path.Combine(folder, "theirs.pth"), ours = Path.Combine(folder, "ours.pth");
        Torch.Run("make", theirs, Torch.Sizes(config));
        var random = new Random(3);
        (float[] Images, int Batch, int Height, int Width)[] pictures =
            // PyTorch's products are slow where a machine has the reference's BLAS: no more tokens than the positions need to be
            // those of the file, or stretched and shrunk.
            [.. new[] { (224, 224), (480, 48), (64, 320) }.Select(
                size => (Noise(random, 3 * size.Item1 * size.Item2), 1, size.Item1, size.Item2))];
        using (var file = WeightsFile.Open(theirs))
        {
            var weights = ModelWeights.Find(file);
            Assert.That(weights.BackboneConfig(), Is.EqualTo(config));
            PyTorchFile.Write(ours, WeightsExport.Official(config, name => weights.Values(weights.Backbone[name])));
        }
        float[][] expected = Torch.Features(ours, config, pictures);
        foreach (string path in (string[])[theirs, ours])
        {
            var watch = Stopwatch.StartNew();
            using var file = WeightsFile.Open(path);
            var weights = ModelWeights.Find(file);
            var vit = new VisionTransformer(weights.BackboneConfig());
            using var parameters = new FlatParameters(vit, Devices.Open("cpu"), trainable: false);
            weights.Load(vit);
            TestContext.Out.WriteLine($"{Path.GetFileName(path)}: loaded in {watch.Elapsed.TotalMilliseconds:F0} ms");
            // The weights are the same bits: one size tells that the second file was read.
            for (int i = 0; i < (path == theirs ? pictures.Length : 1); i++)
            {
                using var arena = Devices.Open("cpu").BeginArena();
                var images = Tensor.From(Devices.Open("cpu"), pictures[i].Images, new Shape(1, 3, pictures[i].Height, pictures[i].Width));
                float[] features = vit.Forward(images).ToArray();
                TestContext.Out.WriteLine($"{pictures[i].Height}x{pictures[i].Width}: largest difference "
                    + $"{features.Zip(expected[i], (a, b) => Math.Abs(a - b)).Max():g3}");
                new Tolerance(1e-4, 0).Check<float>(features, expected[i], $"{pictures[i].Height}x{pictures[i].Width}");
            }
        }
    }

    private static float[] Features(ModelWeights weights, ViTConfig config, float[] images, Shape shape)
    {
        var vit = new VisionTransformer(config);
        using var parameters = new FlatParameters(vit, Devices.Open("cpu"), trainable: false);
        weights.Load(vit);
        using var arena = Devices.Open("cpu").BeginArena();
        return vit.Forward(Tensor.From(Devices.Open("cpu"), images, shape)).ToArray();
    }

    private static float[] Noise(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() * 4 - 2))];
}
