using System.Text.RegularExpressions;
using Dino.Cli.Arguments;
using Dino.Tensors.Io;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Cli.Tests.Commands;

public class TrainCommandTests
{
    private PictureFolder pictures = null!;
    private string output = null!;

    [SetUp]
    public void MakeFolders()
    {
        pictures = TinyRun.MakePictures();
        output = Directory.CreateTempSubdirectory("dino-train-").FullName;
    }

    [TearDown]
    public void DeleteFolders()
    {
        pictures.Dispose();
        Directory.Delete(output, recursive: true);
    }

    [Test]
    public void CorruptFiles_AreNamedOnce_AndTrainingGoesOn()
    {
        byte[] whole = PictureFolder.Encode("a.png", PictureFolder.Pattern(1, 24, 20));
        string[] corrupt =
        [
            pictures.Write("even/0.png", whole.AsSpan(0, whole.Length / 2)), pictures.Write("odd/1.jpg", "no picture"u8),
            pictures.Write("odd/empty.webp", []),
        ];
        string notes = pictures.Write("even/notes.txt", "text"u8);
        using var val = TinyRun.MakePictures(4);
        corrupt = [.. corrupt, val.Write("odd/9.png", whole.AsSpan(0, 50))];

        // Every picture is met in both epochs, by training or by the k-NN evaluation or by both; each is named once.
        var run = DinoProcess.Run(
            ["train", "--data", pictures.Root, "--val", val.Root, "--knn-freq", "1", "--output-dir", output, .. DinoProcess.TinyOptions]);

        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        string[] lines = run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines, Has.Length.EqualTo(corrupt.Length + 1), run.Error);
        foreach (string path in corrupt.Append(notes))
            Assert.That(lines, Has.One.Matches(
                $"^skipped {Regex.Escape(path)}: (the file is \\w+|it is not a JPEG, PNG, .* picture)$"), run.Error);
        Assert.That(run.Output, Does.Contain("k-NN top-1"));
    }

    [Test]
    public void NarrowPrecision_WithoutTensorCores_Trains_AndSaysWhatItCosts()
    {
        var run = DinoProcess.Run(["train", "--data", pictures.Root, "--output-dir", output, .. DinoProcess.TinyOptions, "--precision",
            "bf16"]);

        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        Assert.That(run.Error + run.Output, Does.Contain("no tensor cores"));
    }

    [Test]
    public void NonFiniteLoss_Stops_NamesTheTensor_AndKeepsTheCheckpoint()
    {
        string latest = DinoProcess.Train(pictures, output);
        byte[] before = File.ReadAllBytes(latest);
        // The same run, its weights spoiled in one place: the teacher's token is used first, but the student's is what was spoiled.
        Spoil(latest, "student.backbone.blocks.0.mlp.fc1.weight", step: 3);
        byte[] spoiled = File.ReadAllBytes(latest);
        Assert.That(spoiled, Is.Not.EqualTo(before));

        var run = DinoProcess.Run(["train", "--data", pictures.Root, "--output-dir", output, .. DinoProcess.TinyOptions]);

        Assert.That(run.Code, Is.EqualTo(ExitCode.Failure));
        Assert.That(run.Error, Is.EqualTo(
            "dino train: Step 3: 1 of 1024 values of the student's backbone.blocks.0.mlp.fc1.weight are not finite. "
            + $"The last checkpoint is kept: {latest}. A lower --lr, a --clip-grad or a longer --warmup-epochs usually helps.\n"));
        Assert.That(File.ReadAllBytes(latest), Is.EqualTo(spoiled));
    }

    [Test]
    public void Divergence_Stops_WithStepAndReason_AndIsNeverSaved()
    {
        string[] options = [.. DinoProcess.TinyOptions, "--lr", "1e38", "--optimizer", "sgd", "--clip-grad", "0", "--freeze-last-layer",
            "0"];
        var run = DinoProcess.Run(["train", "--data", pictures.Root, "--output-dir", output, .. options]);

        Assert.That(run.Code, Is.EqualTo(ExitCode.Failure), run.Output);
        Assert.That(run.Error, Does.Match(@"\Awarning: --lr 1e\+38 is above 1; the paper's is 0\.0005\. Is it meant\?\ndino train: Step "
            + @"\d: .*(not finite|overflowed|has the norm).* usually helps\.\n\z"));
        Assert.That(Directory.GetFiles(output).Select(Path.GetFileName), Is.EquivalentTo(["args.json", "log.jsonl"]));
        Assert.That(File.ReadAllText(Path.Combine(output, "log.jsonl")), Does.Contain("\"step\":0,").And.Not.Contain("null"));
    }

    /// <summary>Writes the checkpoint again, as of an earlier step and with one NaN.</summary>
    private static void Spoil(string path, string tensor, long step)
    {
        List<TensorEntry> entries = [];
        string json;
        using (var file = SafetensorsFile.Read(path))
        {
            json = file.Metadata["dino"].Replace("\"step\": 12,", $"\"step\": {step},", StringComparison.Ordinal);
            foreach (string name in file.Names)
            {
                float[] values = file.Floats(name);
                if (name == tensor)
                    values[5] = float.NaN;
                entries.Add(TensorEntry.Of(name, [.. file.Shape(name).Select(extent => (int)extent)], values));
            }
        }
        SafetensorsFile.Write(path, entries, new Dictionary<string, string> { ["dino"] = json });
    }
}
