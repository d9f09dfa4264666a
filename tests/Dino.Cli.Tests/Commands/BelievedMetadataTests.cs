using System.Text.Json.Nodes;
using Dino.Cli.Arguments;
using Dino.Tensors.Io;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Cli.Tests.Commands;

/// <summary>
/// What a checkpoint says of itself is compared with its tensors before it costs anything, and what options say of sizes before anything is
/// made: one
/// line each, whatever the number.
/// </summary>
public class BelievedMetadataTests
{
    private PictureFolder pictures = null!;
    private string scratch = null!, checkpoint = null!;

    [OneTimeSetUp]
    public void TrainOnce()
    {
        pictures = TinyRun.MakePictures();
        scratch = Directory.CreateTempSubdirectory("dino-believed-").FullName;
        checkpoint = DinoProcess.Train(pictures, Path.Combine(scratch, "run"));
    }

    [OneTimeTearDown]
    public void Delete()
    {
        pictures.Dispose();
        Directory.Delete(scratch, recursive: true);
    }

    [TestCase("options.backbone.depth", 200_000_000, "Depth 200000000, its tensors 1")]
    [TestCase("options.backbone.depth", -1, "Depth -1")]
    [TestCase("options.backbone.channels", -1, "Channels -1, its tensors 3")]
    [TestCase("options.backbone.channels", int.MaxValue, "Channels")]
    [TestCase("options.backbone.patch", 0, "Patch 0")]
    [TestCase("options.backbone.dim", int.MaxValue, "Dim 2147483647")]
    [TestCase("options.backbone.heads", 0, "0 attention heads")]
    [TestCase("options.backbone.heads", -2, "-2 attention heads")]
    [TestCase("options.backbone.heads", 3, "3 heads do not divide")]
    [TestCase("options.backbone.imageSize", int.MaxValue, "pictures of 2147483647 pixels")]
    [TestCase("options.backbone.imageSize", -16, "pictures of -16 pixels")]
    [TestCase("options.backbone.mlpRatio", -4, "an MLP of -4")]
    [TestCase("options.backbone.mlpRatio", 1e30, "an MLP of")]
    [TestCase("options.backbone.normEps", 0, "a norm's ε of 0")]
    [TestCase("options.backbone.registers", 7, "Registers 7, its tensors 0")]
    [TestCase("options.head.outDim", -2147483616, "OutDim -2147483616, its tensors 32")] // 32 − 2³¹
    [TestCase("options.head.layers", int.MaxValue, "Layers 2147483647")]
    [TestCase("options.head.hiddenDim", 0, "HiddenDim 0")]
    [TestCase("options.head.bottleneckDim", 9, "BottleneckDim 9")]
    [TestCase("options.crops.globalCropsSize", 0, "--global-crops-size must be at least 1")]
    [TestCase("options.crops.globalCropsSize", int.MaxValue, "--global-crops-size must be at least 1")]
    [TestCase("step", -1, "step -1")]
    [TestCase("step", 1e14, "step 100000000000000 of a run of")]
    [TestCase("stepsPerEpoch", 0, "0 steps an epoch")]
    [TestCase("stepsPerEpoch", -1, "-1 steps an epoch")]
    [TestCase("pictures", -1, "-1 pictures")]
    [TestCase("epoch", -1, "epoch -1")]
    [TestCase("options.backbone.depth", 0.5, "unreadable")]
    [TestCase("options.backbone.depth", 1e18, "unreadable")]
    public void OwnCheckpoint_ThatSaysWhatItIsNot_IsRefused(string field, double value, string reason)
    {
        string path = Path.Combine(scratch, $"{Guid.NewGuid():n}.safetensors");
        using (var file = SafetensorsFile.Read(checkpoint))
        {
            var json = JsonNode.Parse(file.Metadata["dino"])!;
            string[] keys = field.Split('.');
            var at = keys.SkipLast(1).Aggregate(json, (node, key) => node[key]!);
            at[keys[^1]] = value == Math.Floor(value) && Math.Abs(value) < 1e17 ? (JsonNode)(long)value : value;
            SafetensorsFile.Write(path, [.. file.Names.Select(name => Dino.Tensors.Nn.HostTensor.Read(file, name).ToEntry())],
                new Dictionary<string, string> { ["dino"] = json.ToJsonString() });
        }
        foreach (string[] command in (string[][])
            [
                ["features", path, pictures.Root, "--output-dir", Path.Combine(scratch, "out"), "--device", "cpu"],
                    ["export", path, Path.Combine(scratch, "x.pth"), "--format", "pth"],
                ["train", "--data", pictures.Root, "--output-dir", Path.Combine(scratch, "init"), "--init", path, "--device", "cpu",
                    "--plan"],
            ])
        {
            var run = DinoProcess.Run(command);
            Assert.That(run.Code, Is.EqualTo(ExitCode.Failure), $"{command[0]}: {run.Error}");
            Assert.That(run.Error.TrimEnd('\n'),
                Does.Contain(reason).And.Contain(Path.GetFileName(path)).And.Not.Contain('\n').And.Not.Contain("internal error"),
                command[0]);
        }
        // Inspecting is looking: the tensors are listed, and what is wrong is said.
        var inspect = DinoProcess.Run("inspect", path);
        Assert.That((inspect.Code, inspect.Output.Contains(reason, StringComparison.Ordinal)), Is.EqualTo((ExitCode.Ok, true)),
            inspect.Output + inspect.Error);
    }

    private static IEnumerable<TestCaseData> Sizes =>
        from option in (string[])
            [
                "--patch-size", "--embed-dim", "--depth", "--num-heads", "--out-dim", "--head-layers", "--hidden-dim", "--bottleneck-dim",
                    "--batch-size", "--accumulate", "--epochs",
                "--global-crops-size", "--local-crops-number", "--local-crops-size", "--warmup-epochs", "--warmup-teacher-temp-epochs",
                "--center-warmup", "--freeze-last-layer", "--saveckp-freq", "--num-workers",
            ]
        from value in (int[])[-1, 0, 1, 1_000_000, int.MaxValue]
        select new TestCaseData(option, value).SetName($"Plan {option} {value}");

    [TestCaseSource(nameof(Sizes))]
    public void Plan_WithAnySize_IsAPlanOrOneLine_AtOnce(string option, int value)
    {
        List<string> options = [.. DinoProcess.TinyOptions];
        int at = options.IndexOf(option);
        if (at >= 0)
            options.RemoveRange(at, 2);
        long before = GC.GetAllocatedBytesForCurrentThread();
        var run = DinoProcess.Run(["train", "--data", pictures.Root, "--output-dir", Path.Combine(scratch, "plan"), "--plan", .. options,
            option, $"{value}"]);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(64 << 20));
        if (run.Code == ExitCode.Ok)
        {
            Assert.That(run.Output, Does.Contain("in all"));
            return;
        }
        Assert.That(run.Code, Is.EqualTo(ExitCode.Usage).Or.EqualTo(ExitCode.Failure));
        Assert.That(run.Error.TrimEnd('\n'), Does.StartWith("dino train: ").And.Not.Contain('\n').And.Not.Contain("internal error")
            .And.Contain($"{value}"));
    }
}
