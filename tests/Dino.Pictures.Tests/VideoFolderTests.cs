using Dino.Pictures.DataSets;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>Videos as folders of frames and masks.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class VideoFolderTests : IDisposable
{
    private readonly PictureFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Test]
    public void Frames_ComeAsTheyCount_WithTheirMasks()
    {
        for (int i = 1; i <= 12; i++)
        {
            folder.WritePicture($"JPEGImages/480p/v/{i}.jpg", i);
            Mask($"v/{i:D3}.png"); // numbered with zeros, as another program does
        }
        var video = VideoFolder.Scan(folder.Root, []).Single();

        Assert.That(video.Frames.Select(Path.GetFileNameWithoutExtension), Is.EqualTo(Enumerable.Range(1, 12).Select(i => $"{i}")));
        Assert.That(video.Annotations.Select(Path.GetFileNameWithoutExtension), Is.EqualTo(Enumerable.Range(1, 12).Select(i => $"{i:D3}")));
        Assert.That(video.Remarks, Is.Empty);
    }

    [Test]
    public void Clutter_IsNeitherVideoNorFrameNorMask_AndDoubtsAreSaid()
    {
        foreach (string name in new[] { "v/1.jpg", "v/01.jpg", "v/2.jpg", "v/._1.jpg", "__MACOSX/1.jpg", ".cache/1.jpg" })
            folder.WritePicture($"JPEGImages/480p/{name}", 1);
        foreach (string name in new[] { "v/1.png", "v/01.png", "v/._1.png", "v/9.png", "__MACOSX/1.png", ".cache/1.png" })
            Mask(name);
        var video = VideoFolder.Scan(folder.Root, []).Single();

        Assert.That(video.Frames.Select(Path.GetFileName), Is.EqualTo(new[] { "01.jpg", "1.jpg", "2.jpg" }));
        Assert.That(video.Annotations.Select(Path.GetFileName), Is.EqualTo(new[] { "01.png", "1.png", null }));
        Assert.That(video.Remarks, Has.Count.EqualTo(2));
        Assert.That(video.Remarks[0], Does.Contain("'01' and '1' are the same number"));
        Assert.That(video.Remarks[1], Does.Contain("1 masks belong to no frame").And.Contain("9.png"));
    }

    [Test]
    public void ABrokenVideo_DoesNotEndTheOthers()
    {
        folder.WritePicture("JPEGImages/480p/good/0.jpg", 1);
        Mask("good/0.png");
        folder.WritePicture("JPEGImages/480p/nofirst/0.jpg", 1);
        Mask("nofirst/7.png");
        Mask("noframes/0.png");
        var broken = new List<string>();
        var videos = VideoFolder.Scan(folder.Root, [], (name, reason) => broken.Add($"{name}: {reason}"));

        Assert.That(videos.Select(video => video.Name), Is.EqualTo(new[] { "good" }));
        Assert.That(broken, Has.Count.EqualTo(2));
        Assert.That(broken[0], Does.StartWith("nofirst: ").And.Contain("no mask of the first frame, 0.png"));
        Assert.That(broken[1], Does.StartWith("noframes: ").And.Contain("no folder"));
        Assert.That(() => VideoFolder.Scan(folder.Root, []), Throws.TypeOf<ImageFolderException>());
    }

    private void Mask(string name) => folder.Write($"Annotations/480p/{name}", PictureFolder.Png(1, 1, 8, 0, [0, 1]));
}
