using Dino.Pictures.Decoding;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>Pictures as the numbers that they store, and the channels that are wanted of them.</summary>
public class FloatDecodingTests
{
    private static readonly ushort[] values =
        [.. Enumerable.Range(0, 4 * 3 * 4).Select(i => (ushort)(i * 40503 + 77))]; // every number of bits in both bytes

    // Grey, RGB, grey and opacity, RGBA: the kinds of ISO 15948.
    [Test]
    public void SixteenBits_AreExactlyAsStored([Values] DecodeMode mode, [Values(0, 2, 4, 6)] int kind)
    {
        int channels = kind switch { 0 => 1, 2 => 3, 4 => 2, _ => 4 };
        var image = Decode(Png16(kind, channels), 0, mode);

        Assert.That((image.Channels, image.Width, image.Height), Is.EqualTo((channels, 4, 3)));
        Assert.That((image.Depth, image.Depth.Full), Is.EqualTo((new PixelDepth(16), new ValueRange(0, 65535))));
        for (int channel = 0; channel < channels; channel++)
            Assert.That(image.Plane(channel).ToArray(), Is.EqualTo(Channel(channels, channel)));
    }

    // Codecs that take what is missing for zeros, or wait for it, are not to be asked.
    [Test]
    public void MissingPixels_AreNoZeros([Values] DecodeMode mode, [Values(8, 16)] int bits, [Values] bool isInterlaced)
    {
        byte[] rows = new byte[40 * (1 + 30 * bits / 8)]; // seven passes of 30 × 40 need more, for their filters
        byte[] file = PictureFolder.Png(30, 40, (byte)bits, 0, isInterlaced ? rows : rows[..^1]);
        file[28] = (byte)(isInterlaced ? 1 : 0);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan(29), PngStructure.Crc(file.AsSpan(12..29)));
        Assert.That(() => Decode(file, 0, mode), Throws.TypeOf<ImageDecodeException>().With.Message.Contains("truncated"));
        using var decoder = new ImageDecoder { Mode = mode };
        Assert.That(() => decoder.Decode(file, new RgbImage()), Throws.TypeOf<ImageDecodeException>().With.Message.Contains("truncated"));
    }

    [Test]
    public void APngInSevenPasses_IsAsStored()
    {
        // 8 × 8 (section 8.2): each pass is the pixels of its grid, row by row; a pixel's number is its place.
        List<byte> rows = [];
        foreach (var (startX, startY, stepX, stepY) in new[]
            { (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2) })
        {
            for (int y = startY; y < 8; y += stepY)
            {
                rows.Add(0);
                for (int x = startX; x < 8; x += stepX)
                    rows.AddRange([(byte)(3 * (8 * y + x)), 7]);
            }
        }
        byte[] file = PictureFolder.Png(8, 8, 16, 0, rows.ToArray());
        file[28] = 1;
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan(29), PngStructure.Crc(file.AsSpan(12..29)));
        Assert.That(PngStructure.RowBytes(8, 8, 16, isInterlaced: true), Is.EqualTo(rows.Count));
        Assert.That(Decode(file, 0, DecodeMode.Fast).Values.ToArray(), Is.EqualTo(Enumerable.Range(0, 64).Select(i => 256f * 3 * i + 7)));
    }

    [Test]
    public void TwelveBitsInSixteen_StayTwelve([Values] DecodeMode mode)
    {
        byte[] rows = [0, 0x0F, 0xFF, 0x00, 0x10, 0, 0x08, 0x00, 0x0A, 0xBC];
        Assert.That(Decode(PictureFolder.Png(2, 2, 16, 0, rows), 1, mode).Values.ToArray(),
            Is.EqualTo(new float[] { 4095, 16, 2048, 2748 }));
    }

    [Test]
    public void EightBitsAndFewer_AreZeroTo255([Values] DecodeMode mode)
    {
        var grey = Decode(PictureFolder.Png(3, 1, 8, 0, [0, 0, 7, 255]), 0, mode);
        Assert.That((grey.Channels, grey.Depth), Is.EqualTo((1, PixelDepth.Bytes)));
        Assert.That(grey.Values.ToArray(), Is.EqualTo(new float[] { 0, 7, 255 }));
        Assert.That(Decode(PictureFolder.Png(4, 1, 2, 0, [0, 0b00011011]), 0, mode).Values.ToArray(),
            Is.EqualTo(new float[] { 0, 85, 170, 255 }));
        byte[] palette = PictureFolder.Png(2, 1, 8, 3, [0, 1, 0], ("PLTE", [1, 2, 3, 4, 5, 6]));
        Assert.That(Decode(palette, 0, mode).Values.ToArray(), Is.EqualTo(new float[] { 4, 1, 5, 2, 6, 3 }));
        var both = Decode(PictureFolder.Png(2, 1, 8, 4, [0, 10, 20, 30, 40]), 0, mode);
        Assert.That((both.Channels, both.Values.ToArray()), Is.EqualTo((2, new float[] { 10, 30, 20, 40 })));
        var jpeg = Decode(PictureFolder.Encode("x.jpg", PictureFolder.Pattern(1, 9, 8)), 0, mode);
        Assert.That((jpeg.Channels, jpeg.Width, jpeg.Height), Is.EqualTo((3, 9, 8)));
        Assert.That(Decode(JpegParts.Grey(9, 8, 1), 0, mode).Channels, Is.EqualTo(1));
    }

    [Test]
    public void Channels_AreFitted_ToWhatIsWanted([Values] DecodeMode mode)
    {
        float[] Plane(int kind, int stored, int wanted, int plane) => Decode(Png16(kind, stored), wanted, mode).Plane(plane).ToArray();
        float[] Luma(int stored) => [.. Channel(stored, 0).Zip(Channel(stored, 1), Channel(stored, 2))
            .Select(p => 0.299f * p.First + 0.587f * p.Second + 0.114f * p.Third)]; // ITU-R 601

        for (int plane = 0; plane < 3; plane++)
        {
            Assert.That(Plane(0, 1, 3, plane), Is.EqualTo(Channel(1, 0)), "grey to RGB");
            Assert.That(Plane(4, 2, 3, plane), Is.EqualTo(Channel(2, 0)), "grey without opacity");
            Assert.That(Plane(6, 4, 3, plane), Is.EqualTo(Channel(4, plane)), "RGB without opacity");
            Assert.That(Plane(0, 1, 4, plane), Is.EqualTo(Channel(1, 0)));
            Assert.That(Plane(4, 2, 4, plane), Is.EqualTo(Channel(2, 0)));
            Assert.That(Plane(2, 3, 4, plane), Is.EqualTo(Channel(3, plane)));
        }
        Assert.That(Plane(2, 3, 1, 0), Is.EqualTo(Luma(3)).Within(0.01));
        Assert.That(Plane(6, 4, 1, 0), Is.EqualTo(Luma(4)).Within(0.01));
        Assert.That(Plane(4, 2, 1, 0), Is.EqualTo(Channel(2, 0)));
        Assert.That(Plane(0, 1, 4, 3), Has.All.EqualTo(65535), "full opacity");
        Assert.That(Plane(2, 3, 4, 3), Has.All.EqualTo(65535));
        Assert.That(Plane(4, 2, 4, 3), Is.EqualTo(Channel(2, 1)), "opacity stays");
        Assert.That(() => Decode(Png16(2, 3), 5, mode),
            Throws.TypeOf<ImageDecodeException>().With.Message.Contains("it has 3 channels, and 5 are wanted (`Channels`)"));
    }

    [Test]
    public void TheMemory_IsUsedAgain_AndTheSizeFollows()
    {
        using var decoder = new ImageDecoder { Channels = 3 };
        var image = new FloatImage();
        decoder.Decode(Png16(2, 3), image);
        decoder.Decode(PictureFolder.Png(3, 1, 8, 0, [0, 0, 7, 255]), image);
        Assert.That((image.Channels, image.Width, image.Height, image.Depth), Is.EqualTo((3, 3, 1, PixelDepth.Bytes)));
        Assert.That(image.Values.ToArray(), Is.EqualTo(new float[] { 0, 7, 255, 0, 7, 255, 0, 7, 255 }));
    }

    [Test]
    public void NoChannels_AreNoRgbImage()
    {
        using var decoder = new ImageDecoder { Channels = 5 };
        Assert.That(() => decoder.Decode(Png16(2, 3), new RgbImage()), Throws.ArgumentException.With.Message.Contains("not 5"));
    }

    private static float[] Channel(int channels, int channel) =>
        [.. Enumerable.Range(0, 12).Select(i => (float)values[i * channels + channel])];

    private static byte[] Png16(int kind, int channels) => PictureFolder.Png(4, 3, 16, (byte)kind, (byte[])[.. Enumerable.Range(0, 3)
        .SelectMany(y => (byte[])[0, .. Enumerable.Range(0, 4 * channels)
            .SelectMany(i => new[] { (byte)(values[y * 4 * channels + i] >> 8), (byte)values[y * 4 * channels + i] })])]);

    private static FloatImage Decode(byte[] file, int channels, DecodeMode mode)
    {
        using var decoder = new ImageDecoder { Mode = mode, Channels = channels };
        var image = new FloatImage();
        decoder.Decode(file, image);
        return image;
    }
}
