using System.Net.Sockets;
using System.Text;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Tensors.Io;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>
/// Folders as people have them: links in circles, pipes, names of all kinds, closed folders, what systems put beside the files.
/// </summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class FolderTreeTests : IDisposable
{
    private readonly PictureFolder folder = new();
    private readonly SkippedFiles skipped = new();

    public void Dispose() => folder.Dispose();

    [Test]
    public void Links_ToTheFolderItself_AddNothing_AndEnd()
    {
        folder.WritePicture("a/1.png", 1);
        folder.WritePicture("b/1.png", 2);
        Link("a/up", "..");
        Link("b/up", "..");
        Link("loop", ".");
        folder.WritePicture("a/deep/er/2.png", 3);
        Link("a/deep/er/back", "../..");

        Assert.That(Scan(), Is.EqualTo(new[] { "a/1.png", "a/deep/er/2.png", "b/1.png" }));
        Assert.That(Skipped(), Is.EqualTo(new[] { "a/deep/er/back", "a/up", "b/up", "loop" }), "each is named once");
    }

    [Test]
    public void Links_ToFoldersAndFiles_AreFollowed_TheRealNameFirst()
    {
        using var pool = new PictureFolder();
        pool.WritePicture("1.png", 1);
        string elsewhere = pool.WritePicture("far.png", 4);
        folder.WritePicture("cats/z/2.png", 2);
        Directory.CreateSymbolicLink(folder.PathOf("dogs"), pool.Root);
        Link("cats/a", "z"); // the same folder, earlier in the alphabet
        File.CreateSymbolicLink(folder.PathOf("cats/far.png"), elsewhere);
        Link("cats/nowhere.png", "missing.png");

        Assert.That(Scan(), Is.EqualTo(new[] { "cats/far.png", "cats/z/2.png", "dogs/1.png", "dogs/far.png" }));
        Assert.That(skipped.Snapshot().Select(entry => entry.Reason),
            Is.EqualTo(new[] { "it leads to cats/z, which is read already", "it is a link that leads nowhere" }));
        var found = ImageFolder.Scan(folder.Root);
        Assert.That(found.ClassNames, Is.EqualTo(new[] { "cats", "dogs" }));
        Assert.That(found.Remarks.Single(), Does.Contain("1 pictures").And.Contain("cats/far.png and dogs/far.png are one file"));
    }

    [Test]
    public void AClassThatIsALinkToAnother_HasItsPictures_AndIsSaid()
    {
        folder.WritePicture("a/1.png", 1);
        Link("b", "a");

        Assert.That(Scan(), Is.EqualTo(new[] { "a/1.png", "b/1.png" }));
        Assert.That(ImageFolder.Scan(folder.Root).Remarks.Single(), Does.Contain("a/1.png and b/1.png are one file"));
    }

    [Test, CancelAfter(20_000)]
    public void WhatIsNoFile_IsNamed_AndNeverOpened()
    {
        folder.WritePicture("a/1.png", 1);
        StrangeFiles.MakePipe(folder.PathOf("a/pipe.jpg"));
        StrangeFiles.MakePipe(folder.PathOf("a/pipe"));
        if (File.Exists("/dev/zero"))
            File.CreateSymbolicLink(folder.PathOf("a/zero.jpg"), "/dev/zero");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(folder.PathOf("a/s.jpg")));

        Assert.That(Scan(), Is.EqualTo(new[] { "a/1.png" }));
        Assert.That(
            skipped.Snapshot().Select(entry => entry.Reason),
            Is.EqualTo(new[] { "it is a pipe (FIFO), not a file", "it is a pipe (FIFO), not a file", "it is a socket, not a file",
                "it is a device, not a file" }));
    }

    [Test, CancelAfter(20_000)]
    public void NoReader_WaitsForAPipe()
    {
        string pipe = folder.PathOf("pipe.jpg");
        StrangeFiles.MakePipe(pipe);
        using var decoder = new ImageDecoder();

        Assert.That(() => decoder.Decode(pipe, new RgbImage()), Throws.TypeOf<ImageDecodeException>().With.Message.Contains("pipe (FIFO)"));
        Assert.That(() => new AnimatedPicture(pipe), Throws.TypeOf<ImageDecodeException>().With.Message.Contains("pipe (FIFO)"));
        Assert.That(() => LabelMap.Read(pipe), Throws.TypeOf<ImageFolderException>().With.Message.Contains("pipe (FIFO)"));
        Assert.That(() => WeightsFile.Open(pipe), Throws.TypeOf<IOException>().With.Message.Contains("pipe (FIFO)"));
        Assert.That(() => RegularFile.ReadLines(pipe), Throws.TypeOf<IOException>().With.Message.Contains("pipe (FIFO)"));
    }

    [Test]
    public void Names_OfAnyBytes_AreReadAndShown()
    {
        byte[] content = PictureFolder.Encode("x.png", PictureFolder.Pattern(1, 6, 5));
        byte[] bytes = [.. "caf"u8, 0xE9, .. ".png"u8];
        string raw = RawName.Of(bytes), longest = new string('n', 251) + ".png", text = "caf\u00E9 \U0001F600.png";
        folder.Write("a\\0.png", content);
        folder.Write(longest, content);
        folder.Write(text, content);
        StrangeFiles.WriteRaw(Path.Combine(folder.Root, raw), content);
        try
        {
            var found = ImageFolder.Scan(folder.Root, skipped);
            using var decoder = new ImageDecoder();
            var picture = new RgbImage();
            for (int i = 0; i < found.Count; i++)
            {
                decoder.Decode(found.PathOf(i), picture);
                Assert.That(picture.Width, Is.EqualTo(6), found.RelativePathOf(i));
                Assert.That(found.StampOf(i).Length, Is.EqualTo(content.Length));
            }
            Assert.That(
                Enumerable.Range(0, found.Count).Select(found.RelativePathOf),
                Is.EquivalentTo(new[] { "a\\0.png", longest, text, "caf\\xE9.png" }));
            Assert.That(found.ClassNames, Is.Empty, "a backslash is a character");
            Assert.That(skipped.Count, Is.Zero);
        }
        finally
        {
            StrangeFiles.DeleteRaw(Path.Combine(folder.Root, raw));
        }
    }

    [Test]
    public void RawNames_AndTheirBytes_BelongToEachOther()
    {
        var random = new Random(7);
        for (int i = 0; i < 2000; i++)
        {
            byte[] bytes = new byte[random.Next(12)];
            random.NextBytes(bytes);
            Assert.That(RawName.Bytes(RawName.Of(bytes)), Is.EqualTo(bytes), Convert.ToHexString(bytes));
        }
        Assert.That(RawName.Shown(RawName.Of([0x61, 0xFF, 0xC3, 0xA9])), Is.EqualTo("a\\xFFé"));
        Assert.That(RawName.Bytes("\U0001F600"), Is.EqualTo(Encoding.UTF8.GetBytes("\U0001F600")), "a pair of surrogates is a character");
    }

    [Test]
    public void AClosedFolder_IsOneSkippedFolder()
    {
        folder.WritePicture("a/1.png", 1);
        folder.WritePicture("shut/2.png", 2);
        if (OperatingSystem.IsWindows())
            Assert.Inconclusive("Folders are closed by lists here.");
        else
        {
            File.SetUnixFileMode(folder.PathOf("shut"), UnixFileMode.None);
            try
            {
                StrangeFiles.WithoutPrivilege(() => Assert.That(Scan(), Is.EqualTo(new[] { "a/1.png" })));
            }
            finally
            {
                File.SetUnixFileMode(folder.PathOf("shut"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }
        var (path, reason) = skipped.Snapshot().Single();
        Assert.That(path, Is.EqualTo(Path.Combine(folder.Root, "shut")));
        Assert.That(reason, Does.StartWith("the folder cannot be listed").And.Contain("ermission"));
    }

    [Test]
    public void WhatSystemsPutBesideFiles_IsPassedOverWithoutAWord()
    {
        folder.WritePicture("a/1.png", 1);
        foreach (string name in new[]
        {
            "a/._1.png", "a/Thumbs.db", "a/desktop.ini", "a/.DS_Store", "__MACOSX/a/._1.png", "__MACOSX/a/1.png",
                ".ipynb_checkpoints/1-checkpoint.png",
            "a/@eaDir/1.png/SYNOPHOTO.jpg", "a/.hidden/2.png", "$RECYCLE.BIN/x.png",
        })
            folder.WritePicture(name, 2);
        Directory.CreateDirectory(folder.PathOf("empty/er"));

        Assert.That(Scan(), Is.EqualTo(new[] { "a/1.png" }));
        Assert.That(skipped.Count, Is.Zero);
        Assert.That(ImageFolder.Scan(folder.Root).ClassNames, Is.EqualTo(new[] { "a" }), "an empty folder is no class");
    }

    [Test]
    public void OtherFormats_AreNamed()
    {
        folder.WritePicture("1.png", 1);
        (string Name, byte[] Start, string Format)[] cases =
        [
            ("a.heic", [0, 0, 0, 24, .. "ftypheic"u8, 0, 0, 0, 0], "HEIC"), ("b.avif", [0, 0, 0, 24, .. "ftypavif"u8, 0, 0, 0, 0], "AVIF"),
            ("c.dng", TiffBytes.Of(TiffBytes.Page(2, 2, 1, 1, 8, [new byte[4]], (50706, 1, [1, 4, 0, 0]))),
                @"raw camera \(DNG\)"),
            ("d.nef", TiffBytes.Of(TiffBytes.Page(2, 2, 32803, 1, 8, [new byte[4]])), "raw camera"),
            ("e.jp2", [0, 0, 0, 12, .. "jP  \r\n\x87\n"u8], "JPEG 2000"), ("f.jxl", [0xFF, 0x0A, 0, 0], "JPEG XL"),
            ("h.ico", [0, 0, 1, 0, 1, 0, 16, 16], "ICO"), ("i.pcx", [10, 5, 1, 8, 0, 0], "PCX"),
            ("j.psd", [.. "8BPS\0\x01"u8], "Photoshop"),
        ];
        foreach (var (name, start, _) in cases)
            folder.Write(name, start);
        folder.Write("labels.csv", "a,b\n"u8);

        Assert.That(Scan(), Is.EqualTo(new[] { "1.png" }));
        var reasons = skipped.Snapshot();
        Assert.That(reasons, Has.Count.EqualTo(cases.Length + 1));
        for (int i = 0; i < cases.Length; i++)
            Assert.That(reasons[i].Reason, Does.Match($"^it is an? {cases[i].Format}").And.EndWith("convert it to PNG or JPEG"),
                cases[i].Name);
        Assert.That(reasons[^1].Reason, Is.EqualTo($"it is not a {PictureSignature.Formats} picture"));

        File.Delete(folder.PathOf("1.png"));
        Assert.That(() => ImageFolder.Scan(folder.Root),
            Throws.TypeOf<ImageFolderException>().With.Message.Contains("1 raw camera (DNG)").And.Message.Contains("convert"));
    }

    [Test]
    public void MasksBesidePictures_AreSeenAndSaid()
    {
        foreach (string name in new[] { "a/x.jpg", "a/x.png", "a/x.y.png", "a/xy.jpg", "a/y.jpg", "b/y.png", "a/x-1.png" })
            folder.WritePicture(name, 1);

        Assert.That(
            ImageFolder.Scan(folder.Root).Remarks.Single(),
            Does.StartWith("1 pictures have the name of another").And.Contain("a/x.jpg and x.png").And.Contain("`Exclude` '*.png'"));
        Assert.That(ImageFolder.Scan(folder.Root, null, new PicturePatterns([], ["*.png"])).Remarks, Is.Empty);
    }

    [TestCase("*.jpg", "", "a/1.jpg b/c/2.JPG")]
    [TestCase("a/*", "", "a/1.jpg a/1.png")]
    [TestCase("a", "", "a/1.jpg a/1.png")]
    [TestCase("", "a/", "b/c/2.JPG b/masks/3.png")]
    [TestCase("", "masks *.jpg", "a/1.png")]
    [TestCase("b/**/2.*", "", "b/c/2.JPG")]
    [TestCase("**/c/**", "", "b/c/2.JPG")]
    [TestCase("?.png", "b", "a/1.png")]
    public void Patterns_Choose(string include, string exclude, string expected)
    {
        foreach (string name in new[] { "a/1.jpg", "a/1.png", "b/c/2.JPG", "b/masks/3.png" })
            folder.WritePicture(name, 1);
        var patterns = new PicturePatterns(include.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            exclude.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        var found = ImageFolder.Scan(folder.Root, skipped, patterns);

        Assert.That(string.Join(' ', Enumerable.Range(0, found.Count).Select(found.RelativePathOf)), Is.EqualTo(expected));
    }

    [Test]
    public void PatternsThatChooseNothing_AreTheReasonGiven()
    {
        folder.WritePicture("a.jpg", 1);
        Assert.That(
            () => ImageFolder.Scan(folder.Root, null, new PicturePatterns(["*.webp"], [])),
            Throws.TypeOf<ImageFolderException>().With.Message.Contains("`Include`").And.Message.Contains("1 files"));
    }

    [TestCase("caf\u00E9", "cafe\u0301")] // é
    [TestCase("\u1EC7", "e\u0323\u0302")] // ệ: two marks, below before above
    [TestCase("\u1EC7", "e\u0302\u0323")] // and the other way round
    [TestCase("\uD55C", "\u1112\u1161\u11AB")] // 한
    [TestCase("\u212B", "A\u030A")] // the sign of the ångström
    public void NamesThatLookTheSame_AreOneClass(string composed, string decomposed)
    {
        Assert.That(NameForm.Comparer.Equals(composed, decomposed));
        Assert.That(NameForm.Comparer.GetHashCode(composed), Is.EqualTo(NameForm.Comparer.GetHashCode(decomposed)));
        Assert.That(NameForm.Comparer.Equals(composed, "e"), Is.False);
        folder.WritePicture($"{composed}/1.png", 1);
        folder.WritePicture($"{decomposed}/2.png", 2);
        folder.WritePicture("x/1.png", 3);
        var found = ImageFolder.Scan(folder.Root);
        Assert.That(found.ClassNames, Has.Count.EqualTo(2));
        Assert.That(found.Remarks.Single(), Does.Contain("spelled in two ways"));
    }

    private string[] Scan()
    {
        var found = ImageFolder.Scan(folder.Root, skipped);
        return [.. Enumerable.Range(0, found.Count).Select(found.RelativePathOf)];
    }

    private string[] Skipped() => [.. skipped.Snapshot().Select(entry => Path.GetRelativePath(folder.Root, entry.Path))];

    private void Link(string name, string target)
    {
        string path = folder.PathOf(name);
        try
        {
            File.CreateSymbolicLink(path, target);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException && OperatingSystem.IsWindows())
        {
            Assert.Inconclusive("Links may not be made here.");
        }
    }
}
