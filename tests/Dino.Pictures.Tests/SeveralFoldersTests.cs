using System.Formats.Tar;
using System.Text;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>Several folders at once, lists of paths, and shards of WebDataset.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class SeveralFoldersTests : IDisposable
{
    private readonly PictureFolder folder = new();
    private readonly SkippedFiles skipped = new();

    public void Dispose() => folder.Dispose();

    [Test]
    public void Folders_AreTakenInTheOrderGiven_ClassesOfOneNameAreOne()
    {
        foreach (string name in new[] { "new/dog/1.png", "new/cat/1.png", "old/cat/1.png", "old/cow/1.png" })
            folder.WritePicture(name, name.GetHashCode(StringComparison.Ordinal) & 7);
        var found = Scan("old", "new");

        Assert.That(Names(found), Is.EqualTo(new[] { "old/cat/1.png", "old/cow/1.png", "new/cat/1.png", "new/dog/1.png" }));
        Assert.That(found.ClassNames, Is.EqualTo(new[] { "cat", "cow", "dog" }));
        Assert.That(Labels(found), Is.EqualTo(new[] { 0, 1, 0, 2 }));
        Assert.That(found.Roots, Is.EqualTo(new[] { folder.PathOf("old"), folder.PathOf("new") }));
        Assert.That(found.PathOf(2), Is.EqualTo(folder.PathOf("new/cat/1.png")));
        Assert.That(Names(Scan(["old", "new"], new PicturePatterns(["cat/*"], []))),
            Is.EqualTo(new[] { "old/cat/1.png", "new/cat/1.png" }));
    }

    [Test]
    public void FoldersOfOneName_AreToldApartByThoseThatTheyLieIn()
    {
        foreach (string name in new[] { "2023/photos/1.png", "2024/photos/1.png", "more/1.png" })
            folder.WritePicture(name, 1);

        Assert.That(Names(Scan("2023/photos", "2024/photos", "more")),
            Is.EqualTo(new[] { "2023/photos/1.png", "2024/photos/1.png", "more/1.png" }));
    }

    [TestCase("a", "a", "is named twice")]
    [TestCase("a", "./b/../a/", "is named twice")]
    [TestCase("a", "link", "are the same")]
    [TestCase("a", "a/deep", "lies in")]
    [TestCase("a/deep/er", "a", "lies in")]
    [TestCase("link/deep", "a", "lies in")]
    [TestCase("x.zip", "x.zip", "is named twice")]
    public void WhatWouldCountTwice_IsRefused(string one, string other, string reason)
    {
        folder.WritePicture("a/deep/er/1.png", 1);
        folder.WritePicture("b/1.png", 1);
        folder.Write("x.zip", Archives.Zip(default, ("1.png", File.ReadAllBytes(folder.PathOf("b/1.png")))));
        if (!OperatingSystem.IsWindows())
            Directory.CreateSymbolicLink(folder.PathOf("link"), "a");
        else if (one.StartsWith("link", StringComparison.Ordinal) || other == "link")
            Assert.Inconclusive("Links may not be made here.");

        Assert.That(() => Scan(one, other), Throws.TypeOf<ImageFolderException>().With.Message.Contains(reason)
            .And.Message.Contains("would count twice"));
    }

    [Test]
    public void FilesThatTwoSourcesName_AreSaid()
    {
        folder.WritePicture("a/1.png", 1);
        folder.Write("list.txt", "a/1.png"u8);

        Assert.That(Scan("a", "list.txt").Remarks.Single(), Does.Contain("a/1.png and list.txt/a/1.png are one file"));
    }

    [Test]
    public void OneEmptyFolderOfSeveral_IsAnError()
    {
        folder.WritePicture("a/1.png", 1);
        Directory.CreateDirectory(folder.PathOf("b"));
        Assert.That(() => Scan("a", "b"), Throws.TypeOf<ImageFolderException>().With.Message.Contains("/b' holds no picture"));
        Assert.That(() => Scan("a", "c"), Throws.TypeOf<ImageFolderException>().With.Message.Contains("c' does not exist"));
    }

    [Test]
    public void AList_NamesPictures_InItsOrder()
    {
        foreach (string name in new[] { "p/cat/1.png", "p/dog/2.png", "p/dog/3 4", "p/left out.png" })
            folder.WritePicture(name, 1);
        folder.Write("lists/list.txt", Encoding.UTF8.GetBytes(
            "\uFEFF# pictures\n../p/dog/2.png\r\n\n  ../p/cat/1.png  \n../p/dog/3 4\n../p/dog/2.png\n../p/dog/none.png\n../p\n"));
        var found = ImageFolder.Scan(folder.PathOf("lists/list.txt"), skipped);

        Assert.That(Names(found), Is.EqualTo(new[] { "../p/dog/2.png", "../p/cat/1.png", "../p/dog/3 4" }));
        Assert.That(found.ClassNames, Is.EqualTo(new[] { "cat", "dog" }));
        Assert.That(Labels(found), Is.EqualTo(new[] { 1, 0, 1 }));
        Assert.That(found.Remarks, Has.Count.EqualTo(2).And.Some.StartsWith("1 lines name a picture that an earlier line names"));
        Assert.That(skipped.Snapshot().Select(entry => entry.Reason),
            Is.EqualTo(new[] { "it is a folder; a list names pictures (line 8 of list.txt)",
                "there is no such file (line 7 of list.txt)" }));
        using var decoder = new ImageDecoder();
        using var input = found.Open(0);
        decoder.Decode(input, new RgbImage());
    }

    [TestCase("1.png\tcat\n2.png\tdog house\n3.png\n", new[] { "cat", "dog house" }, new[] { 0, 1, -1 })]
    [TestCase("1.png 7\n2.png 12\n3.png 7\n", new[] { "12", "7" }, new[] { 1, 0, 1 })]
    [TestCase("1.png\n2.png\n3.png\n", new string[0], new[] { -1, -1, -1 })]
    public void AList_NamesClasses(string text, string[] classes, int[] labels)
    {
        foreach (string name in new[] { "1.png", "2.png", "3.png" })
            folder.WritePicture(name, 1);
        folder.Write("x.lst", Encoding.UTF8.GetBytes(text));
        var found = Scan("x.lst");

        Assert.That(found.ClassNames, Is.EqualTo(classes));
        Assert.That(Labels(found), Is.EqualTo(labels));
    }

    [Test]
    public void APictureThatAListNamesInSeveralWays_CountsOnce()
    {
        folder.WritePicture("cat/1.png", 1);
        folder.Write("x.txt", Encoding.UTF8.GetBytes($"cat/1.png\ncat/../cat/1.png\ncat//1.png\n{folder.PathOf("cat/1.png")}\n"));
        var found = Scan("x.txt");

        Assert.That(Names(found), Is.EqualTo(new[] { "cat/1.png" }));
        Assert.That(found.Remarks, Has.Some.StartsWith("3 lines name a picture that an earlier line names"));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void AListOfWindows_IsRead(bool bigEndian)
    {
        folder.WritePicture("cat/1.png", 1);
        var encoding = bigEndian ? Encoding.BigEndianUnicode : Encoding.Unicode;
        folder.Write("x.txt", [.. encoding.Preamble, .. encoding.GetBytes("cat\\1.png\r\n")]);
        Assert.That(Names(Scan("x.txt")), Is.EqualTo(new[] { "cat/1.png" }));
    }

    [TestCase("# nothing\n", "names no picture")]
    [TestCase(".\n", "it is a folder; a list names pictures")]
    [TestCase("a.png\nb.png\n", "none of the 2 that it names")]
    public void AListWithoutAPicture_IsAnError(string text, string reason)
    {
        folder.Write("x.txt", Encoding.UTF8.GetBytes(text));
        Assert.That(() => Scan("x.txt"), Throws.TypeOf<ImageFolderException>().With.Message.Contains(reason));
    }

    [Test]
    public void Shards_AreNamedByBraces_AndClassesByTheirFiles()
    {
        for (int shard = 8; shard < 11; shard++)
        {
            byte[] picture = PictureFolder.Encode("x.png", PictureFolder.Pattern(shard, 40, 30));
            folder.Write($"train-{shard:D4}.tar", Archives.Tar(TarEntryFormat.Ustar,
                ("001.left.png", picture), ("001.right.png", picture), ("001.cls", Encoding.ASCII.GetBytes($"{shard}\n")),
                ("001.json", "{}"u8.ToArray()), ("001.txt", "a caption"u8.ToArray()), ("002.png", picture)));
        }
        var found = ImageFolder.Scan([folder.PathOf("train-{0008..0010}.tar")], new ImageFolderOptions(), skipped);

        Assert.That(Names(found).Take(4), Is.EqualTo(new[] { "train-0008.tar/001.left.png", "train-0008.tar/001.right.png",
            "train-0008.tar/002.png", "train-0009.tar/001.left.png" }));
        Assert.That(found.ClassNames, Is.EqualTo(new[] { "10", "8", "9" }));
        Assert.That(Labels(found), Is.EqualTo(new[] { 1, 1, -1, 2, 2, -1, 0, 0, -1 }));
        Assert.That(skipped.Count, Is.Zero);
        Assert.That(() => Scan("train-{0007..0012}.tar"), Throws.TypeOf<ImageFolderException>()
            .With.Message.Contains("6 names, of which 3 are missing").And.Message.Contains("train-0007.tar"));
        Assert.That(() => Scan("."), Throws.TypeOf<ImageFolderException>().With.Message.Contains("but 3 archives")
            .And.Message.Contains("train-{0008..0010}.tar'"));
        Assert.That(skipped.Count, Is.Zero);
        folder.WritePicture("one.png", 1);
        Assert.That(Names(Scan(".")), Is.EqualTo(new[] { "one.png" }));
        Assert.That(skipped.Snapshot().Select(entry => entry.Reason), Has.Exactly(3).StartsWith("it is an archive, which is read only"));
    }

    [TestCase("a{0..2}b", "a0b a1b a2b")]
    [TestCase("{08..11}", "08 09 10 11")]
    [TestCase("{3..1}{x,y}", "3x 3y 2x 2y 1x 1y")]
    [TestCase("{0..10..5}", "0 5 10")]
    [TestCase("{train,val}.tar", "train.tar val.tar")]
    [TestCase("{x}{1..2}", "{x}1 {x}2")]
    public void Braces(string name, string expected) =>
        Assert.That(string.Join(' ', BraceNotation.Expand(name)!), Is.EqualTo(expected));

    [TestCase("plain")]
    [TestCase("{x}")]
    [TestCase("{1..x}")]
    [TestCase("}{")]
    public void OtherBraces_AreNames(string name) => Assert.That(BraceNotation.Expand(name), Is.Null);

    [TestCase("{0..9999999}")]
    [TestCase("{0..999}{0..999}")]
    public void TooManyNames_AreRefused(string name) =>
        Assert.That(() => BraceNotation.Expand(name), Throws.TypeOf<ImageFolderException>().With.Message.Contains("more than"));

    [Test]
    public void AFileWhoseNameHasBraces_IsThatFile()
    {
        folder.WritePicture("p{1..2}/a/1.png", 1);
        Assert.That(Scan("p{1..2}").ClassNames, Is.EqualTo(new[] { "a" }));
    }

    private ImageFolder Scan(params string[] names) => Scan(names, PicturePatterns.All);

    private ImageFolder Scan(string[] names, PicturePatterns patterns) => ImageFolder.Scan(
        [.. names.Select(name => Path.Combine(folder.Root, name))], new ImageFolderOptions { Patterns = patterns }, skipped);

    private static string[] Names(ImageFolder found) => [.. Enumerable.Range(0, found.Count).Select(found.RelativePathOf)];

    private static int[] Labels(ImageFolder found) => [.. Enumerable.Range(0, found.Count).Select(found.LabelOf)];
}
