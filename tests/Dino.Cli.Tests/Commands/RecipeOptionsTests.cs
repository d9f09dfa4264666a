using Dino.Cli.Arguments;
using Dino.Pictures.Transforms;
using Dino.Testing.Runs;
using Dino.Train.Methods.Dino;
using Dino.Train.Runs;
using NUnit.Framework;

namespace Dino.Cli.Tests.Commands;

/// <summary>What happens to the views of a picture, from the command line to the checkpoint and back.</summary>
public class RecipeOptionsTests
{
    private static readonly MultiCropOptions usual = new();

    private PictureFolder pictures = null!;
    private string output = null!;

    [SetUp]
    public void MakeFolders()
    {
        pictures = TinyRun.MakePictures(8);
        output = Directory.CreateTempSubdirectory("dino-recipe-").FullName;
    }

    [TearDown]
    public void DeleteFolders()
    {
        pictures.Dispose();
        Directory.Delete(output, recursive: true);
    }

    [Test]
    public void OneValue_IsThatOfAllViews_AndThree_AreThatOfEach()
    {
        var crops = CropsOf("--jitter-prob", "0", "--blur-prob", "1", "0.25", "0", "--blur-radius", "0.5", "3", "--solarize-threshold",
            "100", "128", "256", "--crop-ratio", "0.5", "2", "--vflip-prob", "0.5");

        var all = new Recipe
        {
            FlipProbability = 0.5,
            VerticalFlipProbability = 0.5,
            Brightness = 0.4,
            Contrast = 0.4,
            Saturation = 0.2,
            Hue = 0.1,
            GrayscaleProbability = 0.2,
            BlurRadiusMin = 0.5,
            BlurRadiusMax = 3,
        };
        Assert.That(crops.Global1, Is.EqualTo(all with { BlurProbability = 1, SolarizeThreshold = 100 }));
        Assert.That(crops.Global2, Is.EqualTo(all with { BlurProbability = 0.25, SolarizeProbability = 0.2 }));
        Assert.That(crops.Local, Is.EqualTo(all with { SolarizeThreshold = 256 }));
        Assert.That(crops.CropRatio, Is.EqualTo(new CropRatio(0.5, 2)));
    }

    [Test]
    public void EveryTransform_HasItsOption()
    {
        var crops = CropsOf("--hflip-prob", "0", "--brightness", "0.1", "--contrast", "0.2", "0.3", "0.4", "--saturation", "0.5", "--hue",
            "0", "--grayscale-prob", "0.6", "--blur-radius", "1", "1", "1", "2", "0", "0.5", "--solarize-prob", "1", "0", "0.7");

        Assert.That(crops.Global1, Is.EqualTo(usual.Global1 with
        {
            FlipProbability = 0,
            Brightness = 0.1,
            Contrast = 0.2,
            Saturation = 0.5,
            Hue = 0,
            GrayscaleProbability = 0.6,
            BlurRadiusMin = 1,
            BlurRadiusMax = 1,
            SolarizeProbability = 1,
        }));
        Assert.That((crops.Global2.Contrast, crops.Global2.BlurRadiusMin, crops.Global2.BlurRadiusMax, crops.Global2.SolarizeProbability),
            Is.EqualTo((0.3, 1, 2, 0)));
        Assert.That((crops.Local.Contrast, crops.Local.BlurRadiusMin, crops.Local.BlurRadiusMax, crops.Local.SolarizeProbability),
            Is.EqualTo((0.4, 0, 0.5, 0.7)));
    }

    [TestCase("--jitter-prob takes 1 or 3 numbers, not 2", "--jitter-prob", "0", "1")]
    [TestCase("--jitter-prob must be at least 0 and at most 1, not 1.5", "--jitter-prob", "1.5")]
    [TestCase("--blur-prob must be at least 0 and at most 1, not 1 2 0", "--blur-prob", "1", "2", "0")]
    [TestCase("--hue must be at least 0 and at most 0.5, not 0.6", "--hue", "0.6")]
    [TestCase("--brightness must be at least 0 and at most 1000, not -1", "--brightness", "-1")]
    [TestCase("--blur-radius takes 2 or 6 numbers, not 3", "--blur-radius", "1", "2", "3")]
    [TestCase("--blur-radius takes the smallest radius first and the largest then, not 2 1", "--blur-radius", "1", "2", "2", "1", "1", "2")]
    [TestCase("--blur-radius must be at least 0 and at most 100, not 1 101", "--blur-radius", "1", "101")]
    [TestCase("--crop-ratio needs 2 values, not 1", "--crop-ratio", "1")]
    [TestCase("--crop-ratio takes the smallest ratio first and the largest then, not 2 1", "--crop-ratio", "2", "1")]
    [TestCase("--crop-ratio must be at least 0.0001 and at most 10000, not 0 1", "--crop-ratio", "0", "1")]
    [TestCase("--solarize-threshold needs a whole number, not '0.5'", "--solarize-threshold", "0.5")]
    [TestCase("--solarize-threshold must be at least 0 and at most 256, not 300", "--solarize-threshold", "300")]
    public void WhatCannotBe_IsRefused_ByTheOptionsName(string message, params string[] words)
    {
        var run = Train(words);

        Assert.That(run.Code, Is.EqualTo(ExitCode.Usage), run.Error);
        Assert.That(run.Error, Does.StartWith($"dino train: {message}"));
        Assert.That(run.Error.TrimEnd('\n'), Does.Not.Contain('\n'));
    }

    [Test]
    public void ARunWithAnotherRecipe_IsAnotherRun_AndEachDifferenceIsNamedOnce()
    {
        Assert.That(Train("--jitter-prob", "0").Code, Is.EqualTo(ExitCode.Ok));

        Assert.That(Train("--jitter-prob", "0", "0", "0").Output, Does.Contain("already trained"));
        var run = Train("--blur-radius", "1", "2", "--solarize-prob", "0", "--crop-ratio", "1", "1");
        Assert.That(run.Code, Is.EqualTo(ExitCode.Failure));
        string[] differences = ["--crop-ratio (0.75 1.3333333333333333 then, 1 1 now)", "--jitter-prob (0 then, 0.8 now)",
            "--blur-radius (0.1 2 then, 1 2 now)", "--solarize-prob (0 0.2 0 then, 0 now)"];
        string said = run.Error.Split("with other ")[1].Split(". ")[0];
        Assert.That(differences.Select(one => said.Split(one).Length - 1), Is.All.EqualTo(1), said);
        Assert.That(said.Split("), "), Has.Length.EqualTo(4));
    }

    // A program of before refuses what it does not know, and takes what is missing for what it does.
    [Test]
    public void OfTheUsualRecipe_TheCheckpointSaysNothing_AndWithoutOneItIsMeant()
    {
        string latest = DinoProcess.Train(pictures, output);
        var crops = Checkpoint.ReadInfo(latest).Options["crops"]!.AsObject();

        Assert.That(crops.Select(pair => pair.Key), Is.EquivalentTo(
            ["globalCropsSize", "globalCropsScale", "localCropsNumber", "localCropsSize", "localCropsScale", "cropsNumber"]));
        Assert.That(Checkpoint.ReadInfo(latest).OptionsAs<DinoOptions>().Crops.Views, Is.EqualTo(
            (usual with { GlobalCropsSize = 16, LocalCropsSize = 8, LocalCropsNumber = 2 }).Views));
        var hue = new DinoOptions { Crops = usual with { Local = usual.Local with { Hue = 0 } } };
        var other = CheckpointInfo.Write(hue)["crops"]!.AsObject();
        Assert.That(other.ContainsKey("local") && !other.ContainsKey("global1") && !other.ContainsKey("cropRatio"));
        Assert.That((double)other["local"]!["hue"]!, Is.Zero);
    }

    [Test]
    public void TheHelp_HasThemByThemselves_WithTheirDefaults()
    {
        string help = DinoProcess.Run("train", "--help").Output, views = help.Split("\nViews (", 2)[1].Split("\n\n", 2)[0];

        foreach (var (option, value) in (ReadOnlySpan<(string, string)>)
            [("--crop-ratio", "0.75 1.3333333333333333"), ("--hflip-prob", "0.5"), ("--vflip-prob", "0"), ("--jitter-prob", "0.8"),
                ("--hue", "0.1"), ("--blur-prob", "1 0.1 0.5"), ("--blur-radius", "0.1 2"), ("--solarize-prob", "0 0.2 0"),
                ("--solarize-threshold", "128")])
            Assert.That(views, Does.Match($@"\n  {option} <N> .*\[default: {value}\]"));
        Assert.That(help.Split("\nViews (")[0], Does.Not.Contain("--jitter-prob <").And.Contain("--seed <").And.Contain("--json"));
        Assert.That(help.Split("Examples:")[1], Does.Contain("--jitter-prob 0"));
    }

    private MultiCropOptions CropsOf(params string[] words)
    {
        var run = Train(words);
        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        return Checkpoint.ReadInfo(Path.Combine(output, "latest.safetensors")).OptionsAs<DinoOptions>().Crops;
    }

    private (int Code, string Output, string Error) Train(params string[] more) =>
        DinoProcess.Run(["train", "--data", pictures.Root, "--output-dir", output, .. DinoProcess.TinyOptions, .. more]);
}
