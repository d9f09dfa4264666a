using Dino.Model.Onnx;
using Dino.Tensors;
using Dino.Tensors.Nn;
using Dino.Testing;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using NUnit.Framework;

namespace Dino.Model.Tests;

/// <summary>ONNX Runtime, of one exported file, computes for every batch and picture size what the network here does.</summary>
public class OnnxExportTests
{
    private static readonly ViTConfig config = new() { ImageSize = 32, Patch = 8, Dim = 24, Depth = 3, Heads = 3, MlpRatio = 2 };

    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("dino-onnx-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    public static IEnumerable<TestCaseData> Networks
    {
        get
        {
            var later = config with { LayerScale = true, Depth = 2 };
            var rotary = later with { Rotary = true, Registers = 4, KeyBias = false, NormEps = 1e-5f, Dim = 48 };
            foreach (var (name, network) in new[]
            {
                ("DINO", config), ("DINOv2", later), ("DINOv2 with registers", later with { Registers = 2 }),
                    ("SwiGLU", later with { SwiGlu = true }), ("DINOv3", rotary),
                ("DINOv3 7B's parts", rotary with { QkvBias = false, SwiGlu = true, UntiedNorms = true }),
            })
                yield return new TestCaseData(network).SetArgDisplayNames(name);
        }
    }

    [TestCaseSource(nameof(Networks))]
    public void Graph_EqualsTheNetwork_AtEverySizeAndBatch(ViTConfig config)
    {
        string path = Path.Combine(folder, "vit.onnx");
        var device = Devices.Open("cpu");
        var vit = new VisionTransformer(config);
        using var parameters = new FlatParameters(vit, device, trainable: false);
        var random = new Random(7);
        foreach (var parameter in vit.Parameters)
            parameter.Value.CopyFrom(Noise(random, parameter.Shape.Count, 0.3f)); // large, so that every term counts
        foreach (var buffer in vit.Buffers)
            buffer.Value.CopyFrom([.. Enumerable.Range(0, buffer.Shape.Count).Select(i => 1.5f + 2 * i)]);
        OnnxExport.Write(path, config, name =>
            vit.Parameters.Concat<ModuleTensor>(vit.Buffers).Single(tensor => tensor.Name == name).Value.ToArray());
        using var session = new InferenceSession(path);

        // The trained size, one that leaves a rest, larger, smaller, oblong, and the trained number of cells in another shape.
        foreach (var (height, width) in ((int, int)[])[(32, 32), (35, 35), (96, 96), (16, 16), (40, 24), (34, 37), (16, 64)])
            foreach (int batch in (int[])[1, 3])
            {
                float[] images = Noise(random, batch * 3 * height * width, 2);
                using var results = session.Run(
                    [NamedOnnxValue.CreateFromTensor("images", new DenseTensor<float>(images, [batch, 3, height, width]))],
                    ["features", "tokens"]);
                using var arena = device.BeginArena();
                var pictures = Dino.Tensors.Tensor.From(device, images, new Shape(batch, 3, height, width));
                var tokens = vit.IntermediateLayers(pictures, 1)[0];
                var tolerance = new Tolerance(1e-4, 0);
                string what = $"{batch} of {height}x{width}";
                tolerance.Check<float>(results[0].AsTensor<float>().ToArray(), vit.Forward(pictures).ToArray(), $"features, {what}");
                tolerance.Check<float>(results[1].AsTensor<float>().ToArray(), tokens.ToArray(), $"tokens, {what}");
                Assert.That(results[1].AsTensor<float>().Dimensions.ToArray(), Is.EqualTo(tokens.Shape.ToArray()));
            }
    }

    private static float[] Noise(Random random, int count, float size) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() * 2 - 1) * size)];
}
