using System.Text.Json;
using Dino.Cli.Arguments;
using Dino.Pictures.Writing;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Cli.Tests.Commands;

/// <summary>The options that choose among pictures, in every command that reads them.</summary>
public sealed class PictureChoiceTests : IDisposable
{
    private readonly PictureFolder pictures = new(), scratch = new();
    private string checkpoint = "";

    [OneTimeSetUp]
    public void TrainOnce()
    {
        // 40 × 30 = 1200 pixels each.
        for (int i = 0; i < 4; i++)
        {
            foreach (string kind in new[] { "a", "b" })
            {
                pictures.WritePicture($"data/{kind}/{i}.jpg", i);
                pictures.WritePicture($"data/{kind}/masks/{i}.png", i + 1);
            }
            pictures.WritePicture($"v/JPEGImages/v/{i}.png", 5);
            IndexedPng.Write(pictures.PathOf($"v/Annotations/v/{i}.png"), [.. Enumerable.Range(0, 1200).Select(p => (byte)(p % 40 / 20))],
                40, 30);
            pictures.Write($"masks/{i}.png", PictureFolder.Png(
                40, 30, 8, 0, [.. Enumerable.Range(0, 30).SelectMany(_ => new byte[21].Concat(Enumerable.Repeat((byte)255, 20)))]));
            pictures.WritePicture($"images/{i}.jpg", i);
            pictures.WritePicture($"c/original/{i}.jpg", i);
            pictures.WritePicture($"c/strong/{i}.jpg", i);
            pictures.WritePicture($"r/jpg/{i}.jpg", i);
        }
        pictures.Write("r/gnd_r.json", """{"imlist": ["0", "1"], "qimlist": ["2"], "gnd": [{"easy": [0], "hard": [], "junk": []}]}"""u8);
        var run = DinoProcess.Run(["train", "--data", pictures.PathOf("data/x")[..^2], "--output-dir", scratch.PathOf("run/x")[..^2],
            .. DinoProcess.TinyOptions, "--exclude", "masks"]);
        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        Assert.That(run.Output, Does.Contain(" 8 pictures"));
        checkpoint = Path.Combine(scratch.Root, "run", "latest.safetensors");
    }

    public void Dispose()
    {
        pictures.Dispose();
        scratch.Dispose();
    }

    [TestCase("*.png", "", 8)]
    [TestCase("", "masks", 8)]
    [TestCase("a/*.jpg", "", 4)]
    [TestCase("", "*.gif", 16)]
    public void Features_AreOfThePicturesThatAreChosen(string include, string exclude, int rows)
    {
        string[] choice = [.. include.Length > 0 ? ["--include", include] : Array.Empty<string>(),
            .. exclude.Length > 0 ? ["--exclude", exclude] : Array.Empty<string>()];
        var run = DinoProcess.Run(
            ["features", checkpoint, Path.Combine(pictures.Root, "data"), "--output-dir", scratch.PathOf($"{Guid.NewGuid():n}/x")[..^2],
                "--device", "cpu", "--json", .. choice]);
        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        Assert.That(JsonDocument.Parse(run.Output).RootElement.GetProperty("rows").GetInt32(), Is.EqualTo(rows));
    }

    [Test]
    public void FeaturesOfAnotherLimit_AreOthers_AndOfNoPictureNone()
    {
        pictures.WritePicture("mixed/small.png", 1, 10, 10);
        pictures.WritePicture("mixed/large.png", 1, 40, 30);
        string[] line = ["features", checkpoint, Path.Combine(pictures.Root, "mixed"), "--output-dir", Path.Combine(scratch.Root, "mixed"),
            "--device", "cpu"];
        Assert.That(DinoProcess.Run([.. line, "--max-megapixels", "0.00001"]).Error, Does.Contain("more than the 10 that are allowed"),
            "no row, and nothing in the way of the next");
        Assert.That(DinoProcess.Run([.. line, "--max-megapixels", "0.001"]).Output, Does.Contain("1 features of"));

        var usual = DinoProcess.Run(line);

        Assert.That(usual.Code, Is.EqualTo(ExitCode.Failure), usual.Output);
        Assert.That(usual.Error, Does.Contain("their --max-megapixels is 0.001, not 179"));
        Assert.That(DinoProcess.Run([.. line, "--max-megapixels", "0.001"]).Output, Does.Contain("there already"));
    }

    [TestCase("features {checkpoint} {root}/data --output-dir {scratch}/f")]
    [TestCase("eval knn {checkpoint} --train {root}/data --val {root}/data")]
    [TestCase("eval linear {checkpoint} --train {root}/data --val {root}/data --epochs 1 --crops centre")]
    [TestCase("eval segment {checkpoint} --images {root}/images --masks {root}/masks")]
    [TestCase("eval video {checkpoint} --data {root}/v --size 24")]
    [TestCase("eval copy {checkpoint} --data {root}/c --imsize 16")]
    [TestCase("eval retrieve {checkpoint} --data {root}/r")]
    [TestCase("attend {checkpoint} {root}/images --output-dir {scratch}/a")]
    [TestCase("attend {checkpoint} {root}/images --video --output-dir {scratch}/a")]
    public void TheLargestPicture_IsAnOptionOfEveryCommand(string line)
    {
        string[] arguments = [.. line.Replace("{checkpoint}", checkpoint).Replace("{root}", pictures.Root)
            .Replace("{scratch}", scratch.Root).Split(' '), "--device", "cpu"];
        var small = DinoProcess.Run([.. arguments, "--max-megapixels", "0.0011"]);
        Assert.That(small.Code, Is.EqualTo(ExitCode.Failure), small.Output);
        Assert.That(small.Error, Does.Contain("40 × 30 pixels, more than the 1100 that are allowed"));
        var enough = DinoProcess.Run([.. arguments, "--max-megapixels", "0.0012"]);
        Assert.That(enough.Code, Is.EqualTo(ExitCode.Ok), enough.Error);
        Assert.That(enough.Error, Does.Not.Contain("allowed"));
        var wrong = DinoProcess.Run([.. arguments, "--max-megapixels", "0"]);
        Assert.That(wrong.Code, Is.EqualTo(ExitCode.Usage), wrong.Error);
        Assert.That(wrong.Error, Does.Contain("--max-megapixels must lie above 0"));
    }
}
