using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Testing.Runs;
using Dino.Train.Methods.Dino;
using Dino.Train.Runs;
using NUnit.Framework;

namespace Dino.Train.Tests.Training;

/// <summary>Runs over deep pictures and bands: what decides on their crops is kept, compared, and the same after a stop.</summary>
public class DepthResumeTests
{
    private PictureFolder pictures = null!;
    private string scratch = null!;

    [SetUp]
    public void MakeFolders()
    {
        pictures = TinyRun.MakePictures(0);
        scratch = Directory.CreateTempSubdirectory("dino-deep-").FullName;
    }

    [TearDown]
    public void DeleteFolders()
    {
        pictures.Dispose();
        Directory.Delete(scratch, recursive: true);
    }

    [Test]
    public void StoppedAndResumed_IsTheSameRun([Values(1, 3, 5)] int channels)
    {
        var options = Options(channels);
        string whole = Path.Combine(scratch, "whole"), parts = Path.Combine(scratch, "parts");
        TinyRun.Run(options, pictures.Root, whole, workers: 3);

        using (var stop = new CancellationTokenSource())
        {
            var display = new StepDisplay(step =>
            {
                if (step == 3)
                    stop.Cancel();
            });
            Assert.That(
                () => TinyRun.Run(options, pictures.Root, parts, 2, display, stop.Token), Throws.InstanceOf<OperationCanceledException>());
        }
        TinyRun.Run(options, pictures.Root, parts);

        Assert.That(
            File.ReadAllBytes(Path.Combine(parts, RunFiles.Latest)), Is.EqualTo(File.ReadAllBytes(Path.Combine(whole, RunFiles.Latest))));
        var stored = Checkpoint.ReadInfo(Path.Combine(parts, RunFiles.Latest)).OptionsAs<DinoOptions>();
        Assert.That(stored.Preprocessing, Is.EqualTo(options.Preprocessing));
    }

    [Test]
    public void AnotherPreprocessing_IsRefusedByName()
    {
        var options = Options(1);
        TinyRun.Run(options, pictures.Root, scratch);
        var other = options.Preprocessing! with { Decode = DecodeMode.Exact, Range = new(0, 255), Mean = [0.25] };
        Assert.That(
            () => TinyRun.Run(options with { Preprocessing = other }, pictures.Root, scratch),
            Throws.TypeOf<RunException>().With.Message.Contains("`Preprocessing.Decode` (fast then, exact now)")
                .And.Message.Contains("`Preprocessing.Range` (0,4095 then, 0,255 now)")
                .And.Message.Contains("`Preprocessing.Mean` (0.5 then, 0.25 now)"));
        Assert.That(
            () => TinyRun.Run(options with { Preprocessing = null }, pictures.Root, scratch),
            Throws.TypeOf<RunException>().With.Message.Contains("`Preprocessing.Range` (0,4095 then, none now)"));
    }

    [Test]
    public void BandsWithoutMeanAndDeviation_AreRefusedBeforeTheFirstStep()
    {
        var options = Options(5) with { Preprocessing = null };
        Assert.That(() => TinyRun.Run(options, pictures.Root, scratch), Throws.ArgumentException.With.Message.Contains("not 5"));
    }

    private DinoOptions Options(int channels)
    {
        for (int i = 0; i < 8; i++)
        {
            int number = i;
            double Value(int c, int x, int y) => DeepPictures.Value(number, c, x, y);
            pictures.Write($"a/{i}.tif", DeepPictures.Tiff(20, 18, channels, 16, Value));
        }
        return TinyRun.Options with
        {
            Backbone = TinyRun.Options.Backbone with { InputChannels = channels },
            Preprocessing = new Preprocessing
            {
                Decode = DecodeMode.Fast,
                Range = new(0, 4095),
                Mean = [.. Enumerable.Repeat(0.5, channels)],
                Std = [.. Enumerable.Repeat(0.25, channels)],
            },
        };
    }
}
