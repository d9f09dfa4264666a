using System.Text.Json.Nodes;
using Dino.Cli.Arguments;
using Dino.Cli.Commands;
using Dino.Cli.Demo;
using Dino.Testing.Runs;
using Dino.Train;
using Dino.Train.Methods.Dino;
using Dino.Train.Runs;
using NUnit.Framework;

namespace Dino.Cli.Tests.Commands;

/// <summary><c>args.json</c> says what a run was started with, and starts another one like it.</summary>
public class RunArgumentsTests
{
    private PictureFolder pictures = null!;
    private string scratch = null!, output = null!;

    [SetUp]
    public void MakeFolders()
    {
        pictures = TinyRun.MakePictures(8);
        scratch = Directory.CreateTempSubdirectory("dino-args-").FullName;
        output = Path.Combine(scratch, "run");
    }

    [TearDown]
    public void DeleteFolders()
    {
        pictures.Dispose();
        Directory.Delete(scratch, recursive: true);
    }

    [Test]
    public void ARun_KeepsAllItsOptions_UnderTheirNames()
    {
        DinoProcess.Train(
            pictures, output, "--blur-prob", "1", "0.1", "0.25", "--jitter-prob", "0", "--optimizer", "sgd", "--use-bn-in-head");

        var kept = Kept(output);
        string[] asked = ["--args", "--restart", "--verify", "--plan"];
        Assert.That(kept.Select(pair => pair.Key), Is.EquivalentTo(Program.Commands.Single(command => command.Name == "train").Options
            .Where(option => !asked.Contains(option.Name)).Select(option => option.Name[2..].Replace('-', '_'))));
        foreach (var (key, json) in ((string, string)[])
            [("data", $"\"{pictures.Root}\""), ("output_dir", $"\"{output}\""), ("global_crops_size", "16"), ("blur_prob", "[1,0.1,0.25]"),
                ("jitter_prob", "0"), ("optimizer", "\"sgd\""), ("use_bn_in_head", "true"), ("norm_last_layer", "true"),
                ("global_crops_scale", "[0.4,1]"), ("drop_path_rate", "0.1"), ("out_dim", "32"), ("momentum_teacher", "0.95"),
                ("augment", "\"host\""), ("seed", "0")])
            Assert.That(kept[key]!.ToJsonString(), Is.EqualTo(json), key);
        Assert.That(kept["val"], Is.Null);
    }

    [Test]
    public void ARunBegunFromIt_IsTheSameRun_WhateverWasGiven()
    {
        string first = DinoProcess.Train(pictures, Path.Combine(scratch, "first"));
        string[][] runs =
        [
            ["--preset", "small", "--seed", "18446744073709551615", "--lr", "1e-3", "--drop-path-rate", "0.1", "--crop-ratio", "0.5",
                "1.7", "--norm-last-layer", "false"],
            ["--init", first], ["--include", "*.png", "even", "--exclude", "-none", "--accumulate", "2", "--max-megapixels", "0.001"],
            ["--arch", "vit_tiny", "--val", pictures.Root, "--knn-freq", "1", "--blur-radius", "1", "2", "1", "2", "0", "0.3"],
        ];
        for (int i = 0; i < runs.Length; i++)
        {
            string one = Path.Combine(scratch, $"one{i}"), two = Path.Combine(scratch, $"two{i}");
            DinoProcess.Train(pictures, one, runs[i]);

            var run = DinoProcess.Run("train", "--args", Path.Combine(one, "args.json"), "--output-dir", two);

            Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
            Assert.That(File.ReadAllBytes(Path.Combine(two, "latest.safetensors")),
                Is.EqualTo(File.ReadAllBytes(Path.Combine(one, "latest.safetensors"))), string.Join(' ', runs[i]));
            JsonObject a = Kept(one), b = Kept(two);
            (a["output_dir"], b["output_dir"]) = (null, null);
            Assert.That(b.ToJsonString(), Is.EqualTo(a.ToJsonString()));
        }
    }

    [Test]
    public void TheCommandLine_GoesBeforeTheFile_AndTheSameFolderGoesOn()
    {
        DinoProcess.Train(pictures, output, "--blur-prob", "0");
        string file = Path.Combine(output, "args.json"), other = Path.Combine(scratch, "other");

        var run = DinoProcess.Run("train", "--args", file, "--output-dir", other, "--seed", "5", "--blur-prob", "1", "0.5", "0");
        var again = DinoProcess.Run("train", "--args", file, "--saveckp-freq", "7");

        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        var options = Checkpoint.ReadInfo(Path.Combine(other, "latest.safetensors")).OptionsAs<DinoOptions>();
        Assert.That((options.Seed, options.Crops.Global2.BlurProbability, options.Head.OutDim), Is.EqualTo((5UL, 0.5, 32)));
        Assert.That(again.Output, Does.Contain("already trained"), again.Error);
        Assert.That((int)Kept(output)["saveckp_freq"]!, Is.EqualTo(7), "a run that goes on writes it anew");
    }

    [Test]
    public void ByHand_AFewOptions_AreEnough_AndThePresetIsBelowThem()
    {
        string file = Write($$"""
            {"data": "{{pictures.Root}}", "epochs": 1, "lr": 5e-4, "jitter_prob": [0, 0.5, 1], "device": "cpu", "preset": null}
            """);
        string[] sizes = [.. DinoProcess.TinyOptions.Chunk(2).Where(pair => pair[0] is not ("--epochs" or "--device"))
            .SelectMany(pair => pair)];

        var run = DinoProcess.Run(["train", "--args", file, "--output-dir", output, .. sizes]);

        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        var options = Checkpoint.ReadInfo(Path.Combine(output, "latest.safetensors")).OptionsAs<DinoOptions>();
        Assert.That((options.Epochs, options.Lr, options.Crops.Local.JitterProbability), Is.EqualTo((1, 0.0005, 1.0)));
        Assert.That(DinoProcess.Run("train", "--args", file, "--preset", "small").Error,
            Does.Contain("--preset small would change none of them"));
    }

    [TestCase("""{"jiter_prob": 0}""", "'jiter_prob' is no option; did you mean 'jitter_prob'.")]
    [TestCase("""{"global-crops-sizes": 0}""", "'global-crops-sizes' is no option; did you mean 'global_crops_size'.")]
    [TestCase("""{"xyz": 0}""", "'xyz' is no option.")]
    [TestCase("""{"restart": true}""", "'restart' is no option.")]
    [TestCase("""{"epochs": "10"}""", "'epochs' needs a number, not \"10\".")]
    [TestCase("""{"epochs": 2.5}""", "'epochs' needs a whole number, not '2.5': write one like 10.")]
    [TestCase("""{"epochs": [1, 2]}""", "'epochs' needs a number, not [1, 2].")]
    [TestCase("""{"blur_prob": [1, "no", 0]}""", "'blur_prob' needs a number or a list of them, not \"no\".")]
    [TestCase("""{"norm_last_layer": 1}""", "'norm_last_layer' needs true or false, not 1.")]
    [TestCase("""{"arch": 5}""", "'arch' needs a text, not 5.")]
    [TestCase("""{"lr": 1e999}""", "'lr' needs a number, not '1e999', which is too large for one: write one like 0.0005.")]
    [TestCase("""{"epochs": 1, "epochs": 2}""", "it is no JSON: Duplicate property 'epochs' encountered during deserialization.")]
    [TestCase("[1]", "it is no JSON object of options, as {\"epochs\": 100, \"jitter_prob\": 0}.")]
    public void WhatIsWrongInIt_IsNamed(string text, string fault)
    {
        string file = Write(text);

        var run = DinoProcess.Run("train", "--args", file);

        Assert.That((run.Code, run.Error), Is.EqualTo((ExitCode.Usage, $"dino train: --args {file}: {fault}\n")));
    }

    [TestCase("""{"optimizer": "adam"}""", "--optimizer needs one of adamw, sgd, lars, not 'adam'.")]
    [TestCase("""{"jitter_prob": [0, 1]}""", "--jitter-prob takes 1 or 3 numbers, not 2")]
    [TestCase("""{"arch": "resnet50"}""", "--arch needs one of vit_tiny, vit_small, vit_base, not 'resnet50'.")]
    [TestCase("""{"teacher_temp": -1}""", "--teacher-temp must be above 0, not -1")]
    public void ItsValues_AreCheckedAsThoseOfTheCommandLine(string text, string fault)
    {
        var run = DinoProcess.Run("train", "--args", Write(text), "--data", pictures.Root);

        Assert.That(run.Code, Is.EqualTo(ExitCode.Usage), run.Error);
        Assert.That(run.Error, Does.Contain(fault));
    }

    [TestCase("{\"epochs\": 1", "it is no JSON: ")]
    [TestCase("", "it is no JSON: ")]
    [TestCase(null, "There is no file ")]
    public void AFileThatIsNone_IsRefused(string? text, string fault)
    {
        string file = text is null ? Path.Combine(scratch, "none.json") : Write(text);

        var run = DinoProcess.Run("train", "--args", file, "--data", pictures.Root);

        Assert.That(run.Code, Is.EqualTo(text is null ? ExitCode.Failure : ExitCode.Usage));
        Assert.That(run.Error, Does.StartWith("dino train: ").And.Contain(fault).And.Contain(file));
        Assert.That(DinoProcess.Run("train", "--args", scratch).Error, Does.Contain("is a folder"));
        Assert.That(DinoProcess.Run("train", "--args").Error, Does.Contain("--args needs a value"));
    }

    [Test]
    public void TheDemonstration_CanBeTrainedByHand()
    {
        using var more = TinyRun.MakePictures(64);
        var demo = DemoRun.Options(7);
        var arguments = TrainCommand.Arguments(demo, new RunOptions { OutputDir = output, KnnEvery = 10 }, more.Root, more.Root);
        string file = Write(arguments.ToJsonString());

        var run = DinoProcess.Run("train", "--args", file, "--epochs", "3", "--device", "cpu");

        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        Assert.That(Checkpoint.ReadInfo(Path.Combine(output, "latest.safetensors")).OptionsAs<DinoOptions>(),
            Is.EqualTo(demo with { Epochs = 3 }));
        Assert.That(((int)arguments["knn_freq"]!, (string)arguments["val"]!), Is.EqualTo((10, more.Root)));
    }

    [Test]
    public void EveryHyperparameter_CanBeWritten()
    {
        var options = DinoPresets.Named("small");
        foreach (var one in options.Hyperparameters)
            Assert.That(() => RunArguments.ValueOf(one, options), Throws.Nothing, one.Property);
    }

    private string Write(string text)
    {
        string path = Path.Combine(scratch, "args.json");
        File.WriteAllText(path, text);
        return path;
    }

    private static JsonObject Kept(string folder) => JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "args.json")))!.AsObject();
}
