using Dino.Cli.Arguments;
using Dino.Pictures.Writing;
using Dino.Testing.Runs;
using NUnit.Framework;
using SkiaSharp;

namespace Dino.Cli.Tests.Commands;

/// <summary>Pictures of any proportions get maps of a bounded size; a size for which there is no memory is one line.</summary>
public class AttendSizesTests
{
    private PictureFolder pictures = null!;
    private string scratch = null!, checkpoint = null!;

    [OneTimeSetUp]
    public void TrainOnce()
    {
        pictures = TinyRun.MakePictures();
        scratch = Directory.CreateTempSubdirectory("dino-sizes-").FullName;
        checkpoint = DinoProcess.Train(pictures, Path.Combine(scratch, "run"));
    }

    [OneTimeTearDown]
    public void Delete()
    {
        pictures.Dispose();
        Directory.Delete(scratch, recursive: true);
    }

    // The network of 16-pixel crops in patches of 8 looks at 32 pixels along the longer side unless told otherwise.
    [TestCase(30000, 1, null, 32, 8)]
    [TestCase(1, 30000, null, 8, 32)]
    [TestCase(4000, 20, null, 32, 8)]
    [TestCase(1, 1, null, 32, 32)]
    [TestCase(3, 2, null, 32, 24)]
    [TestCase(40, 30, 100, 96, 72)]
    public void TheLongerSideIsBounded(int width, int height, int? size, int expectedWidth, int expectedHeight)
    {
        string[] given = size is { } pixels ? ["--size", $"{pixels}"] : [];
        foreach (bool original in (bool[])[false, true])
        {
            string folder = Attend(Bar(width, height), [.. given, .. original ? (string[])["--original-size"] : []]);

            var expected = original ? (width, height) : (expectedWidth, expectedHeight);
            foreach (string path in Directory.GetFiles(folder))
            {
                using var codec = SKCodec.Create(path);
                Assert.That((codec.Info.Width, codec.Info.Height), Is.EqualTo(expected), path);
            }
        }
    }

    [Test]
    public void AMaskInThePicturesOwnSize_IsTheOtherOneEnlarged()
    {
        string file = Bar(50, 37);
        using var small = SKBitmap.Decode(Path.Combine(Attend(file), "mask-head1.png"));
        using var large = SKBitmap.Decode(Path.Combine(Attend(file, "--original-size"), "mask-head1.png"));

        Assert.That((small.Width, small.Height, large.Width, large.Height), Is.EqualTo((32, 24, 50, 37)));
        for (int y = 0; y < 37; y++)
            for (int x = 0; x < 50; x++)
                Assert.That(large.GetPixel(x, y), Is.EqualTo(small.GetPixel(x * 4 / 50 * 8, y * 3 / 37 * 8)), $"({x}, {y})");
    }

    [TestCase("attend {checkpoint} {picture} --size 2000 --memory-mb 20", "2000 × 1504 pixels", "a smaller --size")]
    [TestCase("eval segment {checkpoint} --images {folder} --masks {masks} --size 2000 --memory-mb 20", "2664 × 2000 pixels",
        "a smaller --size")]
    [TestCase("eval knn {checkpoint} --train {pictures} --val {pictures} --size 2000 --batch-size 2 --memory-mb 20",
        "2 pictures at a time of 2000 × 2000 pixels", "a smaller batch or picture size")]
    [TestCase("eval video {checkpoint} --data {video} --size 2000 --memory-mb 20", "pixels", "a smaller --size")]
    [TestCase("eval retrieve {checkpoint} --data {oxford} --imsize 300 --memory-mb 1", "300 × 225 pixels", "a smaller --imsize")]
    [TestCase("features {checkpoint} {folder} --pca 1 --pca-size 2000 --memory-mb 20", "2664 × 2000 pixels", "a smaller --pca-size")]
    public void WhatDoesNotFit_IsRefusedBefore(string line, string expected, string advice)
    {
        using var set = new PictureFolder();
        set.WritePicture("folder/a.png", 1);
        set.WritePicture("oxford/jpg/a.jpg", 1, 320, 240);
        set.Write("oxford/gnd_small.json", """{"imlist": ["a"], "qimlist": ["a"], "gnd": [{"easy": [0], "hard": [], "junk": []}]}"""u8);
        byte[] mask = new byte[40 * 30];
        mask.AsSpan(0, 400).Fill(1);
        IndexedPng.Write(set.PathOf("masks/a.png"), mask, 40, 30);
        for (int i = 0; i < 3; i++)
        {
            set.WritePicture($"video/JPEGImages/480p/v/{i}.png", 1);
            IndexedPng.Write(set.PathOf($"video/Annotations/480p/v/{i}.png"), mask, 40, 30);
        }
        string[] words = [.. line.Split(' ').Select(word => word.Replace("{checkpoint}", checkpoint, StringComparison.Ordinal)
            .Replace("{pictures}", pictures.Root, StringComparison.Ordinal)
                .Replace("{picture}", set.PathOf("folder/a.png"), StringComparison.Ordinal)
            .Replace("{folder}", Path.Combine(set.Root, "folder"), StringComparison.Ordinal)
                .Replace("{masks}", Path.Combine(set.Root, "masks"), StringComparison.Ordinal)
            .Replace("{video}", Path.Combine(set.Root, "video"), StringComparison.Ordinal)
                .Replace("{oxford}", Path.Combine(set.Root, "oxford"), StringComparison.Ordinal))];
        string[] output = words[0] == "eval" ? [] : ["--output-dir", Path.Combine(scratch, "none")];
        var run = DinoProcess.Run([.. words, .. output, "--device", "cpu"]);

        Assert.That(run.Code, Is.EqualTo(ExitCode.Failure), run.Error);
        Assert.That(run.Error, Does.Contain(expected).And.Contain(advice).And.Not.Contain("internal error"));
        Assert.That(run.Error.TrimEnd('\n'), Does.Not.Contain('\n'));
    }

    /// <summary>Runs the command on a picture; the folder of its maps.</summary>
    private string Attend(string file, params string[] more)
    {
        string output = Path.Combine(scratch, Guid.NewGuid().ToString("N"));
        var run = DinoProcess.Run(["attend", checkpoint, file, "--device", "cpu", "--output-dir", output, .. more]);
        Assert.That(run.Code, Is.EqualTo(ExitCode.Ok), run.Error);
        return Directory.GetDirectories(output).Single();
    }

    private string Bar(int width, int height)
    {
        string path = Path.Combine(scratch, $"{width}x{height}.png");
        File.WriteAllBytes(path, PictureFolder.Encode(path, PictureFolder.Pattern(5, width, height)));
        return path;
    }
}
