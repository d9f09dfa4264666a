using Dino.Cli.Arguments;
using Dino.Model;
using Dino.Model.Weights;
using Dino.Tensors.Io;
using Dino.Tensors.Nn;
using Dino.Tensors.Ops;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Cli.Tests.Commands;

/// <summary>Backbones of DINOv2 and DINOv3 on the command line.</summary>
public class LaterBackboneCommandTests
{
    private static readonly ViTConfig v2 = new()
    {
        ImageSize = 32,
        Patch = 8,
        Dim = 16,
        Depth = 2,
        Heads = 2,
        LayerScale = true,
        Registers = 4
    };
    private static readonly ViTConfig v3 = v2 with { Rotary = true, KeyBias = false, NormEps = 1e-5f };

    private PictureFolder pictures = null!;
    private string scratch = null!, dinoV2 = null!, dinoV3 = null!;

    [OneTimeSetUp]
    public void MakeFiles()
    {
        pictures = TinyRun.MakePictures(8);
        scratch = Directory.CreateTempSubdirectory("dino-later-").FullName;
        (dinoV2, dinoV3) = (Path.Combine(scratch, "v2.pth"), Path.Combine(scratch, "v3.pth"));
        PyTorchFile.Write(dinoV2, WeightsExport.Official(v2, name => Values(v2, name)));
        PyTorchFile.Write(dinoV3, WeightsExport.Official(v3, name => Values(v3, name)));
    }

    [OneTimeTearDown]
    public void Delete()
    {
        pictures.Dispose();
        Directory.Delete(scratch, recursive: true);
    }

    [TestCase(2, "DINOv2's ViT of width 16, patches of 8, 4 registers in pictures of 32 pixels, width 16, 2 blocks, 2 heads, LayerScale")]
    [TestCase(3, "DINOv3's ViT of width 16, patches of 8, 4 registers, width 16, 2 blocks, 2 heads, LayerScale, rotary positions")]
    public void Inspect_SaysWhoseItIs(int generation, string words)
    {
        var run = DinoProcess.Run("inspect", File(generation), "--num-heads", "2");
        Assert.That(run.Output, Does.Contain(words).And.Not.Contain("refused"), run.Error);
    }

    [TestCase(2)]
    [TestCase(3)]
    public void EveryLayout_GivesTheSameFeatures(int generation)
    {
        string expected = Features(File(generation), $"{generation}-own");
        foreach (string format in (string[])["official", "timm", "pth", "hf"])
        {
            string output = Path.Combine(scratch, $"{generation}-{format}");
            var run = DinoProcess.Run("export", File(generation), output, "--num-heads", "2", "--format", format);
            Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
            Assert.That(Features(format == "hf" ? Path.Combine(output, "model.safetensors") : output, $"{generation}-{format}-features"),
                Is.EqualTo(expected), format);
        }
    }

    [TestCase(2)]
    [TestCase(3)]
    public void Onnx_IsWritten(int generation) // what it computes: Dino.Model.Tests
    {
        string path = Path.Combine(scratch, $"{generation}.onnx");
        var run = DinoProcess.Run("export", File(generation), path, "--num-heads", "2", "--format", "onnx");
        Assert.That((run.Code, Path.Exists(path)), Is.EqualTo((ExitCode.Ok, true)), run.Error);
    }

    /// <summary>Registers are no patches: a map has as many places as the picture has patches.</summary>
    [TestCase(2)]
    [TestCase(3)]
    public void AttendAndEvaluations_LeaveRegistersOut(int generation)
    {
        string maps = Path.Combine(scratch, $"maps{generation}");
        var attend = DinoProcess.Run("attend", File(generation), pictures.Root, "--num-heads", "2", "--device", "cpu", "--limit", "2",
            "--size", "40", "--output-dir", maps);
        Assert.That(attend.Code, Is.EqualTo(ExitCode.Ok), attend.Error);
        var knn = DinoProcess.Run("eval", "knn", File(generation), "--num-heads", "2", "--train", pictures.Root, "--val", pictures.Root,
            "--device", "cpu", "--nb-knn", "1", "--size", "32", "--json");
        Assert.That(knn.Code, Is.EqualTo(ExitCode.Ok), knn.Error);
        var features = DinoProcess.Run("features", File(generation), pictures.Root, "--num-heads", "2", "--device", "cpu", "--size", "32",
            "--pca", "2", "--pca-size", "32", "--output-dir", Path.Combine(scratch, $"pca{generation}"));
        Assert.That(features.Code, Is.EqualTo(ExitCode.Ok), features.Error);
    }

    [Test]
    public void Init_GoesOnFromDinoV2_AndTrainsItsParts()
    {
        string output = Path.Combine(scratch, "run");
        string[] options =
        [
            "--data", pictures.Root, "--output-dir", output, "--init", dinoV2, "--num-heads", "2", "--device", "cpu", "--threads", "2",
                "--num-workers", "1", "--batch-size", "4", "--epochs", "2",
            "--warmup-epochs", "0", "--local-crops-number", "2", "--local-crops-size", "16", "--global-crops-size", "32", "--hidden-dim",
            "16", "--bottleneck-dim", "8", "--out-dim", "32", "--lr", "0.01",
        ];
        var run = DinoProcess.Run(["train", .. options]);
        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        string latest = Path.Combine(output, "latest.safetensors");
        using (var file = SafetensorsFile.Read(latest))
            foreach (string name in (string[])["register_tokens", "blocks.0.ls1.gamma", "blocks.1.ls2.gamma", "blocks.1.mlp.fc2.weight"])
            {
                float[] before = Values(v2, name), after = file.Floats("student.backbone." + name);
                Assert.That(after, Is.Not.EqualTo(before), name);
                Assert.That(after.Zip(before, (a, b) => Math.Abs(a - b)).Max(), Is.LessThan(0.5f), name);
            }
        Assert.That(Features(latest, "run-features"), Is.Not.Empty);
    }

    [Test]
    public void Init_FromDinoV3_IsRefused_ByName()
    {
        var run = DinoProcess.Run("train", "--data", pictures.Root, "--output-dir", Path.Combine(scratch, "refused"), "--init", dinoV3,
            "--device", "cpu");
        Assert.That(run.Code, Is.EqualTo(ExitCode.Failure));
        Assert.That(run.Error.TrimEnd('\n'), Does.Contain("DINOv3").And.Not.Contain("\n"));
    }

    /// <summary>The last steps of DINOv2 saw 518 pixels; it is evaluated at 224, as DINOv3 is.</summary>
    [TestCase(14, 518, 224)]
    [TestCase(8, 32, 32)]
    [TestCase(15, 518, 210)]
    public void EvaluationSize_IsAtMost224(int patch, int trained, int expected)
    {
        Assert.That((v2 with { Patch = patch, ImageSize = trained }).EvaluationSize, Is.EqualTo(expected));
        Assert.That(new ViTConfig { Patch = patch, ImageSize = trained }.EvaluationSize, Is.EqualTo(trained),
            "DINO is evaluated at its own size");
    }

    private string File(int generation) => generation == 2 ? dinoV2 : dinoV3;

    private string Features(string file, string name)
    {
        string output = Path.Combine(scratch, name);
        var run = DinoProcess.Run("features", file, pictures.Root, "--num-heads", "2", "--device", "cpu", "--size", "40", "--output-dir",
            output);
        if (run.Code != ExitCode.Ok) // a checkpoint of our own knows its heads
            run = DinoProcess.Run("features", file, pictures.Root, "--device", "cpu", "--size", "40", "--output-dir", output);
        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        return System.IO.File.ReadAllText(Path.Combine(output, "features.csv"));
    }

    private static float[] Values(ViTConfig config, string name)
    {
        var network = new VisionTransformer(config);
        int count = network.Parameters.Concat<ModuleTensor>(network.Buffers).Single(tensor => tensor.Name == name).Shape.Count;
        if (name == "rope_embed.periods")
            return RotaryOp.Periods(count);
        var random = new System.Random(name.Sum(c => c * 31));
        float centre = name.Contains("norm", StringComparison.Ordinal) && name.EndsWith("weight", StringComparison.Ordinal)
            || name.EndsWith("gamma", StringComparison.Ordinal) ? 1 : 0;
        return [.. Enumerable.Range(0, count).Select(i =>
            !config.KeyBias && name.EndsWith("qkv.bias", StringComparison.Ordinal)
                && i * 3 / count == 1 ? 0 : centre + (random.NextSingle() * 2 - 1) * 0.3f)];
    }
}
