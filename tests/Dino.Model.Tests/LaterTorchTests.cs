using Dino.Model.Weights;
using Dino.Tensors;
using Dino.Tensors.Io;
using Dino.Tensors.Nn;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Model.Tests;

/// <summary>DINOv2 and DINOv3 by PyTorch and by us: its files are read here, ours there, and both see the same.</summary>
public class LaterTorchTests
{
    private static readonly ViTConfig small = ViTConfig.Named("vit_small", 14, 518) with { LayerScale = true };

    private static readonly (string Name, ViTConfig Config)[] networks =
    [
        ("DINOv2 ViT-S/14", small),
        ("DINOv2 at its own size", ViTConfig.Named("vit_small", 14, 112) with { LayerScale = true, Depth = 2 }),
        ("DINOv2 ViT-S/14 with registers", small with { Registers = 4 }),
        ("DINOv2 with registers at its own size",
            ViTConfig.Named("vit_small", 14, 112) with { LayerScale = true, Depth = 2, Registers = 4 }),
        ("DINOv2 with SwiGLU", small with { Depth = 2, SwiGlu = true, MlpRatio = 1024 / 384f }),
        ("DINOv3 ViT-S/16", V3(12)),
        ("DINOv3 with SwiGLU", V3(2) with { SwiGlu = true, MlpRatio = 4 }),
    ];

    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("dino-torch-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    public static IEnumerable<TestCaseData> Networks =>
        networks.Select(network => new TestCaseData(network.Config).SetArgDisplayNames(network.Name));

    [TestCaseSource(nameof(Networks))]
    public void Features_AreTorchs(ViTConfig config)
    {
        string theirs = Path.Combine(folder, "theirs.pth"), ours = Path.Combine(folder, "ours.pth"),
            safe = Path.Combine(folder, "ours.safetensors");
        Torch.MakeLater(theirs, config);
        int patch = config.Patch;
        // PyTorch's products are slow where a machine has the reference's BLAS: few tokens. The positions of the file's own size are
        // taken as they are, all others are stretched or shrunk.
        (int Height, int Width)[] sizes = config.Depth == 12 ? [(12 * patch, 7 * patch), (8 * patch, 8 * patch)]
            : config.SwiGlu ? [(5 * patch, 3 * patch)]
            : [(config.Side * patch, config.Side * patch), (10 * patch, 3 * patch)];
        var random = new Random(3);
        (float[], int, int, int)[] pictures = [.. sizes.Select(size =>
            ((float[])[.. Enumerable.Range(0, 3 * size.Height * size.Width).Select(_ => (float)(random.NextDouble() * 4 - 2))], 1,
                size.Height, size.Width))];
        using (var file = WeightsFile.Open(theirs))
        {
            var weights = ModelWeights.Find(file);
            Assert.That(weights.BackboneConfig(), Is.EqualTo(config));
            // Read by its strict reader: no tensor more or less.
            PyTorchFile.Write(ours, WeightsExport.Official(config, name => weights.Values(name, config)));
            SafetensorsFile.Write(safe, WeightsExport.Official(config, name => weights.Values(name, config)));
        }
        float[][] expected = Torch.LaterFeatures(ours, config, pictures);
        foreach (string path in (string[])[theirs, safe])
        {
            using var file = WeightsFile.Open(path);
            var weights = ModelWeights.Find(file);
            var vit = new VisionTransformer(weights.BackboneConfig());
            using var parameters = new FlatParameters(vit, Devices.Open("cpu"), trainable: false);
            Assert.That(weights.Load(vit).IsWhole);
            for (int i = 0; i < (path == theirs ? pictures.Length : 1); i++)
            {
                using var arena = Devices.Open("cpu").BeginArena();
                var (images, _, height, width) = pictures[i];
                float[] features = vit.Forward(Tensor.From(Devices.Open("cpu"), images, new Shape(1, 3, height, width))).ToArray();
                TestContext.Out.WriteLine($"{height}x{width}: largest difference "
                    + $"{features.Zip(expected[i], (a, b) => Math.Abs(a - b)).Max():g3}");
                new Tolerance(1e-4, 0).Check<float>(features, expected[i], $"{height}x{width}");
            }
        }
    }

    private static ViTConfig V3(int depth) => ViTConfig.Named("vit_small") with
    {
        Depth = depth,
        LayerScale = true,
        Registers = 4,
        Rotary = true,
        KeyBias = false,
        NormEps = 1e-5f,
    };
}
