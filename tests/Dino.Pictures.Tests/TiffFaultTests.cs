using System.Buffers.Binary;
using BitMiracle.LibTiff.Classic;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Testing.Runs;
using NUnit.Framework;
using static Dino.Pictures.Tests.TiffBytes;

namespace Dino.Pictures.Tests;

/// <summary>Pages are found, and files that state what is not so are refused: quickly, with little memory and with the reason.</summary>
public class TiffFaultTests
{
    private static readonly Picture grey = Page(6, 4, 1, 1, 8, [[.. Enumerable.Range(0, 24).Select(i => (byte)(10 * i))]]);

    private static readonly Picture packed = Page(6, 4, 1, 1, 8, [Deflate(grey.Parts[0])], (259, Short, [8]));

    private static string? Reason(byte[] file, int page = 0)
    {
        using var input = new Paged(file, page);
        var image = new RgbImage();
        string? reason = TiffPicture.Decode(input, new DecodeLimits(1 << 20), image, 3);
        string? ofFloats = TiffPicture.Decode(input, new DecodeLimits(1 << 20), new FloatImage());
        Assert.That(reason is null, Is.EqualTo(ofFloats is null), $"{reason}, {ofFloats}");
        return reason;
    }

    private static int First(byte[] file, int page)
    {
        using var input = new Paged(file, page);
        var image = new RgbImage();
        Assert.That(TiffPicture.Decode(input, new DecodeLimits(1 << 20), image, 3), Is.Null);
        return image.Pixels[0];
    }

    private static int Pages(byte[] file)
    {
        using var input = PictureInput.OfBytes(file);
        return TiffPicture.CountPages(input);
    }

    [Test]
    public void Pages_AreThePicturesInFull([Values] bool bigEndian, [Values] bool big)
    {
        Picture Filled(byte value) => Page(6, 4, 1, 1, 8, [[.. Enumerable.Repeat(value, 24)]]);
        byte[] file = Of(
        [
            Filled(1), Filled(2).With(254, Long, 1), Filled(3).With(254, Long, 2), Filled(4).With(254, Long, 4),
            Filled(5).With(255, Short, 2), Filled(6),
        ], bigEndian, big);
        Assert.That(Pages(file), Is.EqualTo(3));
        Assert.That(Enumerable.Range(0, 3).Select(page => First(file, page)), Is.EqualTo(new[] { 1, 3, 6 }));
        Assert.That(Reason(file, page: 3), Is.EqualTo("it has 3 pages, and none of number 3"));
        byte[] small = Of([Filled(7).With(254, Long, 1), Filled(8).With(254, Long, 1)], bigEndian, big);
        Assert.That((Pages(small), First(small, 0)), Is.EqualTo((1, 7)), "of nothing but small copies, the first");
    }

    [Test]
    public void ChainsThatGoInCircles_End([Values] bool big)
    {
        byte[] file = Of([grey, grey, grey], big: big);
        int place = big ? 8 : 4;
        long first = big ? BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(8)) : BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(4));
        foreach (long next in new[] { first, 0, 3, file.Length - 1, (long)int.MaxValue, uint.MaxValue })
        {
            byte[] changed = [.. file];
            Patch(changed, file.Length - place, next, place);
            Assert.That(Pages(changed), Is.EqualTo(3), $"{next}");
            Assert.That(First(changed, 2), Is.Zero);
            Assert.That(Reason(changed, page: 3), Does.StartWith("it has 3 pages"));
        }
        // A directory that is its own successor.
        byte[] self = Of([grey], big: big);
        Patch(self, self.Length - place, big ? BinaryPrimitives.ReadInt64LittleEndian(self.AsSpan(8))
            : BinaryPrimitives.ReadInt32LittleEndian(self.AsSpan(4)), place);
        Assert.That(Pages(self), Is.EqualTo(1));
    }

    [Test]
    public void ABigTiffThatKeepsLibrariesBusy_IsRefused()
    {
        // Header, one field, and itself as its successor.
        byte[] file = [.. "II+\0"u8, 8, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 16];
        Assert.That(file, Has.Length.LessThan(44));
        Assert.That(Reason([.. file, .. new byte[43 - file.Length]]), Is.EqualTo("the file is truncated"));
        byte[] many = [.. file];
        many.AsSpan(16, 8).Fill(0xFF);
        Assert.That(Reason(many), Is.EqualTo("its header is damaged"));
    }

    [Test]
    public void CutFiles_AreTruncated()
    {
        // Data first, the directory after it: the other way round, so that the cut meets the data.
        foreach (var page in new[] { grey, packed, packed.With(322, Long, 16).With(323, Long, 16).Without(278) })
        {
            byte[] file = Of(page);
            int data = page.Parts[0].Length;
            byte[] turned = [.. "II*\0"u8, 8, 0, 0, 0, .. file[(8 + data)..], .. page.Parts[0]];
            // Offsets into what moved to the front: short fields are in their places, and only the data's offset changes.
            int entry = Enumerable.Range(0, (file.Length - 8 - data) / 12).Select(i => 10 + 12 * i)
                .First(at => BinaryPrimitives.ReadUInt16LittleEndian(turned.AsSpan(at)) is 273 or 324);
            Patch(turned, entry + 8, turned.Length - data, 4);
            if (page == grey)
                Assert.That(Reason(turned), Is.Null);
            foreach (int cut in new[] { 1, 2, data / 2, data })
                Assert.That(Reason(turned[..^cut]), Is.EqualTo("the file is truncated"), $"{data - cut} of {data}");
            Assert.That(Reason(turned[..40]), Is.EqualTo("the file is truncated"));
        }
        Assert.That(Reason([.. "II*\0"u8, 8, 0, 0, 0]), Is.EqualTo("the file is truncated"));
        Assert.That(Reason([.. "II*\0"u8, 0, 0, 0, 0]), Is.EqualTo("its header is damaged"));
        Assert.That(Reason([.. "II*\0"u8]), Is.EqualTo("the file is truncated"));
    }

    [TestCase(5, 0xFE, 0x5A, 0x01, 0x33)]
    [TestCase(5, 0x80, 0x10, 0x60, 0x20)] // clear, one sample and the end
    [TestCase(5, 0x80, 0x10, 0x40)] // the same without the end
    [TestCase(8, 0xFE, 0x5A, 0x01, 0x33)]
    [TestCase(32773, 0xFE, 0x5A, 0x01, 0x33)]
    [TestCase(3, 0xFE, 0x5A, 0x01, 0x33)]
    [TestCase(4, 0xFE, 0x5A, 0x01, 0x33)]
    [TestCase(4, 0xFF, 0xFF)] // sixteen rows as the one before
    [TestCase(2, 0x35)]
    public void PartsThatHoldLessThanTheyShould_AreDamaged(int scheme, params int[] bytes)
    {
        byte[] part = [.. bytes.Select(value => (byte)value)];
        var page = Page(60, 40, 1, 1, scheme < 5 ? 1 : 8, [part], (259, Short, [scheme]));
        Assert.That(Reason(Of(page)), Is.EqualTo("its data are damaged"));
    }

    [Test]
    public void BytesTooMany_AreNoDamage()
    {
        byte[] runs = [.. Enumerable.Range(0, 4).SelectMany(y => new byte[] { 251, (byte)(50 * y) })]; // six of each
        runs[6] = 240;
        Assert.That(First(Of(Page(6, 4, 1, 1, 8, [runs], (259, Short, [32773]))), 0), Is.Zero);
        Assert.That(First(Of(packed with { Parts = [[.. packed.Parts[0], 1, 2, 3]] }), 0), Is.Zero);
    }

    [Test]
    public void JpegParts_OfAnotherSize_OrCut_AreDamaged()
    {
        byte[] jpeg = PictureFolder.Encode("x.jpg", PictureFolder.Pattern(1, 40, 24));
        var page = Page(40, 24, 6, 3, 8, [jpeg], (259, Short, [7]), (530, Short, [2, 2]));
        Assert.That(Reason(Of(page)), Is.Null);
        Assert.That(Reason(Of(page.With(257, Long, 32).With(278, Long, 32))), Is.EqualTo("its data are damaged"));
        Assert.That(Reason(Of(page.With(257, Long, 16).With(278, Long, 16))), Is.EqualTo("its data are damaged"));
        foreach (int cut in new[] { 30, jpeg.Length / 2, jpeg.Length - 40 })
            Assert.That(Reason(Of(page with { Parts = [jpeg[..^cut]] })), Is.EqualTo("its data are damaged"), $"{cut} bytes less");
        byte[] scans = JpegParts.Grey(24, 17, 30);
        Assert.That(Reason(Of(Page(24, 17, 1, 1, 8, [scans], (259, Short, [7])))), Does.Contain("30 scans"));
    }

    [Test]
    public void FalseHeaders_AreRefused_BeforeMemoryIsTaken()
    {
        (Picture Page, string Reason)[] cases =
        [
            (grey.With(256, Long, 100_000).With(257, Long, 100_000), "more than the 1048576 that are allowed (`MaxPixels`)"),
            (grey.With(256, Long, 0), "an empty picture of 0 × 4"),
            (grey.With(277, Short, 0), "0 samples a pixel"),
            (grey.With(277, Short, 60000), "60000 samples a pixel"),
            (grey.With(258, Short, 65535), "65535 bits a sample"),
            (grey.With(258, Short, 24), "its samples of 24 bits"),
            (Page(6, 4, 2, 3, 8, grey.Parts).With(258, Short, 5, 6, 5), "of different kinds"),
            (grey.With(256, Long, 1000).With(257, Long, 1000).With(278, Long, 1000), "the file is truncated"),
            (packed.With(273, Long, 1 << 30), "the file is truncated"),
            (packed.With(279, Long, 1 << 30), "the file is truncated"),
            (packed.With(279, Long, 0), "parts of it are missing"),
            (packed.With(273, Long, 0), "parts of it are missing"),
            (packed.With(278, Long, 1), "its header is damaged"),
            (packed.With(278, Long, 0), "its header is damaged"),
            (grey.Without(273).With(273, Rational, 1, 1), "its header is damaged"),
            (packed.With(322, Long, 1 << 20).With(323, Long, 1 << 20).Without(278), "far larger than its 6 × 4 pixels"),
            (packed.With(322, Long, 0).With(323, Long, 16), "0 pixels in a tile's row"),
            (packed.With(256, Long, 1).With(257, Long, 900_000).With(278, Long, 1), "cut into 900000 pieces"),
            (Page(512, 512, 2, 1, 8, [[1]], (259, Short, [8]), (277, Short, [4000])), "4000 samples takes"),
            (packed.With(317, Short, 3), "predictor 3"),
            (packed.With(317, Short, 9), "predictor 9"),
            (packed.With(259, Short, 50000), "its compression (Zstandard) is not supported"),
            (packed.With(259, Short, 6), "its compression (JPEG of the old kind) is not supported"),
            (packed.With(259, Short, 12345), "its compression (number 12345) is not supported"),
            (grey.With(262, Short, 8), "CIE L*a*b*"),
            (grey.With(262, Short, 32803), "raw camera picture"),
            (grey.With(50706, Bytes, 1, 4, 0, 0), "it is a raw camera (DNG) picture"),
        ];
        foreach (var (page, reason) in cases)
        {
            byte[] file = Of(page);
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.That(Reason(file), Does.Contain(reason));
            Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(4 << 20), reason);
        }
    }

    [Test]
    public void RawCameraPictures_BelowASmallOne_AreKnown()
    {
        byte[] file = Of([grey.With(330, Long, 0), grey.With(262, Short, 32803)]);
        // The second directory of the chain becomes one below the first.
        byte[] first = Of([grey.With(330, Long, 0)]);
        int next = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(first.Length - 4));
        int entry = Enumerable.Range(0, 20).Select(i => 8 + 24 + 2 + 12 * i)
            .First(at => BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(at)) == 330);
        Patch(file, entry + 8, next, 4);
        Patch(file, first.Length - 4, 0, 4);
        Assert.That(Reason(file), Is.EqualTo("it is a raw camera picture, which is not read: convert it to PNG or JPEG"));
    }

    [Test]
    public void NothingIsWrittenToTheConsole_AndOthersKeepTheirMessages()
    {
        var (own, error) = (new Listener(), Console.Error);
        using var written = new StringWriter();
        Console.SetError(written);
        Tiff.SetErrorHandler(own);
        try
        {
            Assert.That(Reason(Of(Page(60, 40, 1, 1, 8, [[1, 2, 3]], (259, Short, [5])))), Is.EqualTo("its data are damaged"));
            Assert.That(own.Messages, Is.Zero);
            using var stream = new MemoryStream([1, 2, 3, 4]);
            Assert.That(Tiff.ClientOpen("", "r", stream, new TiffStream()), Is.Null);
            Assert.That(own.Messages, Is.Not.Zero);
        }
        finally
        {
            Console.SetError(error);
        }
        Assert.That(written.ToString(), Is.Empty);
    }

    [Test]
    public void AFolder_TakesTiffs_WhateverTheirNames()
    {
        using var folder = new PictureFolder();
        foreach (string name in new[] { "a/1.tif", "a/2.TIFF", "b/3.btf", "b/4.tf8", "b/5" })
            folder.Write(name, Of([grey], bigEndian: name.EndsWith('5'), big: name.EndsWith("tf8", StringComparison.Ordinal)));
        folder.Write("b/6.nef", Of(grey.With(262, Short, 32803)));
        var skipped = new SkippedFiles();
        var set = ImageFolder.Scan(folder.Root, skipped);
        Assert.That(set.Count, Is.EqualTo(5));
        Assert.That(skipped.Snapshot().Single().Reason,
            Is.EqualTo("it is a raw camera picture, which is not read: convert it to PNG or JPEG"));
        using var decoder = new ImageDecoder();
        for (int i = 0; i < set.Count; i++)
        {
            var image = new RgbImage();
            decoder.Decode(set.PathOf(i), image);
            Assert.That((image.Width, image.Height, image.Pixels[^1]), Is.EqualTo((6, 4, 230)));
        }
    }

    private sealed class Listener : TiffErrorHandler
    {
        public int Messages { get; private set; }

        public override void ErrorHandler(Tiff tif, string method, string format, params object[] args) => Messages++;

        public override void WarningHandler(Tiff tif, string method, string format, params object[] args) => Messages++;
    }

    private sealed class Paged : PictureInput
    {
        private readonly byte[] bytes;

        public Paged(byte[] bytes, int page)
            : base("the picture") => (this.bytes, Page) = (bytes, page);

        public override long Length => bytes.Length;

        public override int Read(Span<byte> buffer, long offset)
        {
            int count = (int)Math.Clamp(bytes.Length - offset, 0, buffer.Length);
            bytes.AsSpan((int)offset, count).CopyTo(buffer);
            return count;
        }
    }
}
