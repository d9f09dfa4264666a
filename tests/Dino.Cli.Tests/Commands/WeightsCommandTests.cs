using System.Text.Json;
using Dino.Cli.Arguments;
using Dino.Tensors.Io;
using Dino.Testing;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Cli.Tests.Commands;

/// <summary>
/// Weights in and out on the command line: <c>inspect</c>, <c>export</c>, <c>train --init</c>, and evaluation of foreign files.
/// </summary>
public class WeightsCommandTests
{
    // A run whose network comes from the file.
    private static readonly string[] initOptions =
        ["--device", "cpu", "--threads", "2", "--num-workers", "1", "--batch-size", "4", "--epochs", "1", "--warmup-epochs", "0",
            "--local-crops-number", "2"];

    private PictureFolder pictures = null!;
    private string scratch = null!, checkpoint = null!;

    private string Fixture => GoldenCheckpoints.Good.First(file => file.Compare.Any(pair => pair.Expected == "center")).Path;

    private string FixtureBackbone => GoldenCheckpoints.Good.First(file => file.Compare.Any(pair => pair is ("", "backbone."))).Path;

    private static int Size(string name) => GoldenCheckpoints.Config.GetProperty(name).GetInt32();

    private string Heads => GoldenCheckpoints.Config.GetProperty("heads").GetRawText();

    [OneTimeSetUp]
    public void TrainOnce()
    {
        pictures = TinyRun.MakePictures();
        scratch = Directory.CreateTempSubdirectory("dino-weights-").FullName;
        checkpoint = DinoProcess.Train(pictures, Path.Combine(scratch, "run"));
    }

    [OneTimeTearDown]
    public void Delete()
    {
        pictures.Dispose();
        Directory.Delete(scratch, recursive: true);
    }

    [Test]
    public void Export_RoundTrips_BitForBit()
    {
        // ours → official → PyTorch → Hugging Face → timm, each from the one before.
        string official = Export(checkpoint, "a.safetensors", "official"), pth = Export(official, "b.pth", "pth"),
            hf = Export(pth, "c", "hf");
        string timm = Export(Path.Combine(hf, "model.safetensors"), "d.safetensors", "timm"), again = Export(timm, "e.pth", "pth");

        using var source = WeightsFile.Open(checkpoint);
        long weights = source.Names.Where(name => name.StartsWith("teacher.backbone.", StringComparison.Ordinal))
            .Sum(name => source.Floats(name).LongLength);
        // its numbers: Dino.Model.Tests
        Assert.That(new FileInfo(Export(checkpoint, "f.onnx", "onnx")).Length, Is.GreaterThan(4 * weights));
        foreach (string path in (string[])[official, pth, timm, again])
        {
            using var file = WeightsFile.Open(path);
            foreach (string name in file.Names)
                Assert.That(file.Floats(name), Is.EqualTo(source.Floats("teacher.backbone." + name)), $"{path} {name}");
            Assert.That(file.Names.Count, Is.EqualTo(
                source.Names.Count(name => name.StartsWith("teacher.backbone.", StringComparison.Ordinal))));
        }
        Assert.That(File.ReadAllBytes(again), Is.EqualTo(File.ReadAllBytes(pth)));
        using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(hf, "config.json")));
        Assert.That(json.RootElement.GetProperty("num_attention_heads").GetInt32(), Is.EqualTo(2));
        Assert.That(json.RootElement.GetProperty("layer_norm_eps").GetDouble(), Is.EqualTo(1e-6));
    }

    [Test]
    public void Export_OfOfficialFiles_GivesThemBack()
    {
        foreach (var golden in GoldenCheckpoints.Good.Where(
            file => file.Compare.Any(pair => pair.Expected == "backbone." && pair.InFile != "teacher.backbone.")))
        {
            string pth = Export(golden.Path, $"again-{Guid.NewGuid():n}.pth", "pth", Heads);
            string hf = Export(pth, $"again-{Guid.NewGuid():n}", "hf", Heads);
            using var file = WeightsFile.Open(Export(Path.Combine(hf, "model.safetensors"), $"again-{Guid.NewGuid():n}.pth", "pth", Heads));
            string[] expected = [.. GoldenCheckpoints.Expected.Names.Where(name => name.StartsWith("backbone.", StringComparison.Ordinal))];
            Assert.That(file.Names, Has.Count.EqualTo(expected.Length));
            foreach (string name in expected)
                Assert.That(file.Floats(name["backbone.".Length..]), Is.EqualTo(GoldenCheckpoints.Expected.Floats(name)), name);
        }
    }

    [Test]
    public void Export_ReplacesNothing_UnlessForced()
    {
        string path = Path.Combine(scratch, "kept.pth");
        File.WriteAllText(path, "mine");

        var refused = DinoProcess.Run("export", checkpoint, path, "--format", "pth");
        Assert.That((refused.Code, File.ReadAllText(path)), Is.EqualTo((ExitCode.Usage, "mine")));
        Assert.That(refused.Error, Does.Contain("--force"));
        Assert.That(DinoProcess.Run("export", checkpoint, path, "--format", "pth", "--force").Code, Is.EqualTo(ExitCode.Ok));
        WeightsFile.Open(path).Dispose();
        Assert.That(DinoProcess.Run("export", checkpoint, path, "--format", "tar").Code, Is.EqualTo(ExitCode.Usage));
    }

    [TestCase("ending.pth", "pth")]
    [TestCase("ending.PT", "pth")]
    [TestCase("ending.bin", "pth")]
    [TestCase("ending.safetensors", "official")]
    [TestCase("ending.onnx", "onnx")]
    [TestCase("ending", "hf")]
    public void Export_WritesWhatTheEndingSays(string name, string format)
    {
        var run = DinoProcess.Run("export", checkpoint, Path.Combine(scratch, name), "--json");
        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        using var json = JsonDocument.Parse(run.Output);
        Assert.That(json.RootElement.GetProperty("format").GetString(), Is.EqualTo(format));
    }

    [TestCase("other.onnx", "pth", "--format pth does not go with")]
    [TestCase("other.pth", "timm", ".pth says pth")]
    [TestCase("other.safetensors", "pth", "says official or timm")]
    [TestCase("other.safetensors", "hf", "--format hf does not go with")]
    [TestCase("other.tar", null, "--format is missing")]
    public void Export_RefusesAFormatThatTheEndingContradicts(string name, string? format, string reason)
    {
        var run = DinoProcess.Run(["export", checkpoint, Path.Combine(scratch, name),
            .. format is null ? Array.Empty<string>() : ["--format", format]]);
        Assert.That((run.Code, File.Exists(Path.Combine(scratch, name))), Is.EqualTo((ExitCode.Usage, false)), run.Error);
        Assert.That(run.Error, Does.Contain(reason).And.Contain("--format"));
    }

    [Test]
    public void ForeignFile_IsEvaluatedAsTheCheckpointThatItIsFrom()
    {
        string pth = Export(checkpoint, "knn.pth", "pth");
        string[] knn = ["--train", pictures.Root, "--val", pictures.Root, "--device", "cpu", "--nb-knn", "3", "--json"];

        var ours = DinoProcess.Run(["eval", "knn", checkpoint, .. knn]);
        var theirs = DinoProcess.Run(["eval", "knn", pth, "--num-heads", "2", .. knn]);
        var attend = DinoProcess.Run("attend", pth, pictures.Root, "--num-heads", "2", "--device", "cpu", "--limit", "1", "--output-dir",
            Path.Combine(scratch, "maps"));

        Assert.That((ours.Code, theirs.Code, attend.Code), Is.EqualTo((ExitCode.Ok, ExitCode.Ok, ExitCode.Ok)),
            ours.Error + theirs.Error + attend.Error);
        Assert.That(theirs.Output, Is.EqualTo(ours.Output));
        var stated = DinoProcess.Run(["eval", "knn", pth, .. knn]);
        Assert.That((stated.Code, stated.Output), Is.EqualTo((ExitCode.Ok, ours.Output)), "our file states its heads: " + stated.Error);
        var unknown = DinoProcess.Run(["eval", "knn", FixtureBackbone, .. knn]);
        Assert.That(unknown.Code, Is.EqualTo(ExitCode.Failure));
        Assert.That(unknown.Error, Does.Contain("--num-heads"));
    }

    [Test]
    public void Inspect_ListsTensors_AndSaysWhatTheyAre()
    {
        var run = DinoProcess.Run("inspect", Fixture, "--num-heads", Heads, "--json");
        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        using var json = JsonDocument.Parse(run.Output);
        var root = json.RootElement;
        using var file = WeightsFile.Open(Fixture);
        Assert.That(root.GetProperty("tensors").EnumerateArray().Select(tensor => tensor.GetProperty("name").GetString()),
            Is.EqualTo(file.Names));
        Assert.That(root.GetProperty("layout").GetString(), Does.Contain("under teacher").And.Contain("projection head"));
        Assert.That(root.GetProperty("backbone").GetProperty("embedDim").GetInt32(),
            Is.EqualTo(GoldenCheckpoints.Config.GetProperty("dim").GetInt32()));
        Assert.That(root.GetProperty("head").GetProperty("outDim").GetInt32(),
            Is.EqualTo(GoldenCheckpoints.Config.GetProperty("out").GetInt32()));
        Assert.That(root.GetProperty("centre").GetString(), Is.EqualTo("dino_loss.center"));
        foreach (string list in (string[])["missing", "unexpected", "misshapen"])
            Assert.That(root.GetProperty(list).GetArrayLength(), Is.Zero, list);
        Assert.That(root.GetProperty("loaded").GetArrayLength(),
            Is.EqualTo(file.Names.Count(name => name.StartsWith("teacher.", StringComparison.Ordinal))));

        var own = DinoProcess.Run("inspect", checkpoint);
        Assert.That(own.Output, Does.Contain("width 16, 1 blocks, 2 heads").And.Contain("K = 32").And.Contain("centre in center"));
        foreach (var hostile in GoldenCheckpoints.Hostile.Where(file => file.Expect == "reject"))
        {
            var refused = DinoProcess.Run("inspect", hostile.Path);
            Assert.That(refused.Code, Is.EqualTo(ExitCode.Failure), hostile.Name);
            Assert.That(refused.Error.TrimEnd('\n'),
                Does.StartWith("dino inspect: ").And.Contain(Path.GetFileName(hostile.Name)).And.Not.Contain('\n')
                .And.Not.Contain("internal error"));
        }
    }

    [Test]
    public void Init_FromATrainingCheckpoint_BeginsWithItsNetworksHeadAndCentre()
    {
        string output = Path.Combine(scratch, "full");
        var run = DinoProcess.Run(["train", "--data", pictures.Root, "--output-dir", output, "--init", Fixture, "--num-heads", Heads,
            .. initOptions, "--lr", "1e-30", "--min-lr", "0", "--weight-decay", "0", "--weight-decay-end", "0", "--center-momentum", "1"]);

        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        using var latest = SafetensorsFile.Read(Path.Combine(output, "latest.safetensors"));
        // At a rate of nothing the student stays what it began as, and the centre with a momentum of 1.
        foreach (string name in latest.Names.Where(name => name.StartsWith("student.", StringComparison.Ordinal)))
            Assert.That(latest.Floats(name), Is.EqualTo(GoldenCheckpoints.Expected.Floats(name)).Within(1e-6f), name);
        Assert.That(latest.Floats("center"), Is.EqualTo(GoldenCheckpoints.Expected.Floats("center")).Within(1e-6f));
        using var note = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "init.json")));
        Assert.That(note.RootElement.GetProperty("student").GetString(), Is.EqualTo("student of the file"));
        Assert.That(note.RootElement.GetProperty("centre").GetString(), Does.Contain("dino_loss.center"));
        Assert.That(note.RootElement.GetProperty("sha256").GetString(), Has.Length.EqualTo(64));
        Assert.That(run.Output, Does.Contain("initialised from"));
    }

    [Test]
    public void Init_FromABackbone_ResamplesThePositions_AndWarmsUpTheCentre()
    {
        string output = Path.Combine(scratch, "backbone");
        int side = Size("image_size") / Size("patch"), size = Size("image_size") + 2 * Size("patch");
        string[] options = ["--data", pictures.Root, "--output-dir", output, "--init", FixtureBackbone, "--num-heads", Heads,
            .. initOptions, "--global-crops-size", $"{size}", "--local-crops-size", $"{2 * Size("patch")}", "--hidden-dim", "16",
            "--bottleneck-dim", "8", "--out-dim", "32"];
        var run = DinoProcess.Run(["train", .. options]);

        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        using var note = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "init.json")));
        Assert.That(note.RootElement.GetProperty("resized").EnumerateArray().Single().GetString(),
            Does.Contain($"pos_embed (1, {1 + side * side}, {Size("dim")}) to (1, {1 + (side + 2) * (side + 2)}, {Size("dim")})"));
        Assert.That(note.RootElement.GetProperty("centre").GetString(), Is.EqualTo("mean of the teacher logits of the first 6 batches"));
        using var latest = SafetensorsFile.Read(Path.Combine(output, "latest.safetensors"));
        Assert.That(latest.Floats("center").Select(Math.Abs).Max(), Is.GreaterThan(1e-4f));

        // The same command goes on from the run, whatever the file says now.
        var again = DinoProcess.Run(["train", .. options]);
        Assert.That(again.Output, Does.Contain("going on from step").And.Not.Contain("initialised from"));
    }

    [Test]
    public void Init_OfAPart_IsRefused_WithEveryName_UnlessAllowed()
    {
        string part = Path.Combine(scratch, "part.safetensors"), output = Path.Combine(scratch, "partial");
        using (var file = WeightsFile.Open(FixtureBackbone))
            SafetensorsFile.Write(part, [.. file.Names.Where(name => name is not ("norm.bias" or "blocks.0.attn.proj.bias"))
                .Select(name => TensorEntry.Of(name, [.. file.Shape(name).Select(size => (int)size)], file.Floats(name)))
                    .Append(TensorEntry.Of("fc_norm.weight", [1], new[] { 1f }))]);
        string[] options = ["train", "--data", pictures.Root, "--output-dir", output, "--init", part, "--num-heads", Heads, .. initOptions,
            "--global-crops-size", $"{Size("image_size")}", "--local-crops-size", $"{Size("patch")}", "--hidden-dim", "16",
            "--bottleneck-dim", "8", "--out-dim", "32"];

        var refused = DinoProcess.Run(options);
        Assert.That(refused.Code, Is.EqualTo(ExitCode.Failure));
        foreach (string name in (string[])["missing: backbone.norm.bias", "missing: backbone.blocks.0.attn.proj.bias",
            "unexpected: fc_norm.weight", "--allow-partial"])
            Assert.That(refused.Error, Does.Contain(name));
        Assert.That(Directory.Exists(output) && Directory.EnumerateFileSystemEntries(output).Any(), Is.False);
        string[] attend = ["attend", part, pictures.Root, "--num-heads", Heads, "--device", "cpu", "--limit", "1", "--output-dir",
            Path.Combine(scratch, "part-maps")];
        var blind = DinoProcess.Run(attend);
        Assert.That((blind.Code, blind.Error.Contains("missing: norm.bias", StringComparison.Ordinal)),
            Is.EqualTo((ExitCode.Failure, true)), blind.Error);
        Assert.That(DinoProcess.Run([.. attend, "--allow-partial"]).Output,
            Does.Contain("2 tensors are missing, 0 have another shape, 1 are not used"));
        var allowed = DinoProcess.Run([.. options, "--allow-partial"]);
        Assert.That(allowed.Code, Is.EqualTo(ExitCode.Ok), allowed.Error);
        Assert.That(allowed.Output, Does.Contain("2 left at first values"));
    }

    private string Export(string source, string name, string format, string heads = "2")
    {
        string path = Path.Combine(scratch, name);
        var run = DinoProcess.Run("export", source, path, "--format", format, "--num-heads", heads);
        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        return path;
    }
}
