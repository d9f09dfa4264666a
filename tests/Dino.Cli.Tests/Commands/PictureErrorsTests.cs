using Dino.Cli.Arguments;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Cli.Tests.Commands;

/// <summary>What is wrong with pictures and folders: the library names properties, the program the options that set them.</summary>
public sealed class PictureErrorsTests : IDisposable
{
    private readonly PictureFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Test]
    public void PatternsThatChooseNothing_AreNamedAsOptions()
    {
        folder.WritePicture("one/a.png", 1);
        var (code, error) = Train("one", "--include", "*.webp");
        Assert.That(code, Is.EqualTo(ExitCode.Failure));
        Assert.That(error, Does.EndWith(" holds no picture that --include and --exclude choose: 1 files are left out by them.\n"));
    }

    [Test]
    public void APictureAboveTheLimit_IsSkippedByTheOptionsName_AndWithoutAnotherTheRunFails()
    {
        for (int i = 0; i < 4; i++)
            folder.WritePicture($"four/{i}.png", i);
        var (code, error) = Train("four", "--max-megapixels", "0.0001");
        Assert.That(code, Is.EqualTo(ExitCode.Failure));
        Assert.That(error, Does.Contain("more than the 100 that are allowed (--max-megapixels)").And.Contain("no readable picture"));
        Assert.That(error, Does.Not.Contain("internal error").And.Not.Contain("`"));
    }

    [Test]
    public void TwoPicturesOfOneName_AreANoteThatNamesTheOption()
    {
        folder.WritePicture("pair/a.jpg", 1);
        folder.WritePicture("pair/a.png", 1);
        Assert.That(Train("pair").Error, Does.Contain("leave it out with --exclude '*.png'"));
    }

    [Test]
    public void AMissingFolder_FailsInALine()
    {
        var (code, error) = Train("nowhere");
        Assert.That(code, Is.EqualTo(ExitCode.Failure));
        Assert.That(error.TrimEnd().Split('\n'), Has.Length.EqualTo(1).And.All.Contains("nowhere"));
    }

    [TestCase("name the ground truth with `GroundTruth`.", "name the ground truth with --ground-truth.")]
    [TestCase("if they are objects, give `MaskKind` ids", "if they are objects, give --mask-kind ids")]
    [TestCase("leave out `Augment` device.", "leave out --augment device.")]
    public void Properties_HaveTheNamesOfTheirOptions(string library, string program) =>
        Assert.That(OptionNames.InText(library), Is.EqualTo(program));

    private (int Code, string Error) Train(string data, params string[] more)
    {
        var run = DinoProcess.Run(["train", "--data", folder.PathOf(data), "--output-dir", folder.PathOf("run/x")[..^2],
            .. DinoProcess.TinyOptions, .. more]);
        return (run.Code, run.Error);
    }
}
