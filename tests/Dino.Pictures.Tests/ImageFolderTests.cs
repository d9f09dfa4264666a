using Dino.Pictures.DataSets;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

public sealed class ImageFolderTests
{
    [Test]
    public void Classes_are_the_first_level_folders_in_ordinal_order()
    {
        using var folder = new PictureFolder();
        foreach (string name in new[] { "b/2.png", "b/10.jpg", "a/deep/er/x.png", "Z/1.webp", "b/sub/1.png" })
            folder.WritePicture(name, 1);
        var found = ImageFolder.Scan(folder.Root);
        Assert.That(found.ClassNames, Is.EqualTo(new[] { "Z", "a", "b" }));
        Assert.That(found.IsLabelled);
        var entries = Enumerable.Range(0, found.Count).Select(
            i => (Path.GetRelativePath(folder.Root, found.PathOf(i)).Replace('\\', '/'), found.LabelOf(i)));
        Assert.That(
            entries,
            Is.EqualTo(new[] { ("Z/1.webp", 0), ("a/deep/er/x.png", 1), ("b/10.jpg", 2), ("b/2.png", 2), ("b/sub/1.png", 2) }));
    }

    [Test]
    public void A_flat_folder_has_no_labels()
    {
        using var folder = new PictureFolder();
        folder.WritePicture("1.png", 1);
        folder.WritePicture("2.png", 2);
        var found = ImageFolder.Scan(folder.Root);
        Assert.That(found.ClassNames, Is.Empty);
        Assert.That(found.IsLabelled, Is.False);
        Assert.That(found.LabelOf(1), Is.EqualTo(ImageFolder.NoLabel));
    }

    [Test]
    public void A_mixed_folder_labels_what_it_can()
    {
        using var folder = new PictureFolder();
        folder.WritePicture("1.png", 1);
        folder.WritePicture("cat/1.png", 2);
        var found = ImageFolder.Scan(folder.Root);
        Assert.That((found.LabelOf(0), found.LabelOf(1)), Is.EqualTo((ImageFolder.NoLabel, 0)));
        Assert.That(found.IsLabelled, Is.False);
    }

    [Test]
    public void Pictures_are_known_by_name_or_by_content_and_the_rest_is_reported_once()
    {
        using var folder = new PictureFolder();
        folder.WritePicture("upper.JPG", 1);
        folder.Write("noname", PictureFolder.Encode("x.png", PictureFolder.Pattern(1, 5, 5)));
        string text = folder.Write("notes.txt", "notes"u8);
        folder.Write(".hidden.png", "x"u8);
        folder.Write(".git/1.png", "x"u8);
        var skipped = new SkippedFiles();
        Assert.That(ImageFolder.Scan(folder.Root, skipped).Count, Is.EqualTo(2));
        Assert.That(skipped.Snapshot().Select(entry => entry.Path), Is.EqualTo(new[] { text }));
    }

    [Test]
    public void A_missing_folder_a_file_and_a_folder_without_pictures_are_named()
    {
        using var folder = new PictureFolder();
        string file = folder.Write("notes.txt", "notes"u8), missing = Path.Combine(folder.Root, "missing");
        Assert.That(
            () => ImageFolder.Scan(missing),
            Throws.TypeOf<ImageFolderException>().With.Message.Contains(missing).And.Message.Contains("does not exist"));
        Assert.That(() => ImageFolder.Scan(file), Throws.TypeOf<ImageFolderException>().With.Message.Contains("is a file"));
        Assert.That(() => ImageFolder.Scan(folder.Root), Throws.TypeOf<ImageFolderException>().With.Message.Contains("holds no picture"));
    }
}
