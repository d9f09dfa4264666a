using Dino.Cli.Arguments;
using Dino.Pictures.DataSets;
using Dino.Pictures.Transforms;
using Dino.Testing.Runs;
using Dino.Train;
using Dino.Train.Methods.Dino;
using Dino.Train.Runs;
using NUnit.Framework;

namespace Dino.Cli.Tests.Commands;

/// <summary>What makes a run the same one: an old result is never handed out as that of other pictures, weights or options.</summary>
public class SameRunTests
{
    private PictureFolder pictures = null!;
    private string scratch = null!, output = null!;

    [SetUp]
    public void MakeFolders()
    {
        pictures = TinyRun.MakePictures(8);
        scratch = Directory.CreateTempSubdirectory("dino-same-").FullName;
        output = Path.Combine(scratch, "run");
    }

    [TearDown]
    public void DeleteFolders()
    {
        pictures.Dispose();
        Directory.Delete(scratch, recursive: true);
    }

    [Test]
    public void TheSameCommandAgain_SaysThatItIsDone_AndChangesNothing()
    {
        var (latest, before) = Trained();

        var run = Train();

        Assert.That((run.Code, run.Error), Is.EqualTo((ExitCode.Ok, "")));
        Assert.That(run.Output, Does.Contain($"already trained 4 steps of the same run: {latest}"));
        Assert.That(File.ReadAllBytes(latest), Is.EqualTo(before));
    }

    [Test]
    public void ReplacedPictures_AreRefused_AndNamed_WhateverTheirTimes()
    {
        Trained();
        string path = pictures.PathOf("odd/003.png");
        byte[] bytes = File.ReadAllBytes(path);
        var time = File.GetLastWriteTimeUtc(path);
        bytes[^20] ^= 1; // the same size
        File.WriteAllBytes(path, bytes);
        File.SetLastWriteTimeUtc(path, time);

        AssertRefused(Train(), "pictures (8 of the same names and sizes, with other contents)", "1 of another content: odd/003.png");
    }

    [Test]
    public void AnotherDataSetOfEqualSize_IsRefused()
    {
        Trained();
        using var other = TinyRun.MakePictures(7);
        other.WritePicture("even/9.png", 9, 24, 20);

        AssertRefused(Train(other.Root, []), "pictures (8 as before, with other names or sizes)", "1 new: even/9.png; 1 gone: odd/007.png");
    }

    [Test]
    public void ACopyOfThePictures_IsTheSameDataSet_AndSaidToHaveOtherTimes()
    {
        Trained();
        foreach (string file in Directory.GetFiles(pictures.Root, "*", SearchOption.AllDirectories))
            File.SetLastWriteTimeUtc(file, new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));

        var run = Train();

        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        Assert.That(run.Output, Does.Contain("already trained").And.Contain("other times").And.Contain("the same contents"));
    }

    [Test]
    public void AnotherInit_OrNone_IsRefused()
    {
        string first = DinoProcess.Train(pictures, Path.Combine(scratch, "first"), "--seed", "1");
        string second = DinoProcess.Train(pictures, Path.Combine(scratch, "second"), "--seed", "2");
        Assert.That(Train("--init", first).Code, Is.EqualTo(ExitCode.Ok));

        Assert.That(Train("--init", first).Output, Does.Contain("already trained"));
        string moved = Path.Combine(scratch, "moved.safetensors");
        File.Copy(first, moved);
        Assert.That(Train("--init", moved).Output, Does.Contain("already trained"), "the content counts, not the path");
        AssertRefused(Train("--init", second), $"first weights ({first}, SHA-256 ", $"then, {second}, SHA-256 ");
        AssertRefused(Train("--preset", "adapt", "--center-warmup", "16"), "first weights", "those of the seed now");
    }

    [Test]
    public void OtherOptions_AreRefusedByTheirNames()
    {
        Trained();

        AssertRefused(Train("--lr", "0.25", "--hidden-dim", "32", "--seed", "5"), "--hidden-dim (16 then, 32 now)",
            "--lr (0.0005 then, 0.25 now)", "--seed (0 then, 5 now)");
        AssertRefused(Train("--epochs", "1"), "--epochs (2 then, 1 now)");
        var same = Train("--num-workers", "2", "--cache-mb", "1", "--saveckp-freq", "7", "--threads", "1");
        Assert.That(same.Output, Does.Contain("already trained"), same.Error);
    }

    [Test]
    public void AnotherLimitOfPictures_IsAnotherDataSet()
    {
        Assert.That(Train("--max-megapixels", "0.001").Code, Is.EqualTo(ExitCode.Ok));

        Assert.That(Train("--max-megapixels", "0.001").Output, Does.Contain("already trained"));
        AssertRefused(Train(), "--max-megapixels (0.001 then, 179 now)");
        AssertRefused(Train("--max-megapixels", "0.002"), "--max-megapixels (0.001 then, 0.002 now)");
    }

    [Test]
    public void EveryHyperparameter_IsNamedByAnOptionThatThereIs()
    {
        var options = Program.Commands.Single(command => command.Name == "train").Options.Select(option => option.Name).ToHashSet();
        foreach (var (prefix, type) in new[] { ("", typeof(DinoOptions)), ("Head.", typeof(Model.DinoHeadConfig)),
            ("Crops.", typeof(MultiCropOptions)) })
        {
            foreach (var property in type.GetProperties()
                .Where(p => p.CanWrite && (p.PropertyType.IsValueType || p.PropertyType == typeof(string))))
                Assert.That(options, Does.Contain(OptionNames.Of(prefix + property.Name)), property.Name);
        }
    }

    [Test]
    public void MoreEpochs_MakeTheRunLonger_WhichIsSaid_AndNoted()
    {
        var (latest, _) = Trained();

        var run = Train("--epochs", "4");

        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        Assert.That(run.Output, Does.Contain("the run of 2 epochs is made longer at step 4").And.Contain("learning rate")
            .And.Contain("trained 8 steps"));
        Assert.That(run.Output, Does.Contain("not the run that 4 epochs from the start would have been"));
        var info = Checkpoint.ReadInfo(latest);
        Assert.That((info.Step, info.OptionsAs<DinoOptions>().Epochs), Is.EqualTo((8L, 4)));
        Assert.That(info.Grown, Is.EqualTo([new GrownRun(4, 2, 4)]));
        Assert.That(Train("--epochs", "4").Output, Does.Contain("already trained 8 steps"));
        AssertRefused(Train(), "--epochs (4 then, 2 now)");
    }

    [Test]
    public void Restart_BeginsAnew_AndNothingOfTheEarlierRunPassesForItsOwn()
    {
        string other = DinoProcess.Train(pictures, Path.Combine(scratch, "other"), "--seed", "1");
        Assert.That(Train("--init", other, "--saveckp-freq", "1").Code, Is.EqualTo(ExitCode.Ok));
        Assert.That(File.Exists(Path.Combine(output, "init.json")));

        var run = Train("--restart", "--seed", "3");

        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        Assert.That(run.Output, Does.Contain("trained 4 steps").And.Contain("checkpoints of an earlier run").And.Not.Contain("already"));
        Assert.That(File.Exists(Path.Combine(output, "init.json")), Is.False);
        Assert.That(File.ReadAllBytes(Path.Combine(output, "latest.safetensors")),
            Is.EqualTo(File.ReadAllBytes(DinoProcess.Train(pictures, Path.Combine(scratch, "fresh"), "--seed", "3"))));
    }

    [Test]
    public void ARunOfTheLibrary_ThatWasNotResumed_RefusesToReplaceOne()
    {
        var (latest, before) = Trained();
        using var device = Dino.Tensors.Device.Open("cpu");
        var folder = ImageFolder.Scan(pictures.Root);
        using var trainer = new Trainer(TinyRun.Options, new RunOptions { OutputDir = output }, device, folder, new SkippedFiles());

        Assert.That(() => trainer.Run(new StepDisplay(_ => { }), default),
            Throws.TypeOf<RunException>().With.Message.Contains("holds a run already"));
        Assert.That(File.ReadAllBytes(latest), Is.EqualTo(before));
    }

    [Test]
    public void AStaleOrMissingCopyOfTheCheckpointsWords_AndLeftovers_AreMended()
    {
        var (latest, _) = Trained();
        string copy = Path.ChangeExtension(latest, ".json"), whole = File.ReadAllText(copy);
        File.WriteAllText(copy, whole.Replace("\"step\": 4", "\"step\": 2", StringComparison.Ordinal));
        File.WriteAllText(Path.Combine(output, ".checkpoint0020.safetensors.tmp"), "half");
        File.WriteAllText(Path.Combine(output, ".notes.tmp"), "mine");

        Assert.That(Train().Code, Is.EqualTo(ExitCode.Ok));

        Assert.That(File.ReadAllText(copy), Is.EqualTo(whole));
        Assert.That(Directory.GetFiles(output, ".*").Select(Path.GetFileName), Is.EqualTo([".notes.tmp"]));
        File.Delete(copy);
        Assert.That(Train().Code, Is.EqualTo(ExitCode.Ok));
        Assert.That(File.ReadAllText(copy), Is.EqualTo(whole));
    }

    [Test]
    public void ACheckpointOfAnOlderVersion_GoesOn_AndItIsSaidWhatIsNotKnown()
    {
        var (latest, _) = Trained();
        using (var file = Tensors.Io.SafetensorsFile.Read(latest))
        {
            var info = System.Text.Json.Nodes.JsonNode.Parse(file.Metadata["dino"])!.AsObject();
            foreach (string key in (string[])["data", "arithmetic"])
                Assert.That(info.Remove(key), key);
            info["format"] = 1;
            var entries = file.Names.Select(name =>
                Tensors.Io.TensorEntry.Of(name, [.. file.Shape(name).Select(extent => (int)extent)], file.Floats(name))).ToList();
            Tensors.Io.SafetensorsFile.Write(Path.Combine(scratch, "old"), entries,
                new Dictionary<string, string> { ["dino"] = info.ToJsonString() });
        }
        File.Move(Path.Combine(scratch, "old"), latest, overwrite: true);

        var run = Train();

        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        Assert.That(run.Output, Does.Contain("already trained").And.Contain("older version"));
    }

    private (string Latest, byte[] Bytes) Trained()
    {
        string latest = DinoProcess.Train(pictures, output);
        return (latest, File.ReadAllBytes(latest));
    }

    private (int Code, string Output, string Error) Train(params string[] more) => Train(pictures.Root, more);

    private (int Code, string Output, string Error) Train(string data, string[] more)
    {
        // What is given twice is given once: the later one.
        var words = DinoProcess.TinyOptions.Chunk(2).Where(pair => !more.Contains(pair[0])).SelectMany(pair => pair);
        return DinoProcess.Run(["train", "--data", data, "--output-dir", output, .. words, .. more]);
    }

    private void AssertRefused((int Code, string Output, string Error) run, params string[] parts)
    {
        Assert.That(run.Code, Is.EqualTo(ExitCode.Failure), run.Output + run.Error);
        Assert.That(run.Error.TrimEnd('\n'), Does.Not.Contain("\n"));
        foreach (string part in (string[])[.. parts, "--restart", "--output-dir", "--init " + Path.Combine(output, "latest.safetensors")])
            Assert.That(run.Error, Does.Contain(part));
    }
}
