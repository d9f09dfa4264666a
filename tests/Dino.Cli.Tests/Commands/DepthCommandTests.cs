using System.Runtime.InteropServices;
using System.Text.Json;
using Dino.Cli.Arguments;
using Dino.Model;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Tensors.Io;
using Dino.Testing;
using Dino.Testing.Runs;
using Dino.Train.Methods.Dino;
using Dino.Train.Runs;
using NUnit.Framework;

namespace Dino.Cli.Tests.Commands;

/// <summary>
/// Networks of deep pictures and of bands, from the folder to features; what is said of depth, and what a checkpoint keeps.
/// </summary>
public class DepthCommandTests
{
    // Squares of 16 are cut of pictures whose shorter side is 18, without a resize.
    private const int Size = 16, Side = 18, Count = 8;

    private PictureFolder pictures = null!;
    private string scratch = null!, output = null!;

    [SetUp]
    public void MakeFolders()
    {
        pictures = TinyRun.MakePictures(0);
        scratch = Directory.CreateTempSubdirectory("dino-depth-").FullName;
        output = Path.Combine(scratch, "run");
    }

    [TearDown]
    public void DeleteFolders()
    {
        pictures.Dispose();
        Directory.Delete(scratch, recursive: true);
    }

    [TestCase(1, "png")]
    [TestCase(3, "png")]
    [TestCase(4, "png")]
    [TestCase(5, "tif")]
    public void FromTwelveBitsInSixteen_ToFeatures(int channels, string ending)
    {
        Fill(channels, ending);
        string latest = Trained("--channels", $"{channels}", "--range", "0,4095");

        var stored = Checkpoint.ReadInfo(latest).OptionsAs<DinoOptions>().Preprocessing!;
        Assert.That((stored.Decode, stored.Range), Is.EqualTo((DecodeMode.Fast, new ValueRange(0, 4095))));
        for (int c = 0; c < channels; c++)
        {
            double[] values = [.. from i in Enumerable.Range(0, Count)
                                  from y in Enumerable.Range(0, Side)
                                  from x in Enumerable.Range(0, Side)
                                  select DeepPictures.Value(i, c, x, y) / 4095.0];
            double mean = values.Average();
            Assert.That(stored.Mean![c], Is.EqualTo(mean).Within(1e-6));
            Assert.That(stored.Std![c], Is.EqualTo(Math.Sqrt(values.Average(value => (value - mean) * (value - mean)))).Within(1e-6));
        }
        using var embedder = Embedder.Open(latest, Devices.Open("cpu"));
        float[] expected = [.. Enumerable.Range(0, Count).SelectMany(i => embedder.Embed(
        [
            .. from c in Enumerable.Range(0, channels) from y in Enumerable.Range(1, Size) from x in Enumerable.Range(1, Size)
               select (DeepPictures.Value(i, c, x, y) / 4095f - (float)stored.Mean![c]) / (float)stored.Std![c],
        ]))];
        Assert.That(Features(latest), Is.EqualTo(expected).And.Not.All.EqualTo(0));
        string[] paths = [.. Enumerable.Range(0, Count).Select(i => pictures.PathOf($"a/{i}.{ending}"))];
        Assert.That(embedder.Embed(paths), Is.EqualTo(expected));
        Assert.That(Features(latest, "--range", "0,65535"), Is.Not.EqualTo(expected), "another range is another picture");
        var attend = DinoProcess.Run("attend", latest, pictures.Root, "--limit", "1", "--device", "cpu", "--output-dir",
            Path.Combine(scratch, "maps"));
        Assert.That(attend.Code, Is.EqualTo(ExitCode.Ok), attend.Error);
    }

    [Test]
    public void FourChannelsOf8Bits_AreTrained_AndTheirNumbersMeasured()
    {
        for (int i = 0; i < Count; i++)
        {
            var picture = RgbaPictures.Rgba(Side, Side);
            picture.Pixels[0] = (byte)i;
            RgbaPictures.WriteRgba(pictures.PathOf($"a/{i}.png"), picture);
        }
        string latest = Trained("--channels", "4");
        var stored = Checkpoint.ReadInfo(latest).OptionsAs<DinoOptions>().Preprocessing!;
        double[] opacities =
            [.. Enumerable.Range(0, Side * Side).Select(i => RgbaPictures.Rgba(Side, Side).Opacity!.Pixels[3 * i] / 255.0)];
        Assert.That((stored.Range, stored.Mean!.Count), Is.EqualTo(((ValueRange?)null, 4)));
        Assert.That(stored.Mean[3], Is.EqualTo(opacities.Average()).Within(1e-6));
        Assert.That(Features(latest), Is.Not.All.EqualTo(0));
    }

    [Test]
    public void ARunThatBeginsWithANetworkOfARange_TakesIts()
    {
        Fill(1, "png");
        string latest = Trained("--channels", "1", "--range", "0,4095"), second = Path.Combine(scratch, "second");
        string[] again = ["train", "--data", pictures.Root, "--output-dir", second, "--init", latest, .. DinoProcess.TinyOptions];
        var begun = DinoProcess.Run(again);
        Assert.That(begun.Code, Is.EqualTo(ExitCode.Ok), begun.Error);
        Assert.That(begun.Output, Does.Contain("range 0 … 4095: that of the network of --init").And.Not.Contain("by channel"));
        string there = Path.Combine(second, RunFiles.Latest);
        Assert.That(
            Checkpoint.ReadInfo(there).OptionsAs<DinoOptions>().Preprocessing,
            Is.EqualTo(Checkpoint.ReadInfo(latest).OptionsAs<DinoOptions>().Preprocessing));
        Assert.That(DinoProcess.Run(again).Output, Does.Contain("already trained"));
        var own = DinoProcess.Run([.. again, "--range", "0,8191", "--restart"]);
        Assert.That(own.Output, Does.Contain("by channel").And.Not.Contain("that of the network"), own.Error);
    }

    [Test]
    public void ARunWithAMeasuredRange_GoesOnWithWhatItMeasured()
    {
        Fill(1, "png");
        string[] options = ["--channels", "1", "--range", "auto"];
        var first = Train(options);
        Assert.That(first.Code, Is.EqualTo(ExitCode.Ok), first.Error);
        Assert.That(first.Output, Does.Match(@"range [0-9.]+ … [0-9.]+ \(0\.5th and 99\.5th percentile of 8 pictures\)")
            .And.Contain("(of 8 pictures, by channel)"));

        var again = Train(options);
        Assert.That(again.Output, Does.Contain("already trained").And.Not.Contain("percentile").And.Not.Contain("by channel"), again.Error);
        var other = Train("--channels", "1", "--range", "0,4095");
        Assert.That(other.Code, Is.EqualTo(ExitCode.Failure));
        Assert.That(other.Error, Does.Contain("--range (").And.Contain("then, 0,4095 now)"));
    }

    [Test]
    public void ItsOptions_HaveWhatWasMeasured_AndBeginTheSameRun()
    {
        Fill(3, "png");
        string latest = Trained("--range", "auto", "--decode", "exact");
        string args = Path.Combine(output, "args.json"), second = Path.Combine(scratch, "second");
        var run = DinoProcess.Run("train", "--args", args, "--output-dir", second);
        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        Assert.That(run.Output, Does.Not.Contain("percentile"));
        Assert.That(File.ReadAllBytes(Path.Combine(second, "latest.safetensors")), Is.EqualTo(File.ReadAllBytes(latest)));

        string dark = Path.Combine(scratch, "dark.png"), light = Path.Combine(scratch, "light.png");
        Assert.That(DinoProcess.Run("augment", pictures.PathOf("a/0.png"), "--output", dark).Code, Is.EqualTo(ExitCode.Ok));
        Assert.That(
            DinoProcess.Run("augment", pictures.PathOf("a/0.png"), "--args", args, "--output", light).Code, Is.EqualTo(ExitCode.Ok));
        Assert.That(File.ReadAllBytes(light), Is.Not.EqualTo(File.ReadAllBytes(dark)));
    }

    [Test]
    public void ARunGoesOnAsItsFilesWereRead_UnlessToldOtherwise()
    {
        Fill(3, "png");
        string latest = Trained();
        Assert.That(Checkpoint.ReadInfo(latest).OptionsAs<DinoOptions>().Preprocessing, Is.EqualTo(new Preprocessing { Decode = DecodeMode.Fast }));
        Assert.That(Checkpoint.ReadInfo(latest).Format, Is.EqualTo(3));
        Assert.That(Train().Output, Does.Contain("already trained"));
        Assert.That(Train("--decode", "exact").Error, Does.Contain("--decode (fast then, exact now)"));

        Assert.That(Train("--restart", "--decode", "exact").Code, Is.EqualTo(ExitCode.Ok));
        var info = Checkpoint.ReadInfo(latest);
        Assert.That((info.Format, info.Options.ContainsKey("preprocessing")), Is.EqualTo((2, false)), "as older programs write it");
        Assert.That(Train().Output, Does.Contain("already trained"), "as runs of older programs go on");
        Assert.That(Train("--decode", "fast").Error, Does.Contain("--decode (exact then, fast now)"));
    }

    [Test]
    public void WhatADepthLoses_IsSaid()
    {
        Fill(1, "png");
        string latest = Trained();
        int highest = Enumerable.Range(0, Count).Max(
            i => Enumerable.Range(0, Side * Side).Max(at => DeepPictures.Value(i, 0, at % Side, at / Side)));
        string what = $"8 of 8 pictures have 16 bits, of which the upper 8 are used; their values go to {highest}: ";
        Assert.That(Train("--restart").Error, Does.Contain(what + "give --range 0,4095 or --range auto"));
        Assert.That(FeaturesRun(latest, out _).Error, Does.Contain(what));

        pictures.WritePicture("a/9.jpg", 1);
        Assert.That(Train("--restart", "--range", "0,4095").Error,
            Does.Contain("1 of 9 pictures have 8 bits: in the range 0 … 4095 they are nearly black"));
        using var plain = TinyRun.MakePictures(4);
        Assert.That(
            DinoProcess.Run(["train", "--data", plain.Root, "--output-dir", Path.Combine(scratch, "plain"), .. DinoProcess.TinyOptions])
                .Error,
            Is.Empty);

        using var floats = new PictureFolder();
        for (int i = 0; i < 4; i++)
            floats.Write($"{i}.tif", DeepPictures.Tiff(Side, Side, 1, 32, (_, x, y) => x * y / 4.0 - 1));
        Assert.That(
            DinoProcess.Run(["train", "--data", floats.Root, "--output-dir", Path.Combine(scratch, "floats"), .. DinoProcess.TinyOptions])
                .Error,
            Does.Contain("4 of 4 pictures hold floating-point numbers, of which 0 … 1 is taken; their values go from -1 to 71.25"));
    }

    [TestCase("--range", "4095")]
    [TestCase("--range", "4095,0")]
    [TestCase("--range", "0,x")]
    [TestCase("--range", "0,1e99")]
    [TestCase("--mean", "0.5")]
    [TestCase("--augment", "device", "--range", "0,4095")]
    [TestCase("--decode", "quick")]
    public void OptionsThatMakeNoSense_AreNamed(params string[] options)
    {
        Fill(3, "png");
        var run = Train(options);
        Assert.That((run.Code, File.Exists(Path.Combine(output, "latest.safetensors"))), Is.EqualTo((ExitCode.Usage, false)), run.Error);
        Assert.That(run.Error, Does.Contain(options[0]));
    }

    [Test]
    public void MeanAndDeviation_AreTakenAsGiven_AndARangeMayBeginBelow0()
    {
        Fill(1, "png");
        string latest = Trained("--channels", "1", "--range", "-100,5000", "--mean", "0.25", "--std", "0.5");
        Assert.That(Checkpoint.ReadInfo(latest).OptionsAs<DinoOptions>().Preprocessing, Is.EqualTo(
            new Preprocessing { Decode = DecodeMode.Fast, Range = new(-100, 5000), Mean = [0.25], Std = [0.5] }));

        const string inputs = "range -100 … 5000, mean 0.25, deviation 0.5, read fast in training";
        Assert.That(DinoProcess.Run("inspect", latest).Output, Does.Contain("pictures: " + inputs));
        var stored = JsonDocument.Parse(DinoProcess.Run("inspect", latest, "--json").Output).RootElement.GetProperty("preprocessing");
        Assert.That(stored.GetProperty("range").EnumerateArray().Select(number => number.GetDouble()), Is.EqualTo([-100.0, 5000]));
        Assert.That(DinoProcess.Run("export", latest, Path.Combine(scratch, "a.safetensors")).Output, Does.Contain(inputs));
    }

    [Test]
    public void ACheckpointThatStatesImpossibleNumbers_IsRefused()
    {
        Fill(1, "png");
        string latest = Trained("--channels", "1", "--range", "0,4095");
        using (var file = SafetensorsFile.Read(latest))
        {
            var entries = file.Names.Select(name =>
                TensorEntry.Of(name, [.. file.Shape(name).Select(extent => (int)extent)], file.Floats(name))).ToList();
            var info = System.Text.Json.Nodes.JsonNode.Parse(file.Metadata["dino"])!.AsObject();
            info["options"]!["preprocessing"]!["std"] = new System.Text.Json.Nodes.JsonArray(0.5, 0.5);
            SafetensorsFile.Write(Path.Combine(scratch, "altered.safetensors"), entries,
                new Dictionary<string, string> { ["dino"] = info.ToJsonString() });
        }
        var run = DinoProcess.Run("features", Path.Combine(scratch, "altered.safetensors"), pictures.Root, "--device", "cpu");
        Assert.That(run.Code, Is.EqualTo(ExitCode.Failure), run.Error);
        Assert.That(run.Error, Does.Contain("contradicts itself").And.Contain("preprocessing"));
    }

    private void Fill(int channels, string ending)
    {
        for (int i = 0; i < Count; i++)
        {
            int number = i;
            int Value(int c, int x, int y) => DeepPictures.Value(number, c, x, y);
            pictures.Write($"a/{i}.{ending}", ending == "png" ? DeepPictures.Png(Side, Side, channels, Value)
                : DeepPictures.Tiff(Side, Side, channels, 16, (c, x, y) => Value(c, x, y)));
        }
    }

    private string Trained(params string[] options)
    {
        var run = Train(options);
        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        return Path.Combine(output, "latest.safetensors");
    }

    private (int Code, string Output, string Error) Train(params string[] options) =>
        DinoProcess.Run(["train", "--data", pictures.Root, "--output-dir", output, .. DinoProcess.TinyOptions, .. options]);

    private (int Code, string Output, string Error) FeaturesRun(string latest, out string folder, params string[] options)
    {
        folder = Path.Combine(scratch, Guid.NewGuid().ToString("N"));
        return DinoProcess.Run(["features", latest, pictures.Root, "--device", "cpu", "--output-dir", folder, .. options]);
    }

    private float[] Features(string latest, params string[] options)
    {
        var run = FeaturesRun(latest, out string folder, options);
        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        byte[] bytes = File.ReadAllBytes(Path.Combine(folder, "features.npy"));
        return MemoryMarshal.Cast<byte, float>(bytes.AsSpan(NpyFile.HeaderLength)).ToArray();
    }
}
