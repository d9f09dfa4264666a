using System.IO.Compression;
using Dino.Pictures.Decoding;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>Two codecs for one picture: where they agree, and which is asked when.</summary>
public sealed class DecodeModeTests : IDisposable
{
    private readonly PictureFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Test]
    public void OfAPng_BothGiveTheSamePixels([Values(1, 3, 4)] int channels, [Values] bool transparent)
    {
        foreach (var (kind, depth, samples) in new (byte, byte, int)[]
        {
            (0, 1, 1), (0, 2, 1), (0, 4, 1), (0, 8, 1), (0, 16, 1), (2, 8, 3), (2, 16, 3), (3, 1, 1), (3, 2, 1), (3, 4, 1), (3, 8, 1),
            (4, 8, 2), (4, 16, 2), (6, 8, 4), (6, 16, 4),
        })
        {
            int row = (13 * depth * samples + 7) / 8;
            byte[] raw = [.. Enumerable.Range(0, 7).SelectMany(y =>
                Enumerable.Range(0, row).Select(x => (byte)(37 * x + 101 * y)).Prepend((byte)(y % 5)))];
            List<(string, byte[])> extra = [];
            if (kind == 3)
                extra.Add(("PLTE", [.. Enumerable.Range(0, 3 << depth).Select(i => (byte)(i * 11))]));
            if (transparent && kind < 4)
                extra.Add(("tRNS", kind == 3 ? [9, 250] : new byte[2 * samples]));
            byte[] file = PictureFolder.Png(13, 7, depth, kind, raw, [.. extra]);
            var (exact, fast) = (Decode(file, DecodeMode.Exact, channels), Decode(file, DecodeMode.Fast, channels));
            string which = $"kind {kind}, {depth} bits";
            Assert.That(fast.Pixels.ToArray(), Is.EqualTo(exact.Pixels.ToArray()), which);
            Assert.That(fast.Opacity?.Pixels.ToArray(), Is.EqualTo(exact.Opacity?.Pixels.ToArray()), which);
            Assert.That(exact.Opacity is not null, Is.EqualTo(channels == 4 && (kind >= 4 || transparent)), which);
        }
    }

    [Test]
    public void OfAJpeg_TheyDifferByLittle()
    {
        Assert.That(Difference(JpegParts.Grey(50, 30, 1)).Most, Is.Zero);
        // Colours of half the size are spread by another filter: at the edges of colours, which photographs have few of.
        var photograph = new RgbImage(90, 61);
        for (int y = 0; y < 61; y++)
            for (int x = 0; x < 90; x++)
                for (int c = 0; c < 3; c++)
                    photograph.Row(y)[3 * x + c] = (byte)(128 + 100 * Math.Sin(0.05 * x + 0.04 * y + 0.2 * c));
        var (most, mean) = Difference(PictureFolder.Encode("x.jpg", photograph));
        Assert.That(most, Is.InRange(1, 46), "another codec; as measured on photographs");
        Assert.That(mean, Is.LessThan(1));
    }

    [Test]
    public void WhatOneRefuses_TheOtherReads()
    {
        // Stray bytes between two segments, which ImageSharp takes for one of 65,535 bytes, and libjpeg passes over.
        byte[] whole = PictureFolder.Encode("x.jpg", PictureFolder.Pattern(3, 40, 30));
        int at = whole.AsSpan().IndexOf((ReadOnlySpan<byte>)[0xFF, 0xDB]);
        byte[] stray = [.. whole[..at], 0xFF, 0x00, 0xFF, 0xFF, .. whole[at..]];
        Assert.That(() => SixLabors.ImageSharp.Image.Load<SixLabors.ImageSharp.PixelFormats.Rgb24>(stray).Dispose(),
            Throws.InstanceOf<SixLabors.ImageSharp.ImageFormatException>());
        Assert.That(Decode(stray, DecodeMode.Fast).Pixels.ToArray(), Is.EqualTo(Decode(whole, DecodeMode.Exact).Pixels.ToArray()));
    }

    [Test]
    public void MetadataThatUnpackToMuch_CostNothing([Values] DecodeMode mode)
    {
        // A text of 32 MiB in 32 KB.
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            zlib.Write(new byte[32 << 20]);
        byte[] text = [.. "Comment\0\0"u8, .. packed.ToArray()];
        byte[] file = PictureFolder.Png(2, 1, 8, 0, [0, 7, 200], ("zTXt", text), ("iCCP", text));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(Decode(file, mode).Pixels.ToArray(), Is.EqualTo(new byte[] { 7, 7, 7, 200, 200, 200 }));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(8 << 20));
    }

    [Test]
    public void DamagedFiles_PassByNeither([Values] DecodeMode mode)
    {
        byte[] jpeg = PictureFolder.Encode("x.jpg", TransformTests.Noise(100, 80)), png = PictureFolder.Encode("x.png",
            TransformTests.Noise(20, 10));
        foreach (int cut in new[] { 40, jpeg.Length / 2, jpeg.Length - jpeg.Length / 4 })
            AssertRefused(jpeg[..^cut], mode, "truncated");
        byte[] marker = [.. jpeg];
        (marker[^60], marker[^59]) = (0xFF, 0xC3);
        AssertRefused(marker, mode, "damaged");
        AssertRefused(png[..^12], mode, "truncated");
        AssertRefused([.. png[..^12], .. png[8..33], .. png[^12..]], mode, null); // a second header, behind the pixels
        byte[] other = PictureFolder.Png(3000, 3000, 8, 2, [0]);
        AssertRefused([.. png[..33], .. other[8..33], .. png[33..]], mode, null); // and one before them, of another size
    }

    [Test]
    public void ADamagedEndMarker_OrAWrongChecksumOfThePixels_IsNoHarm([Values] DecodeMode mode)
    {
        byte[] jpeg = PictureFolder.Encode("x.jpg", PictureFolder.Pattern(1, 64, 48)), png = PictureFolder.Encode("x.png",
            PictureFolder.Pattern(1, 20, 10));
        byte[] expected = Decode(jpeg, DecodeMode.Exact).Pixels.ToArray(), pixels = Decode(png, DecodeMode.Exact).Pixels.ToArray();
        jpeg[^1] = 0xC9;
        png[^13] ^= 0x55;
        Assert.That(Decode(jpeg, mode).Pixels.ToArray(), Is.EqualTo(expected));
        Assert.That(Decode(png, mode).Pixels.ToArray(), Is.EqualTo(pixels));
    }

    [Test]
    public void PathStreamAndBytes_AreOne([Values] DecodeMode mode)
    {
        string path = folder.WritePicture("x.jpg", 3);
        byte[] bytes = File.ReadAllBytes(path), expected = Decode(bytes, mode).Pixels.ToArray();
        using var decoder = new ImageDecoder { Mode = mode };
        var image = new RgbImage();
        decoder.Decode(path, image);
        Assert.That(image.Pixels.ToArray(), Is.EqualTo(expected));
        using var stream = new MemoryStream([1, 2, 3, .. bytes]) { Position = 3 };
        decoder.Decode(stream, image);
        Assert.That(image.Pixels.ToArray(), Is.EqualTo(expected));
        decoder.Decode(bytes.AsMemory(), image);
        Assert.That(image.Pixels.ToArray(), Is.EqualTo(expected));

        var numbers = new FloatImage();
        decoder.Decode(path, numbers);
        float[] first = numbers.Values.ToArray();
        stream.Position = 3;
        decoder.Decode(stream, numbers);
        Assert.That(numbers.Values.ToArray(), Is.EqualTo(first));
        decoder.Decode(bytes, numbers);
        Assert.That(numbers.Values.ToArray(), Is.EqualTo(first));
    }

    [Test]
    public void ManyThreads_ShareADecoder([Values] DecodeMode mode)
    {
        byte[][] files =
        [
            .. new[] { "1.jpg", "2.png", "3.webp" }.Select((name, i) =>
                PictureFolder.Encode(name, PictureFolder.Pattern(i, 40 + 9 * i, 31))),
            PictureFolder.Encode("4.jpg", PictureFolder.Pattern(7, 120, 90)), JpegParts.Grey(33, 20, 6),
            [.. "P6 3 2 255 "u8, .. Enumerable.Range(0, 18).Select(i => (byte)i)],
            PictureFolder.Png(3, 1, 16, 0, [0, 1, 2, 3, 4, 5, 6]), PictureFolder.Encode("5.jpg", PictureFolder.Pattern(7, 9, 90))[..^300],
        ];
        using var decoder = new ImageDecoder { Mode = mode, Channels = 4 };
        string[] expected = [.. files.Select(file => Result(decoder, file))];
        var wrong = new System.Collections.Concurrent.ConcurrentBag<string>();
        var threads = Enumerable.Range(0, 8).Select(thread => new Thread(() =>
        {
            for (int i = 0; i < 16; i++)
            {
                int which = (thread + i * (1 + thread % 3)) % files.Length;
                if (Result(decoder, files[which]) is var got && got != expected[which])
                    wrong.Add($"file {which}: {got[..Math.Min(60, got.Length)]}");
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.That(wrong, Is.Empty);
        Assert.That(expected[^1], Does.Contain("truncated"));
    }

    [TestCase(DecodeMode.Exact, 1_000)]
    [TestCase(DecodeMode.Fast, 24_000)] // ImageSharp's own
    public void ReadingAJpeg_AllocatesNextToNothing(DecodeMode mode, int most)
    {
        byte[] file = PictureFolder.Encode("x.jpg", PictureFolder.Pattern(1, 300, 200));
        using var decoder = new ImageDecoder { Mode = mode };
        var image = new RgbImage();
        using var input = PictureInput.OfBytes(file);
        for (int i = 0; i < 3; i++)
            decoder.Decode(input, image);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10; i++)
            decoder.Decode(input, image);
        Assert.That((GC.GetAllocatedBytesForCurrentThread() - before) / 10, Is.LessThan(most));
    }

    [Test]
    public void AfterDispose_NothingIsDecoded()
    {
        var decoder = new ImageDecoder();
        byte[] file = PictureFolder.Encode("x.png", PictureFolder.Pattern(1, 3, 2));
        decoder.Decode(file, new RgbImage());
        decoder.Dispose();
        Assert.That(() => decoder.Decode(file, new RgbImage()), Throws.TypeOf<ObjectDisposedException>());
    }

    private static string Result(ImageDecoder decoder, byte[] file)
    {
        var (image, numbers) = (new RgbImage(), new FloatImage());
        try
        {
            decoder.Decode(file, image);
            decoder.Decode(file, numbers);
            string opacity = image.Opacity is { } values ? Convert.ToHexString(values.Pixels) : "";
            return Convert.ToHexString(image.Pixels) + opacity + string.Join(' ', numbers.Values.ToArray());
        }
        catch (ImageDecodeException e)
        {
            return e.Message;
        }
    }

    private static (int Most, double Mean) Difference(byte[] file)
    {
        var (exact, fast) = (Decode(file, DecodeMode.Exact), Decode(file, DecodeMode.Fast));
        int[] differences = [.. exact.Pixels.ToArray().Zip(fast.Pixels.ToArray(), (a, b) => Math.Abs(a - b))];
        return (differences.Max(), differences.Average());
    }

    private static RgbImage Decode(byte[] file, DecodeMode mode, int channels = 3)
    {
        using var decoder = new ImageDecoder { Mode = mode, Channels = channels };
        var image = new RgbImage();
        decoder.Decode(file, image);
        return image;
    }

    private static void AssertRefused(byte[] file, DecodeMode mode, string? reason)
    {
        var thrown = Assert.Throws<ImageDecodeException>(() => Decode(file, mode));
        if (reason is not null)
            Assert.That(thrown!.Reason, Does.Contain(reason));
    }
}
