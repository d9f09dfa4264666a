using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using Dino.Cli.Arguments;
using Dino.Pictures.DataSets;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Cli.Tests.Commands;

/// <summary>Folders, lists and archives as the commands take them, and a share that is held out.</summary>
public sealed class DataSourcesTests : IDisposable
{
    private readonly PictureFolder pictures = new(), scratch = new();
    private string checkpoint = "", run = "";

    [OneTimeSetUp]
    public void TrainOnce()
    {
        for (int i = 0; i < 12; i++)
        {
            foreach (string kind in new[] { "a", "b" })
                pictures.WritePicture($"data/{kind}/{i:D2}.png", i);
        }
        ZipFile.CreateFromDirectory(pictures.PathOf("data/x")[..^2], pictures.PathOf("data.zip"));
        TarFile.CreateFromDirectory(pictures.PathOf("data/x")[..^2], pictures.PathOf("data.tar"), includeBaseDirectory: false);
        pictures.Write("list.txt", [.. Directory.EnumerateFiles(pictures.PathOf("data/x")[..^2], "*", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal).SelectMany(path => $"{Path.GetRelativePath(pictures.Root, path)}\n".Select(c => (byte)c))]);
        run = scratch.PathOf("run/x")[..^2];
        var trained = Train("data.zip", "--val", "25%", "--knn-freq", "1");
        Assert.That(trained.Code, Is.EqualTo(ExitCode.Ok), trained.Error);
        Assert.That(trained.Output, Does.Contain("held out for k-NN").And.Contain("k-NN"));
        checkpoint = Path.Combine(run, "latest.safetensors");
    }

    public void Dispose()
    {
        pictures.Dispose();
        scratch.Dispose();
    }

    [TestCase("data.zip")]
    [TestCase("data.tar")]
    [TestCase("list.txt")]
    public void Features_AreThoseOfTheFolder(string name)
    {
        byte[] expected = Features("data");
        Assert.That(Features(name), Is.EqualTo(expected));
    }

    [Test]
    public void AnArchiveWithoutAReadablePicture_IsCalledOne()
    {
        pictures.Write("broken/1.jpg", [0xFF, 0xD8, 0xFF, 0xE0, .. new byte[40]]);
        string broken = pictures.PathOf("broken"), archive = pictures.PathOf("broken.zip");
        ZipFile.CreateFromDirectory(broken, archive);
        foreach (var (named, title) in new[] { (archive, $"The archive '{archive}'"), (broken, $"The folder '{broken}'") })
        {
            var made = DinoProcess.Run("features", checkpoint, named, "--output-dir", scratch.PathOf("none"), "--device", "cpu");
            Assert.That(made.Code, Is.EqualTo(ExitCode.Failure), made.Error);
            Assert.That(made.Error, Does.Contain($"{title} holds no readable picture"));
        }
    }

    [Test]
    public void Features_OfTwoFolders_NameBoth()
    {
        string output = scratch.PathOf("two/x")[..^2];
        var made = DinoProcess.Run("features", checkpoint, pictures.PathOf("data/a/x")[..^2], pictures.PathOf("data/b/x")[..^2],
            "--output-dir", output, "--device", "cpu");
        Assert.That(made.Code, Is.EqualTo(ExitCode.Ok), made.Error);
        string[] lines = File.ReadAllLines(Path.Combine(output, "features.csv"));
        Assert.That((lines[1], lines[13]), Is.EqualTo(("0,a/00.png,", "12,b/00.png,")));
    }

    [Test]
    public void TheHeldOutPictures_AreWrittenDown_AndAskedForAgain()
    {
        var (_, val) = ImageFolder.Scan(pictures.PathOf("data.zip")).Split(0.25);
        string[] names = [.. Enumerable.Range(0, val.Count).Select(val.RelativePathOf)];
        Assert.That(File.ReadAllLines(Path.Combine(run, "val.txt")), Is.EqualTo(names));

        Assert.That(Train("data.zip", "--val", "25%", "--knn-freq", "1").Output, Does.Contain("already trained"));
        Assert.That(Train("data.zip", "--val", "50%").Error, Does.Contain($"other --val ({names.Length} pictures held out then"));
        Assert.That(Train("data.zip").Error, Does.Contain($"other --val ({names.Length} pictures held out then, none now)"));
    }

    [Test]
    public void TheSameShare_IsJudgedByEvalKnn()
    {
        int held = File.ReadAllLines(Path.Combine(run, "val.txt")).Length;
        var result = DinoProcess.Run("eval", "knn", checkpoint, "--train", pictures.PathOf("data/x")[..^2], "--val", "25%", "--nb-knn", "5",
            "--device", "cpu", "--json");
        Assert.That(result.Code, Is.EqualTo(ExitCode.Ok), result.Error);
        var json = JsonDocument.Parse(result.Output).RootElement;
        Assert.That((json.GetProperty("queries").GetInt32(), json.GetProperty("train").GetInt32()), Is.EqualTo((held, 24 - held)));
    }

    [TestCase("0%", "above 0% and below 100%")]
    [TestCase("100%", "above 0% and below 100%")]
    [TestCase("150%", "above 0% and below 100%")]
    [TestCase("-5%", "above 0% and below 100%")]
    [TestCase("0.1", "a share is written with %, as --val 10%")]
    public void AShareThatIsNone_IsAUsageError(string share, string reason)
    {
        var wrong = Train("data", $"--val={share}");
        Assert.That(wrong.Code, Is.EqualTo(ExitCode.Usage), wrong.Error);
        Assert.That(wrong.Error, Does.Contain(reason));
    }

    [Test]
    public void WithoutClasses_AShareIsNoUseToKnn() =>
        Assert.That(DinoProcess.Run(["train", "--data", pictures.PathOf("data/a/x")[..^2], "--val", "25%", "--output-dir",
            scratch.PathOf("none/x")[..^2], .. DinoProcess.TinyOptions]).Error, Does.Contain("k-NN needs one folder a class"));

    [Test]
    public void MasksOfAnEarlierRun_AreNamed_WhereItGoesOn()
    {
        for (int i = 0; i < 8; i++)
        {
            pictures.WritePicture($"masked/{i}.jpg", i);
            pictures.WritePicture($"masked/{i}_mask.png", i);
        }
        string output = scratch.PathOf("masked/x")[..^2];
        string[] line = ["train", "--data", pictures.PathOf("masked/x")[..^2], "--output-dir", output, .. DinoProcess.TinyOptions];
        var with = DinoProcess.Run([.. line, "--keep-masks"]);
        Assert.That(with.Output, Does.Contain("16 pictures"));
        var without = DinoProcess.Run(line);
        Assert.That(without.Error, Does.Contain("left out 8 files that look like masks (0_mask.png beside 0.jpg); --keep-masks takes them")
            .And.Contain("8 files that look like masks are left out now; --keep-masks takes them, as before"));
    }

    [Test]
    public void Attend_TakesAnArchive()
    {
        string output = scratch.PathOf("maps/x")[..^2];
        var made = DinoProcess.Run("attend", checkpoint, pictures.PathOf("data.zip"), "--limit", "2", "--output-dir", output, "--device",
            "cpu", "--num-heads", "2");
        Assert.That(made.Code, Is.EqualTo(ExitCode.Ok), made.Error);
        Assert.That(Directory.GetFileSystemEntries(output, "002-01*"), Is.Not.Empty);
    }

    private byte[] Features(string name)
    {
        string output = scratch.PathOf($"{Guid.NewGuid():n}/x")[..^2];
        var made = DinoProcess.Run(
            "features", checkpoint, Path.Combine(pictures.Root, name), "--output-dir", output, "--device", "cpu", "--num-heads", "2");
        Assert.That(made.Code, Is.EqualTo(ExitCode.Ok), made.Error);
        return File.ReadAllBytes(Path.Combine(output, "features.npy"));
    }

    private (int Code, string Output, string Error) Train(string name, params string[] more)
    {
        var made = DinoProcess.Run(
            ["train", "--data", Path.Combine(pictures.Root, name), "--output-dir", run, .. DinoProcess.TinyOptions, .. more]);
        return (made.Code, made.Output, made.Error);
    }
}
