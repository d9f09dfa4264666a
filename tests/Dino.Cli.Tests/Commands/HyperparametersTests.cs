using System.Globalization;
using System.Reflection;
using Dino.Cli.Arguments;
using Dino.Model;
using Dino.Pictures.Transforms;
using Dino.Testing.Runs;
using Dino.Train.Methods.Dino;
using Dino.Train.Options;
using NUnit.Framework;

namespace Dino.Cli.Tests.Commands;

/// <summary>One table says of every hyperparameter what it may be; the command line, the check and the help follow it.</summary>
public class HyperparametersTests
{
    private static IEnumerable<Hyperparameter> All => DinoHyperparameters.All;

    private static IEnumerable<Hyperparameter> Bounded => All.Where(one => one.Limits is not null);

    [Test]
    public void EveryPropertyOfARun_IsInTheTable()
    {
        // The grid of positions is that of the global crops; the rest of the network is not of DINO's command line.
        string[] network =
            [nameof(ViTConfig.Patch), nameof(ViTConfig.Channels), nameof(ViTConfig.Dim), nameof(ViTConfig.Depth), nameof(ViTConfig.Heads),
                nameof(ViTConfig.DropPathRate)];
        string[] recipes = [nameof(MultiCropOptions.Global1), nameof(MultiCropOptions.Global2), nameof(MultiCropOptions.Local)];
        string[] parts = [nameof(DinoOptions.Head), nameof(DinoOptions.Crops), nameof(DinoOptions.Preprocessing)];
        string[] wanted =
        [
            .. network.Select(name => $"Backbone.{name}"), .. Settable(typeof(DinoOptions)).Except(parts),
            .. Settable(typeof(DinoHeadConfig)).Select(name => $"Head.{name}"),
            .. Settable(typeof(MultiCropOptions)).Except(recipes).Select(name => $"Crops.{name}"),
            .. from view in recipes from name in Settable(typeof(Recipe)) select $"Crops.{view}.{name}",
        ];

        Assert.That(All.SelectMany(one => one.Parts.Count > 0 ? one.Parts : [one.Property]), Is.EquivalentTo(wanted));
        Assert.That(All.Select(one => OptionNames.Of(one.Property)), Is.Unique);
        Assert.That(() => new DinoOptions().Validate(), Throws.Nothing);
        foreach (string preset in DinoPresets.Names)
            Assert.That(() => DinoPresets.Named(preset).Validate(), Throws.Nothing);
    }

    [TestCaseSource(nameof(All))]
    public void ItSetsWhatItGets_AndNothingElse(Hyperparameter one)
    {
        var start = new DinoOptions();
        var changed = one switch
        {
            Hyperparameter<int> x => x.With(start, x.Get(start) + 1),
            Hyperparameter<float> x => x.With(start, 0.25f),
            Hyperparameter<double> x => x.With(start, x.Get(start) + 0.001),
            Hyperparameter<bool> x => x.With(start, !x.Get(start)),
            Hyperparameter<ulong> x => x.With(start, 7),
            Hyperparameter<OptimizerKind> x => x.With(start, OptimizerKind.Lars),
            Hyperparameter<CropScale> x => x.With(start, new CropScale(0.3, 0.35)),
            Hyperparameter<CropRatio> x => x.With(start, new CropRatio(0.9, 1)),
            Hyperparameter<double[]> x => x.With(start, [.. Enumerable.Range(1, x.Counts[^1]).Select(i => 0.01 * i)]),
            Hyperparameter<int[]> x => x.With(start, [7, 8, 256]),
            Hyperparameter<string> x => x.With(start, "vit_tiny"),
            _ => throw new InvalidOperationException(one.Property),
        };

        Assert.That(one.Text(changed), Is.Not.EqualTo(one.Text(start)));
        string[] architecture = ["Backbone", "Backbone.Dim", "Backbone.Depth", "Backbone.Heads"];
        foreach (var other in All.Where(other => other != one
            && !(architecture.Contains(one.Property) && architecture.Contains(other.Property))))
            Assert.That(other.Text(changed), Is.EqualTo(other.Text(start)), other.Property);
    }

    [TestCaseSource(nameof(Bounded))]
    public void OutsideItsLimits_ItIsRefused_WithWhatItMayBe(Hyperparameter one)
    {
        var limits = one.Limits!;
        string least = Word(limits.IsAbove ? limits.Least : limits.Least - 1, one);
        foreach (string word in (string[])[least,
            .. double.IsFinite(limits.Most) ? [Word(limits.IsBelow ? limits.Most : limits.Most + 1, one)] : Array.Empty<string>()])
        {
            using var pictures = new PictureFolder();
            pictures.Write("a.png", PictureFolder.Encode("a.png", PictureFolder.Pattern(1, 24, 20)));
            string[] words = [.. Enumerable.Repeat(word, one is Hyperparameter<CropScale> ? 2 : one.Counts.FirstOrDefault(1))];
            var run = DinoProcess.Run(["train", "--data", pictures.Root, "--output-dir", Path.Combine(pictures.Root, "run"),
                OptionNames.Of(one.Property), .. words]);

            Assert.That(run.Code, Is.EqualTo(ExitCode.Usage), run.Error);
            Assert.That(run.Error, Does.Contain($"{OptionNames.Of(one.Property)} must be {limits}, not {word}"));
            Assert.That(run.Error.TrimEnd('\n'), Does.Not.Contain('\n'));
        }
    }

    [TestCase("--lr", "5", "is above 1; the paper's is 0.0005")]
    [TestCase("--lr", "1.5", "is above 1")]
    [TestCase("--min-lr", "2", "is above 1")]
    [TestCase("--teacher-temp", "7", "is above 1")]
    [TestCase("--teacher-temp", "0.2", "is not below --student-temp 0.1")]
    [TestCase("--student-temp", "0.04", "is not below --student-temp 0.04")]
    [TestCase("--momentum-teacher", "0.004", "is below 0.5")]
    [TestCase("--weight-decay", "4", "is above 1")]
    [TestCase("--weight-decay-end", "4", "is above 1")]
    [TestCase("--drop-path-rate", "0.9", "is above 0.5")]
    [TestCase("--min-lr", "0.5", "is above --lr")]
    public void WhatNobodyMeans_IsAsked_AndDone(string option, string value, string reason)
    {
        using var pictures = TinyRun.MakePictures();
        string[] tiny = [.. DinoProcess.TinyOptions];
        var run = DinoProcess.Run(["train", "--data", pictures.Root, "--output-dir", Path.Combine(pictures.Root, "run"), "--plan", .. tiny,
            option, value]);

        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        Assert.That(run.Error, Does.StartWith("warning: ").And.Contain(reason).And.EndWith("Is it meant?\n"));
    }

    [Test]
    public void WhatIsUsual_IsNotAsked()
    {
        Assert.That(new DinoOptions().Warnings(), Is.Empty);
        foreach (string preset in DinoPresets.Names)
            Assert.That(DinoPresets.Named(preset).Warnings(), Is.Empty, preset);
        Assert.That(new DinoOptions { Lr = 1 }.Warnings(), Is.Empty);
    }

    [Test]
    public void AMessageOfALibrary_NamesOptions_AndNothingElseOfItIsTouched()
    {
        Assert.That(
            OptionNames.InText("`Head.OutDim` 5 of `UseBatchNorm` in `C:.Lr`, `Folder`, `lr` and Lr"),
            Is.EqualTo("--out-dim 5 of --use-bn-in-head in `C:.Lr`, `Folder`, `lr` and Lr"));
    }

    [Test]
    public void OptionsThatContradictEachOther_AreBothNamed()
    {
        Assert.That(Fault(new DinoOptions { Backbone = new ViTConfig { Heads = 5 } }),
            Does.Contain("--embed-dim 384").And.Contain("--num-heads 5"));
        Assert.That(Fault(new DinoOptions { WarmupEpochs = 200 }), Does.Contain("--warmup-epochs").And.Contain("--epochs (100)"));
        Assert.That(Fault(new DinoOptions { Crops = new MultiCropOptions { LocalCropsSize = 8 } }),
            Does.Contain("--local-crops-size 8").And.Contain("--patch-size"));
        Assert.That(Fault(new DinoOptions { Crops = new MultiCropOptions { LocalCropsScale = new CropScale(0.5, 0.1) } }),
            Does.Contain("--local-crops-scale"));

        static string Fault(DinoOptions options) => OptionNames.InText(Assert.Throws<HyperparameterException>(options.Validate)!.Message);
    }

    private static IEnumerable<string> Settable(Type type) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite)
            .Select(property => property.Name);

    private static string Word(double value, Hyperparameter one) =>
        one is Hyperparameter<int> or Hyperparameter<int[]> ? ((long)value).ToString(CultureInfo.InvariantCulture)
            : value.ToString(CultureInfo.InvariantCulture);
}
