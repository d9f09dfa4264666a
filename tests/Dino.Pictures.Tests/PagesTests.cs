using System.Buffers.Binary;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>Pages of TIFF files as pictures of their own.</summary>
public sealed class PagesTests
{
    [Test]
    public void EveryPage_IsAPicture_WhereThatIsAskedFor()
    {
        using var folder = new PictureFolder();
        byte[] scan = Tiff(10, 20, 30);
        folder.Write("a/scan.tif", scan);
        folder.Write("a/single.tif", Tiff(40));
        folder.Write("b.zip", Archives.Zip(default, ("a/scan.tif", scan)));
        folder.WritePicture("a/x.png", 1);

        Assert.That(Names(Scan(folder.PathOf("a/x.png")[..^6], false)), Is.EqualTo(new[] { "scan.tif", "single.tif", "x.png" }));
        var found = Scan(folder.PathOf("a/x.png")[..^6], true);
        Assert.That(Names(found), Is.EqualTo(new[] { "scan.tif#1", "scan.tif#2", "scan.tif#3", "single.tif", "x.png" }));
        Assert.That(Greys(found, 4), Is.EqualTo(new[] { 10, 20, 30, 40 }));
        Assert.That(found.StampOf(1).Length, Is.EqualTo(scan.Length));
        var packed = Scan(folder.PathOf("b.zip"), true);
        Assert.That(Names(packed), Is.EqualTo(new[] { "a/scan.tif#1", "a/scan.tif#2", "a/scan.tif#3" }));
        Assert.That(Greys(packed, 3), Is.EqualTo(new[] { 10, 20, 30 }));
        Assert.That(PictureListing.Of(packed).Identity().Contents, Is.Not.Null);
    }

    [TestCase(0.01)]
    [TestCase(0.5)]
    [TestCase(0.99)]
    public void PagesOfAFile_StayTogether(double share)
    {
        using var folder = new PictureFolder();
        for (int i = 0; i < 8; i++)
            folder.Write($"a/{i}.tif", Tiff(10, 20, 30));
        var (train, val) = Scan(folder.Root, true).Split(share);

        Assert.That(train.Count + val.Count, Is.EqualTo(24));
        Assert.That(new[] { train.Count % 3, val.Count % 3 }, Is.All.Zero);
        Assert.That(new[] { train.Count, val.Count }, Is.All.GreaterThan(0));
    }

    private static ImageFolder Scan(string path, bool everyPage) =>
        ImageFolder.Scan([path], new ImageFolderOptions { EveryPage = everyPage });

    private static int[] Greys(ImageFolder found, int count)
    {
        using var decoder = new ImageDecoder();
        var image = new RgbImage();
        return [.. Enumerable.Range(0, count).Select(sample =>
        {
            using var input = found.Open(sample);
            decoder.Decode(input, image);
            return (int)image.Pixels[0];
        })];
    }

    /// <summary>A grey pixel a page.</summary>
    private static byte[] Tiff(params byte[] greys)
    {
        const int entries = 8, directory = 2 + 12 * entries + 4, start = 8;
        byte[] file = new byte[start + greys.Length * (directory + 1)];
        "II*\0"u8.CopyTo(file);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(4), start);
        for (int page = 0; page < greys.Length; page++)
        {
            int at = start + page * (directory + 1), data = at + directory;
            var span = file.AsSpan(at);
            BinaryPrimitives.WriteInt16LittleEndian(span, entries);
            (int Tag, int Value)[] fields = [(256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, data), (277, 1), (279, 1)];
            for (int i = 0; i < entries; i++)
            {
                BinaryPrimitives.WriteInt16LittleEndian(span[(2 + 12 * i)..], (short)fields[i].Tag);
                BinaryPrimitives.WriteInt16LittleEndian(span[(4 + 12 * i)..], 4);
                BinaryPrimitives.WriteInt32LittleEndian(span[(6 + 12 * i)..], 1);
                BinaryPrimitives.WriteInt32LittleEndian(span[(10 + 12 * i)..], fields[i].Value);
            }
            BinaryPrimitives.WriteInt32LittleEndian(span[(directory - 4)..], page + 1 < greys.Length ? data + 1 : 0);
            file[data] = greys[page];
        }
        return file;
    }

    private static string[] Names(ImageFolder found) => [.. Enumerable.Range(0, found.Count).Select(found.RelativePathOf)];
}
