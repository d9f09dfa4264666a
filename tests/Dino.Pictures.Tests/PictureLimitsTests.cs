using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>What a picture may take is known from its first bytes, and refused before it is taken.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class PictureLimitsTests : IDisposable
{
    private readonly PictureFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Test]
    public void FilesOfManyBytes_AreRefusedByTheirFirst()
    {
        (byte[] Start, string Reason)[] cases =
        [
            ([], "nothing but zeros"), ([.. "text"u8], "not a JPEG"), ([0xFF, 0xD8, 0xFF, 0xE0], "no size of a picture"),
            (PictureFolder.Png(9, 7, 8, 0, new byte[70])[..60], "far more than a picture of 9 × 7 pixels takes"),
            ([.. "BM"u8], "no size of a picture"),
        ];
        using var decoder = new ImageDecoder();
        foreach (var (start, reason) in cases)
        {
            string path = Sparse(start, 3L << 30);
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.That(() => decoder.Decode(path, new RgbImage()), Throws.TypeOf<ImageDecodeException>().With.Message.Contains(reason));
            Assert.That(() => new AnimatedPicture(path), Throws.TypeOf<ImageDecodeException>().With.Message.Contains(reason));
            Assert.That(() => LabelMap.Read(path), Throws.TypeOf<ImageFolderException>().With.Message.Contains(reason));
            Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(64 << 20), reason);
        }
    }

    [Test]
    public void AProgressivePicture_IsDecoded_WithinItsBudget()
    {
        var picture = new RgbImage();
        using (var decoder = new ImageDecoder())
        {
            foreach (int scans in new[] { 1, 2, 10, 64 })
            {
                decoder.Decode(folder.Write("grey.jpg", JpegParts.Grey(50, 30, scans)), picture);
                Assert.That((picture.Width, picture.Height), Is.EqualTo((50, 30)));
                Assert.That(picture.Pixels.ToArray(), Has.All.EqualTo(128), "all coefficients are 0");
            }
        }
        // 1500 pixels: a sequential one takes 7 bytes each, a progressive grey one 2 more for its coefficients.
        string sequential = folder.Write("1.jpg", JpegParts.Grey(50, 30, 1)),
            progressive = folder.Write("2.jpg", JpegParts.Grey(50, 30, 2));
        using var exact = new ImageDecoder(1500);
        using var enough = new ImageDecoder((1500 * 9 + 6) / 7);
        Assert.That(() => exact.Decode(sequential, picture), Throws.Nothing);
        Assert.That(() => exact.Decode(progressive, picture),
            Throws.TypeOf<ImageDecodeException>().With.Message.Contains("progressive").And.Message.Contains("`MaxPixels`"));
        Assert.That(() => enough.Decode(progressive, picture), Throws.Nothing);
    }

    [Test]
    public void ManyScans_AreTooMuchWork()
    {
        string few = folder.Write("few.jpg", JpegParts.Grey(160, 80, 20)), many = folder.Write("many.jpg", JpegParts.Grey(160, 80, 60));
        using var decoder = new ImageDecoder(160 * 80 * 2);
        Assert.That(() => decoder.Decode(few, new RgbImage()), Throws.Nothing);
        Assert.That(() => decoder.Decode(many, new RgbImage()),
            Throws.TypeOf<ImageDecodeException>().With.Message.Contains("60 scans of 160 × 80 pixels"));
    }

    [Test]
    public void Headers_SayWhatTheDecoderTakes()
    {
        byte[] start = [0xFF, 0xD8], tables = [0xFF, 0xE1, 0, 6, 0xFF, 0xD8, 0xFF, 0xC0]; // a thumbnail inside a segment is not the picture
        (byte, byte)[] half = [(1, 0x22), (2, 0x11), (3, 0x11)], full = [(1, 0x11), (2, 0x11), (3, 0x11)];
        (long, long, double, int)? Read(byte marker, (byte, byte)[] components, int first) =>
            PictureHeader.Read([.. start, .. tables, .. JpegParts.Frame(marker, 300, 200, components), .. JpegParts.Scan(first)],
                PictureFormat.Jpeg) is { } found ? (found.Width, found.Height, found.DecoderBytes, found.Channels) : null;

        Assert.That(Read(0xC0, half, 3), Is.EqualTo((300, 200, 0.0, 3)));
        Assert.That(Read(0xC2, half, 3), Is.EqualTo((300, 200, 3.0, 3)), "2 bytes for 1 + 1/4 + 1/4 coefficients a pixel");
        Assert.That(Read(0xC2, full, 3), Is.EqualTo((300, 200, 6.0, 3)));
        Assert.That(Read(0xC0, full, 1), Is.EqualTo((300, 200, 6.0, 3)), "components one after the other are held too");
        Assert.That(PictureHeader.Read([.. start, .. tables], PictureFormat.Jpeg), Is.Null);

        byte[] png = PictureFolder.Png(30, 20, 16, 6, new byte[20 * (1 + 30 * 8)]);
        Assert.That(PictureHeader.Read(png, PictureFormat.Png),
            Is.EqualTo(new PictureHeader(PictureFormat.Png, 30, 20) { Bits = 16, Channels = 4, HasOpacity = true, StoredBytes = 4820 }));
        png[28] = 1;
        Assert.That(PictureHeader.Read(png, PictureFormat.Png)?.DecoderBytes, Is.EqualTo(8), "interlaced: its rows are held");
        foreach (string name in new[] { "x.png", "x.jpg", "x.webp" })
        {
            byte[] file = PictureFolder.Encode(name, PictureFolder.Pattern(1, 37, 21));
            Assert.That(PictureHeader.Read(file, PictureSignature.FormatOf(file, name)) is { Width: 37, Height: 21 }, name);
        }
    }

    [Test]
    public void TheDefault_LetsPhonesPicturesIn_AtNoMoreMemory()
    {
        const long budget = (1L << 28) / 3 * 7; // RGBA and RGB of 89 million pixels
        Assert.That(ImageDecoder.DefaultMaxPixels, Is.EqualTo(178_956_970), "where Pillow refuses");
        var limits = new DecodeLimits(ImageDecoder.DefaultMaxPixels);
        Assert.That(limits.Budget, Is.EqualTo(budget));
        Assert.That(new DecodeLimits(1_000_000).Budget, Is.EqualTo(7_000_000));
        Assert.That(Sequential(12_000, 9_000).Bytes, Is.LessThan(budget), "108 megapixels");
        Assert.That(Sequential(16_384, 10_922).Bytes, Is.LessThan(budget), "the largest");

        // What holds its coefficients, or rows, is refused from where it was.
        byte[] start = [0xFF, 0xD8];
        (byte, byte)[] half = [(1, 0x22), (2, 0x11), (3, 0x11)];
        AssertRefused([.. start, .. JpegParts.Frame(0xC2, 9456, 9456, half), .. JpegParts.Scan(3)], "progressive", "597 MiB");
        byte[] interlaced = PictureFolder.Png(9456, 9456, 8, 2, [0]);
        interlaced[28] = 1;
        AssertRefused(interlaced, "interlaced", "597 MiB");
        AssertRefused([.. "GIF89a"u8, 0xFF, 0xFF, 0x55, 5, 0, 0, 0], "65535 × 1365", "597 MiB");

        static PictureHeader Sequential(int width, int height) => new(PictureFormat.Jpeg, width, height);
    }

    [Test]
    public void AFewBytes_AreNoHugePicture()
    {
        byte[] jpeg = JpegParts.Grey(64, 64, 1), png = PictureFolder.Png(12_000, 9_000, 8, 2, new byte[300]);
        int frame = jpeg.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xC0]);
        (jpeg[frame + 5], jpeg[frame + 6], jpeg[frame + 7], jpeg[frame + 8]) = (9000 >> 8, 9000 & 255, 12000 >> 8, 12000 & 255);
        long before = GC.GetAllocatedBytesForCurrentThread();
        AssertRefused(jpeg, "truncated");
        AssertRefused(png, "truncated");
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 20));
    }

    private static void AssertRefused(byte[] file, params string[] parts)
    {
        foreach (var mode in Enum.GetValues<DecodeMode>())
        {
            using var decoder = new ImageDecoder { Mode = mode };
            var thrown = Assert.Throws<ImageDecodeException>(() => decoder.Decode(file, new RgbImage()));
            foreach (string part in parts)
                Assert.That(thrown!.Message, Does.Contain(part));
            Assert.That(() => decoder.Decode(file, new FloatImage()), Throws.TypeOf<ImageDecodeException>());
        }
    }

    [Test]
    public void SidesThatNoCodecTakes_AreNamed()
    {
        string path = folder.Write("long.png", PictureFolder.Png(2_000_000, 1, 1, 0, [0]));
        using var decoder = new ImageDecoder();
        Assert.That(() => decoder.Decode(path, new RgbImage()),
            Throws.TypeOf<ImageDecodeException>().With.Message.Contains("2000000 × 1 pixels; a side of more than"));
    }

    [Test]
    public void TheCache_IsAShareOfTheMemoryThatThereIs() =>
        Assert.That(PrefetchOptions.DefaultCacheBytes, Is.EqualTo(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4));

    private string Sparse(byte[] start, long length)
    {
        string path = folder.PathOf("sparse.jpg");
        using var file = new FileStream(path, FileMode.Create);
        file.Write(start);
        try
        {
            file.SetLength(length);
        }
        catch (IOException)
        {
            Assert.Inconclusive("This file system holds no file of 3 GB.");
        }
        return path;
    }
}
