using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

public class EvalPictureTests
{
    [TestCase(32, 3)]
    [TestCase(20, 1)]
    [TestCase(16, 4)]
    public void APicture_IsTheOneThatEvaluationsLoad(int size, int channels)
    {
        using var folder = new PictureFolder();
        string path = folder.WritePicture("a.png", 7);
        var options = new EvalLoaderOptions
        {
            ResizeSize = EvalPicture.ResizeSize(size),
            CropSize = size,
            Channels = channels,
            BatchSize = 1
        };
        using var loader = new EvalLoader(ImageFolder.Scan(folder.Root), options);
        using var batch = loader.Next()!;

        Assert.That(EvalPicture.Read(path, size, channels), Is.EqualTo(batch.Pictures.ToArray()));
    }

    [Test]
    public void TheShorterSide_IsTheReferences() =>
        Assert.That(new[] { 224, 96, 48 }.Select(EvalPicture.ResizeSize), Is.EqualTo([256, 110, 55]));

    [Test]
    public void WhatIsNoPicture_IsNamed()
    {
        using var folder = new PictureFolder();
        string path = folder.Write("a.png", "no picture"u8);
        Assert.That(() => EvalPicture.Read(path, 8), Throws.TypeOf<ImageDecodeException>().With.Message.Contains("a.png"));
        Assert.That(() => EvalPicture.Read(path, 0), Throws.InstanceOf<ArgumentException>().With.Message.Contains("size"));
        Assert.That(() => EvalPicture.Read(path, 8, channels: 2), Throws.ArgumentException.With.Message.Contains("not 2"));
    }
}
