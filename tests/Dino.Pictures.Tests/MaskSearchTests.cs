using System.Formats.Tar;
using Dino.Pictures.DataSets;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>Masks beside pictures are left out and said; copies of pictures are not.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class MaskSearchTests : IDisposable
{
    private readonly PictureFolder folder = new();

    public void Dispose() => folder.Dispose();

    [TestCase("palette")]
    [TestCase("grey")]
    [TestCase("bits")]
    [TestCase("gif")]
    [TestCase("bmp")]
    public void OfOneNameAndFewColours_IsAMask(string kind)
    {
        string mask = "a/1." + Write("a/1", kind);
        folder.WritePicture("a/1.jpg", 1);
        folder.WritePicture("a/2.jpg", 1);
        folder.Write("a/3.png", Png(kind == "gif" || kind == "bmp" ? "palette" : kind)); // beside nothing

        Expect(["a/1.jpg", "a/2.jpg", "a/3.png"], $"left out 1 files that look like masks ({mask} beside a/1.jpg); `KeepMasks` takes them");
        Assert.That(Scan(keep: true).Count, Is.EqualTo(4));
        Assert.That(Scan(keep: true).Remarks.Single(), Does.StartWith("1 pictures have the name of another"));
    }

    [Test]
    public void ACopyInAnotherFormat_IsAPicture()
    {
        folder.WritePicture("a/1.jpg", 1);
        folder.WritePicture("a/1.png", 1);
        folder.Write("b/1.jpg", GreyJpeg());
        folder.Write("b/1.png", Png("grey"));
        folder.Write("c/1.png", Png("grey"));
        folder.Write("c/1.gif", Gif());

        var found = Scan();
        Assert.That(Names(found), Has.Length.EqualTo(6));
        Assert.That(found.Remarks.Single(), Does.StartWith("3 pictures have the name of another"));
    }

    [TestCase(8, 1)]
    [TestCase(16, 2)]
    public void AScanOf16Bits_IsNoMaskOfItsPreview(int bits, int pictures)
    {
        folder.WritePicture("a/1.jpg", 1);
        folder.Write("a/1.tif", DeepPictures.Tiff(4, 4, 1, bits, (_, x, _) => x));

        Assert.That(Names(Scan()), Has.Length.EqualTo(pictures));
    }

    [TestCase("x_mask.png")]
    [TestCase("x-mask.jpg")]
    [TestCase("x_seg.png")]
    [TestCase("x_label.png")]
    [TestCase("X_LABELS.png")]
    [TestCase("x.mask.png")]
    public void OfTheNameOfAPictureWithMaskBehindIt_IsAMask(string mask)
    {
        folder.WritePicture("a/x.jpg", 1);
        folder.WritePicture("a/" + mask, 2);
        folder.WritePicture("a/y_mask.png", 3); // of no picture
        folder.WritePicture("a/mask.png", 3);

        Expect(["a/mask.png", "a/x.jpg", "a/y_mask.png"], $"(a/{mask} beside a/x.jpg)");
    }

    [TestCase("images/1.jpg", "masks/1.png")]
    [TestCase("train/images/cat/1.png", "train/masks/cat/1_mask.png")]
    [TestCase("JPEGImages/480p/v/00000.jpg", "Annotations/480p/v/00000.png")]
    [TestCase("img/1.png", "SegmentationClass/1.png")]
    public void InAFolderOfMasksBesideOneOfImages_IsAMask(string picture, string mask)
    {
        folder.WritePicture(picture, 1);
        folder.WritePicture(mask, 2);
        Expect([picture], $"({mask} beside {picture})");
    }

    [Test]
    public void AClassCalledMasks_IsAClass()
    {
        foreach (string name in new[] { "masks/1.png", "hats/1.png", "images/2.png" })
            folder.WritePicture(name, 1);
        Assert.That(Scan().ClassNames, Is.EqualTo(new[] { "hats", "images", "masks" }));
    }

    [Test]
    public void InAnArchive_TooTheyAreFound()
    {
        byte[] photo = PictureFolder.Encode("x.jpg", PictureFolder.Pattern(1, 40, 30));
        folder.Write("x.tar", Archives.Tar(TarEntryFormat.Pax, ("k.png", Png("palette")), ("k.jpg", photo), ("l.jpg", photo)));
        var found = ImageFolder.Scan(folder.PathOf("x.tar"));

        Assert.That(Names(found), Is.EqualTo(new[] { "k.jpg", "l.jpg" }));
        Assert.That(found.MasksLeftOut, Is.EqualTo(1));
    }

    [Test]
    public void Patterns_ComeFirst()
    {
        folder.WritePicture("1.jpg", 1);
        folder.Write("1.png", Png("palette"));
        Assert.That(Names(ImageFolder.Scan(folder.Root, null, new PicturePatterns(["*.png"], []))), Is.EqualTo(new[] { "1.png" }));
    }

    private void Expect(string[] names, string remark)
    {
        var found = Scan();
        Assert.That(Names(found), Is.EqualTo(names));
        Assert.That(found.Remarks.Single(), Does.Contain(remark));
        Assert.That(found.MasksLeftOut, Is.EqualTo(1));
    }

    private ImageFolder Scan(bool keep = false) => ImageFolder.Scan([folder.Root], new ImageFolderOptions { KeepMasks = keep });

    private string Write(string stem, string kind)
    {
        string ending = kind is "gif" or "bmp" ? kind : "png";
        folder.Write($"{stem}.{ending}", kind switch { "gif" => Gif(), "bmp" => Bmp(), _ => Png(kind) });
        return ending;
    }

    private static byte[] Png(string kind) => kind switch
    {
        "palette" => PictureFolder.Png(4, 1, 8, 3, [0, 0, 1, 1, 0], ("PLTE", [0, 0, 0, 255, 0, 0])),
        "grey" => PictureFolder.Png(4, 1, 8, 0, [0, 0, 255, 255, 0]),
        _ => PictureFolder.Png(4, 1, 1, 0, [0, 0x60]),
    };

    private static byte[] Gif() =>
        [.. "GIF89a"u8, 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255, 0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3B];

    private static byte[] Bmp() =>
        [.. "BM"u8, 66, 0, 0, 0, 0, 0, 0, 0, 62, 0, 0, 0, 40, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, .. new byte[24],
            0, 0, 0, 0, 255, 255, 255, 0, 0x80, 0, 0, 0];

    private static byte[] GreyJpeg() => [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 0, 0, 0xFF, 0xC0, 0, 11, 8, 0, 1, 0, 1, 1, 1, 0x11, 0, 0xFF, 0xD9];

    private static string[] Names(ImageFolder found) => [.. Enumerable.Range(0, found.Count).Select(found.RelativePathOf)];
}
