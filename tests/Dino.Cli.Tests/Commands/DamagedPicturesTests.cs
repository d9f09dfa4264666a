using System.Text.Json;
using Dino.Cli.Arguments;
using Dino.Pictures.Decoding;
using Dino.Pictures.Writing;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Cli.Tests.Commands;

/// <summary>
/// A damaged picture among good ones is named once and left out, by every command; where nothing is left, one line says why.
/// </summary>
public class DamagedPicturesTests
{
    private PictureFolder pictures = null!;
    private string scratch = null!, checkpoint = null!;

    [OneTimeSetUp]
    public void TrainOnce()
    {
        pictures = TinyRun.MakePictures();
        scratch = Directory.CreateTempSubdirectory("dino-damaged-").FullName;
        checkpoint = DinoProcess.Train(pictures, Path.Combine(scratch, "run"));
    }

    [OneTimeTearDown]
    public void Delete()
    {
        pictures.Dispose();
        Directory.Delete(scratch, recursive: true);
    }

    [Test]
    public void Attend_LeavesOutOneOfAFolder_AndTakesTheNextInItsPlace()
    {
        using var set = OneBad();
        var (result, error) = Json("attend", checkpoint, set.Root, "--limit", "3");

        Assert.That(error, Is.EqualTo($"skipped {Path.Combine(set.Root, "2.jpg")}: the file is truncated\n"));
        Assert.That(Numbers(result, "count", "skipped"), Is.EqualTo(new[] { 3, 1 }));
        Assert.That(result.GetProperty("pictures").EnumerateArray()
            .Select(path => Path.GetFileName(Path.GetDirectoryName(path.GetString()))),
            Does.Contain("003-4").And.Not.Contain("002-2"));
    }

    [Test]
    public void Attend_LeavesOutOneOfSeveralPictures_AndSaysSoInText()
    {
        using var set = OneBad();
        var run = DinoProcess.Run(["attend", checkpoint, set.PathOf("2.jpg"), set.PathOf("1.png"), .. Where()]);

        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        Assert.That(run.Output, Does.StartWith("1 pictures: ").And.EndWith("; 1 file skipped\n"));
        Assert.That(run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(1).And.One.Contains("2.jpg"));
    }

    [Test]
    public void AttendVideo_ShowsTheFrameBefore_InPlaceOfADamagedOne()
    {
        using var set = new PictureFolder();
        for (int i = 1; i <= 6; i++)
            set.WritePicture($"{i}.png", 17 * i, 24, 16);
        foreach (int cut in (int[])[1, 4])
            set.Cut($"{cut}.png", 60);
        set.WritePicture("5.png", 3, 16, 48);
        string output = Path.Combine(scratch, "film");
        var run = DinoProcess.Run("attend", checkpoint, set.Root, "--video", "--fps", "10", "--output-dir", output, "--json", "--device",
            "cpu");

        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        Assert.That(Numbers(JsonDocument.Parse(run.Output).RootElement, "count", "skipped"), Is.EqualTo(new[] { 6, 3 }));
        string[] lines = run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines, Has.Length.EqualTo(3));
        foreach (string expected in (string[])["1.png: ", "4.png: ", "5.png: it has another shape (16 × 48 pixels)"])
            Assert.That(lines, Has.One.Contains(expected));
        byte[] Frame(int number) => File.ReadAllBytes(Path.Combine(output, "frames", $"{number:D5}.png"));
        Assert.That(Frame(0), Is.EqualTo(Frame(1)), "the first that can be read stands for the one before it");
        Assert.That(Frame(3), Is.EqualTo(Frame(2)).And.EqualTo(Frame(4)).And.Not.EqualTo(Frame(5)));
        using var film = new AnimatedPicture(Path.Combine(output, "attention.gif"));
        Assert.That(Enumerable.Range(0, film.FrameCount).Select(film.Duration), Is.EqualTo(Enumerable.Repeat(100, 6)),
            "the film is as long as the video");
    }

    [Test]
    public void Segment_NamesEveryPairThatIsNone()
    {
        using var set = new PictureFolder();
        foreach (string name in (string[])["good", "cut", "cutmask", "empty", "other", "alone"])
            set.WritePicture($"images/{name}.jpg", name.Length);
        set.Cut("images/cut.jpg", 400);
        byte[] mask = new byte[40 * 30];
        IndexedPng.Write(set.PathOf("masks/empty.png"), mask, 40, 30);
        mask.AsSpan(0, 400).Fill(1);
        foreach (string name in (string[])["good", "cut", "nobody"])
            IndexedPng.Write(set.PathOf($"masks/{name}.png"), mask, 40, 30);
        IndexedPng.Write(set.PathOf("masks/other.png"), mask, 30, 40);
        File.Copy(set.PathOf("masks/good.png"), set.PathOf("masks/cutmask.png"));
        set.Cut("masks/cutmask.png", 50);
        var (result, error) = Json("eval", "segment", checkpoint, "--images", Path.Combine(set.Root, "images"), "--masks",
            Path.Combine(set.Root, "masks"));

        Assert.That(Numbers(result, "pictures", "objects", "skipped", "pictures_without_object"), Is.EqualTo(new[] { 1, 1, 6, 1 }));
        string[] lines = error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines, Has.Length.EqualTo(6), error);
        foreach (string expected in (string[])
            ["cut.jpg: ", "cutmask.png: ", "empty.png: it shows no object", "other.png: it has 30 × 40 pixels, its picture 40 × 30",
                "alone.jpg: it has no mask", "nobody.png: it has no picture"])
            Assert.That(lines, Has.One.Contains(Path.DirectorySeparatorChar + expected));
    }

    [Test]
    public void Retrieve_LeavesOutPicturesAndQueries()
    {
        using var set = new PictureFolder();
        foreach (int i in Enumerable.Range(0, 5))
            set.WritePicture($"jpg/p{i}.jpg", 40 * i);
        foreach (int i in (int[])[0, 3])
            set.Cut($"jpg/p{i}.jpg", 300);
        set.Write("gnd_small.json", """
            {"imlist": ["p0", "p1", "p2", "p3", "p4"], "qimlist": ["p1", "p3", "p4"],
             "gnd": [{"easy": [1, 3], "hard": [], "junk": [0]}, {"easy": [3], "hard": [], "junk": []},
                     {"easy": [4], "hard": [2], "junk": [0]}]}
            """u8);
        var (result, error) = Json("eval", "retrieve", checkpoint, "--data", set.Root, "--imsize", "32");

        Assert.That(Numbers(result, "database", "skipped"), Is.EqualTo(new[] { 3, 2 }));
        Assert.That(result.GetProperty("easy").GetProperty("queries").GetInt32(), Is.EqualTo(2));
        Assert.That(result.GetProperty("easy").GetProperty("map").GetDouble(), Is.EqualTo(1),
            "each query finds itself, whatever numbers the others have");
        Assert.That(error.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(2),
            "named once each, though one is a query too");
    }

    [Test]
    public void Video_GoesOnWithoutADamagedFrame_AMask_AndAVideo()
    {
        using var set = new PictureFolder();
        byte[] mask = new byte[64 * 48];
        for (int y = 16; y < 32; y++)
            mask.AsSpan(y * 64 + 16, 16).Fill(1);
        foreach (string video in (string[])["good", "nomask"])
        {
            for (int frame = 0; frame < 6; frame++)
            {
                set.WritePicture($"JPEGImages/480p/{video}/{frame:D5}.png", 5, 64, 48);
                IndexedPng.Write(set.PathOf($"Annotations/480p/{video}/{frame:D5}.png"), mask, 64, 48);
            }
        }
        set.Cut("JPEGImages/480p/good/00002.png", 60);
        set.Cut("Annotations/480p/good/00003.png", 50);
        set.Cut("Annotations/480p/nomask/00000.png", 50);
        string output = Path.Combine(scratch, "masks");
        var (result, error) = Json("eval", "video", checkpoint, "--data", set.Root, "--size", "48", "--topk", "1", "--output-dir", output);

        Assert.That(Numbers(result, "videos", "frames", "skipped"), Is.EqualTo(new[] { 1, 5, 2 }), "beside the video without a first mask");
        Assert.That(result.GetProperty("j_mean").GetDouble(), Is.GreaterThan(0.8), "frames 1 and 4");
        Assert.That(error.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(3), error);
        Assert.That(Directory.GetFiles(Path.Combine(output, "good")).Select(Path.GetFileName),
            Is.EquivalentTo(new[] { "00000.png", "00001.png", "00003.png", "00004.png", "00005.png" }));
    }

    [Test]
    public void Copy_LeavesOutCopies_AndThoseWhoseOriginalIsDamaged()
    {
        using var set = new PictureFolder();
        foreach (int i in Enumerable.Range(0, 4))
        {
            set.WritePicture($"original/20{i}000.png", 30 * i);
            set.WritePicture($"strong/20{i}001.png", 30 * i);
            set.WritePicture($"weak/20{i}002.png", 30 * i);
            set.Cut($"weak/20{i}002.png", 50);
        }
        set.Cut("original/200000.png", 50);
        set.Cut("strong/201001.png", 50);
        var (result, error) = Json("eval", "copy", checkpoint, "--data", set.Root, "--imsize", "32");

        Assert.That(result.GetProperty("blocks").EnumerateArray()
            .Select(block => (block.GetProperty("name").GetString(), block.GetProperty("queries").GetInt32())),
            Is.EqualTo(new[] { ("strong", 2), ("weak", 0) }));
        Assert.That(result.GetProperty("blocks")[0].GetProperty("map").GetDouble(), Is.EqualTo(1));
        Assert.That(Numbers(result, "database", "skipped"), Is.EqualTo(new[] { 3, 7 }));
        Assert.That(error.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            Has.Length.EqualTo(7).And.One.Contains("200001.png: it has no original"));
    }

    [TestCase("eval knn {checkpoint} --train {set} --val {set} --nb-knn 1", "train", 6)]
    [TestCase("eval linear {checkpoint} --train {set} --val {set} --crops kept --views 2 --epochs 1 --lr 0.1", "train", 6)]
    [TestCase("features {checkpoint} {set} --pca 8", "rows", 6)]
    public void LabelledFolders_LeaveOutOne(string line, string count, int expected)
    {
        using var set = new PictureFolder();
        foreach (int i in Enumerable.Range(0, 7))
            set.WritePicture($"{(i % 2 == 0 ? "even" : "odd")}/{i}.png", i);
        set.Cut("odd/3.png", 50);
        string[] words = [.. line.Split(' ').Select(
            word => word.Replace("{checkpoint}", checkpoint, StringComparison.Ordinal)
            .Replace("{set}", set.Root, StringComparison.Ordinal))];
        var (result, error) = Json(words[0] == "features" ? [.. words, "--output-dir", Path.Combine(scratch, "features")] : words);

        Assert.That(Numbers(result, count, "skipped"), Is.EqualTo(new[] { expected, 1 }));
        Assert.That(error.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(1).And.One.Contains("3.png"));
    }

    [TestCase("attend {checkpoint} {bad}", "None of the 2 pictures can be read")]
    [TestCase("attend {checkpoint} {bad}/1.png", "1.png")]
    [TestCase("attend {checkpoint} {bad} --video", "None of the 2 frames can be read")]
    [TestCase("eval segment {checkpoint} --images {bad} --masks {bad}", "No picture with a mask can be used")]
    public void WhereNothingIsLeft_OneLineSaysWhy(string line, string expected)
    {
        using var set = new PictureFolder();
        foreach (int i in (int[])[1, 2])
            set.Write($"{i}.png", "\x89PNG\r\n\x1a\n no more"u8);
        string[] words = [.. line.Split(' ').Select(
            word => word.Replace("{checkpoint}", checkpoint, StringComparison.Ordinal)
            .Replace("{bad}", set.Root, StringComparison.Ordinal))];
        string output = Path.Combine(scratch, "nothing");
        var run = DinoProcess.Run([.. words, "--device", "cpu", .. words[0] == "attend" ? (string[])["--output-dir", output] : []]);

        Assert.That(run.Code, Is.EqualTo(ExitCode.Failure), run.Error);
        Assert.That(run.Error, Does.Contain(expected));
        Assert.That(run.Error.TrimEnd('\n'), Does.Not.Contain('\n').And.Not.Contain("internal error"));
    }

    /// <summary>1.png, a cut 2.jpg, 3.png and 4.png.</summary>
    private static PictureFolder OneBad()
    {
        var set = new PictureFolder();
        foreach (string name in (string[])["1.png", "2.jpg", "3.png", "4.png"])
            set.WritePicture(name, name[0]);
        set.Cut("2.jpg", 400);
        return set;
    }

    private string[] Where() => ["--device", "cpu", "--output-dir", Path.Combine(scratch, "out-" + TestContext.CurrentContext.Test.ID)];

    private (JsonElement Result, string Error) Json(params string[] words)
    {
        var run = DinoProcess.Run([.. words, "--json", .. words[0] == "attend" ? Where() : ["--device", "cpu"]]);
        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        return (JsonDocument.Parse(run.Output).RootElement, run.Error);
    }

    private static int[] Numbers(JsonElement result, params string[] names) =>
        [.. names.Select(name => result.GetProperty(name).GetInt32())];
}
