using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Writing;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>Masks: the numbers that PNG files store, and what they mean.</summary>
public class LabelMapTests
{
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(4)]
    [TestCase(8)]
    public void PaletteFiles_AreRead_WhateverTheirDepth(int depth)
    {
        using var folder = new PictureFolder();
        const int width = 5, height = 3;
        int most = (1 << depth) - 1;
        byte[] ids = [.. Enumerable.Range(0, width * height).Select(i => (byte)(i % (most + 1)))];
        int bytes = (width * depth + 7) / 8;
        byte[] raw = new byte[height * (1 + bytes)];
        for (int i = 0; i < ids.Length; i++)
        {
            int bit = i % width * depth;
            raw[i / width * (1 + bytes) + 1 + bit / 8] |= (byte)(ids[i] << (8 - depth - bit % 8));
        }
        string path = folder.Write("mask.png", PictureFolder.Png(width, height, (byte)depth, 3, raw, ("PLTE", new byte[3 * (most + 1)])));

        Assert.That(LabelMap.Read(path, MaskKind.Ids).Ids, Is.EqualTo(ids));
    }

    /// <summary>Every filter of section 9.2 of the standard, each undone by hand: rows of 3 grey pixels.</summary>
    [Test]
    public void FiltersAreUndone()
    {
        using var folder = new PictureFolder();
        byte[] raw =
        [
            0, 10, 20, 30,
            1, 1, 2, 3, // left: 1 3 6
            2, 5, 5, 5, // up: 6 8 11
            3, 2, 2, 2, // mean of left and up: 2+3=5, 2+(5+8)/2=8, 2+(8+11)/2=11
            4, 1, 1, 1, // Paeth: 1+5=6, 1+max neighbour 8, 1+11
        ];
        string path = folder.Write("mask.png", PictureFolder.Png(3, 5, 8, 0, raw));

        Assert.That(LabelMap.Read(path, MaskKind.Ids).Ids, Is.EqualTo(new byte[] { 10, 20, 30, 1, 3, 6, 6, 8, 11, 5, 8, 11, 6, 9, 12 }));
    }

    [Test]
    public void WhatIsWritten_IsReadAgain_AndTheCodecSeesItsColours()
    {
        using var folder = new PictureFolder();
        byte[] ids = [0, 1, 2, 3, 20, 255];
        string path = folder.PathOf("mask.png");
        IndexedPng.Write(path, ids, 3, 2);
        var picture = new RgbImage();
        using (var decoder = new ImageDecoder())
            decoder.Decode(path, picture);

        Assert.That(PngIndices.Read(File.ReadAllBytes(path), 100)!.Value.Values, Is.EqualTo(ids));
        Assert.That(LabelMap.Read(path).Ids, Is.EqualTo(new byte[] { 0, 1, 2, 3, 20, 0 }), "255 is undecided");
        // The colours of PASCAL VOC: background, aeroplane, bicycle, bird, tv/monitor, void.
        Assert.That(picture.Pixels.ToArray(),
            Is.EqualTo(new byte[] { 0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0, 0, 64, 128, 224, 224, 192 }));
    }

    [Test]
    public void EveryId_IsWrittenAsItsPlaceInThePalette()
    {
        using var folder = new PictureFolder();
        byte[] ids = [.. Enumerable.Range(0, 3 * 256).Select(i => (byte)(i * 77))];
        string path = folder.PathOf("mask.png");

        IndexedPng.Write(path, ids, 96, 8);

        byte[] file = File.ReadAllBytes(path);
        Assert.That(PngIndices.Read(file, 1000), Is.EqualTo((ids, 96, 8, true)).Using<(byte[] Values, int, int, bool)>((a, b) =>
            a.Values.AsSpan().SequenceEqual(b.Values) && (a.Item2, a.Item3, a.Item4) == (b.Item2, b.Item3, b.Item4)));
        Assert.That(PngStructure.Last(file, "PLTE"u8).ToArray(), Is.EqualTo(VocColours.Palette.ToArray()));
        Assert.That(PngStructure.Last(file, "tRNS"u8).ToArray(), Is.Empty);
        Assert.That(() => IndexedPng.Write(path, ids, 95, 8), Throws.ArgumentException);
    }

    [TestCase(new byte[] { 0, 255, 255, 0 }, MaskKind.Auto, MaskKind.Binary, new byte[] { 0, 1, 1, 0 })]
    [TestCase(new byte[] { 0, 90, 200, 255 }, MaskKind.Auto, MaskKind.Binary, new byte[] { 0, 0, 1, 1 })]
    [TestCase(new byte[] { 0, 1, 2, 255 }, MaskKind.Auto, MaskKind.Ids, new byte[] { 0, 1, 2, 0 })]
    [TestCase(new byte[] { 0, 90, 200, 255 }, MaskKind.Ids, MaskKind.Ids, new byte[] { 0, 90, 200, 0 })]
    public void GreyFiles_AreIdsOrOneObject(byte[] stored, MaskKind asked, MaskKind found, byte[] expected)
    {
        using var folder = new PictureFolder();
        string path = folder.Write("mask.png", PictureFolder.Png(2, 2, 8, 0, [0, stored[0], stored[1], 0, stored[2], stored[3]]));
        var map = LabelMap.Read(path, ref asked);

        Assert.That((asked, map.Width, map.Height), Is.EqualTo((found, 2, 2)));
        Assert.That(map.Ids, Is.EqualTo(expected));
    }

    /// <summary>Sixteen bits, with the filter that looks a pixel to the left, which is two bytes.</summary>
    [Test]
    public void SixteenBits_AreNumbersWhereTheyFit()
    {
        using var folder = new PictureFolder();
        string small = folder.Write("small.png", PictureFolder.Png(2, 2, 16, 0, [1, 0, 3, 0, 2, 0, 0, 0, 0, 5]));
        string large = folder.Write("large.png", PictureFolder.Png(2, 1, 16, 0, [0, 0, 0, 0xC8, 0x10]));

        Assert.That(LabelMap.Read(small, MaskKind.Ids).Ids, Is.EqualTo(new byte[] { 3, 5, 0, 5 }));
        Assert.That(LabelMap.Read(large, MaskKind.Ids).Ids, Is.EqualTo(new byte[] { 0, 0xC8 }), "else the upper half counts");
    }

    [Test]
    public void WhatIsNoMask_IsRefused()
    {
        using var folder = new PictureFolder();
        string coloured = folder.WritePicture("coloured.png", 3); // (111, 33, 159) and others
        string truncated = folder.Write("truncated.png", PictureFolder.Png(3, 2, 8, 0, [0, 1, 2, 3, 0]));
        string huge = folder.Write("huge.png", PictureFolder.Png(int.MaxValue, int.MaxValue, 8, 0, []));

        Assert.That(() => LabelMap.Read(coloured), Throws.TypeOf<ImageFolderException>().With.Message.Contains("coloured"));
        Assert.That(() => LabelMap.Read(truncated), Throws.TypeOf<ImageFolderException>().With.Message.Contains("truncated"));
        Assert.That(() => LabelMap.Read(huge), Throws.TypeOf<ImageFolderException>().With.Message.Contains("pixels"));
        Assert.That(() => LabelMap.Read(folder.PathOf("none.png")), Throws.TypeOf<ImageFolderException>().With.Message.Contains("no mask"));
    }
}
