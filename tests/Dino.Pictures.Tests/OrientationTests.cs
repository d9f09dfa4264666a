using System.Buffers.Binary;
using Dino.Pictures.Decoding;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>The EXIF orientation (EXIF 2.3, tag 0x0112) of every format that has one, by every codec.</summary>
public class OrientationTests
{
    // What the upright picture shows at its corners: top left, top right, bottom left, for a stored picture whose corners are
    // 0 top left, 1 top right, 2 bottom left, 3 bottom right.
    private static readonly (int TopLeft, int TopRight, int BottomLeft)[] corners =
        [(0, 1, 2), (1, 0, 3), (3, 2, 1), (2, 3, 0), (0, 2, 1), (2, 0, 3), (3, 1, 2), (1, 3, 0)];

    private static readonly byte[] grey = [30, 90, 150, 210];

    [Test]
    public void APicture_ComesUpright(
        [Values(".jpg", ".png", ".webp")] string ending, [Values] DecodeMode mode, [Range(1, 8)] int orientation)
    {
        var image = Decode(WithExif(ending, Stored(), Exif(orientation, little: orientation % 2 == 0)), mode);

        var (topLeft, topRight, bottomLeft) = corners[orientation - 1];
        Assert.That((image.Width, image.Height), Is.EqualTo(orientation < 5 ? (32, 16) : (16, 32)));
        Assert.That(image.Row(2)[6], Is.EqualTo(grey[topLeft]).Within(4), "top left");
        Assert.That(image.Row(2)[^6], Is.EqualTo(grey[topRight]).Within(4), "top right");
        Assert.That(image.Row(image.Height - 3)[6], Is.EqualTo(grey[bottomLeft]).Within(4), "bottom left");
    }

    [Test]
    public void OpacityAndNumbers_AreTurnedWithTheColours([Values] DecodeMode mode, [Range(1, 8)] int orientation)
    {
        // Each pixel's opacity is its red, of 8 bits and, a 16-bit picture's lower byte aside, of 16.
        byte[] narrow = [.. Enumerable.Range(0, 3).SelectMany(y => (byte[])[0, .. Enumerable.Range(0, 5).SelectMany(x =>
            new[] { (byte)(50 * x + y), (byte)9, (byte)9, (byte)(50 * x + y) })])];
        byte[] deep = [.. Enumerable.Range(0, 3).SelectMany(y => (byte[])[0, .. Enumerable.Range(0, 5).SelectMany(x =>
            new[] { (byte)(50 * x + y), (byte)77 })])];
        var image = new RgbImage();
        var numbers = new FloatImage();
        using var decoder = new ImageDecoder { Mode = mode, Channels = 4 };
        decoder.Decode(PictureFolder.Png(5, 3, 8, 6, narrow, ("eXIf", Exif(orientation, little: true))), image);
        Assert.That(image.Opacity?.Pixels.ToArray().Where((_, i) => i % 3 == 0),
            Is.EqualTo(image.Pixels.ToArray().Where((_, i) => i % 3 == 0)));

        using var stored = new ImageDecoder { Mode = mode, Channels = 0 };
        stored.Decode(PictureFolder.Png(5, 3, 16, 0, deep, ("eXIf", Exif(orientation, little: true))), numbers);
        Assert.That((numbers.Width, numbers.Height), Is.EqualTo((image.Width, image.Height)));
        Assert.That(numbers.Values.ToArray(), Is.EqualTo(image.Pixels.ToArray().Where((_, i) => i % 3 == 0).Select(v => 256f * v + 77)));
    }

    [Test]
    public void WhatMakesNoSense_IsUpright([Values(".jpg", ".png", ".webp")] string ending)
    {
        byte[] good = Exif(6, little: true), otherTag = [.. good], direction = [.. good], elsewhere = [.. good];
        otherTag[10] = 0x13;
        direction[18] = 9;
        elsewhere[4] = 200; // the directory lies behind the end
        foreach (byte[] exif in new[] { otherTag, direction, elsewhere, good[..9], [.. "XX*\0"u8, .. good[4..]], [] })
            Assert.That(Decode(WithExif(ending, Stored(), exif), DecodeMode.Exact).Width, Is.EqualTo(32));
    }

    [Test]
    public void AWebP_MustAnnounceItsExif()
    {
        byte[] file = WithExif(".webp", Stored(), Exif(6, little: true));
        file[20] = 0;
        Assert.That(Decode(file, DecodeMode.Exact).Width, Is.EqualTo(32));
    }

    /// <summary>A TIFF structure of one entry.</summary>
    private static byte[] Exif(int orientation, bool little) => little
        ? [.. "II*\0"u8, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, (byte)orientation, 0, 0, 0, 0, 0, 0, 0]
        : [.. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, (byte)orientation, 0, 0, 0, 0, 0, 0];

    private static RgbImage Stored()
    {
        var stored = new RgbImage(32, 16);
        for (int y = 0; y < 16; y++)
            for (int x = 0; x < 32; x++)
                stored.Row(y).Slice(3 * x, 3).Fill(grey[(y < 8 ? 0 : 2) + (x < 16 ? 0 : 1)]);
        return stored;
    }

    private static byte[] WithExif(string ending, RgbImage stored, byte[] exif)
    {
        byte[] file = PictureFolder.Encode("x" + ending, stored);
        switch (ending)
        {
            case ".jpg":
                return [.. file[..2], 0xFF, 0xE1, 0, (byte)(8 + exif.Length), .. "Exif\0\0"u8, .. exif, .. file[2..]];
            case ".png":
                byte[] rows = [.. Enumerable.Range(0, 16).SelectMany(y => (byte[])[0, .. stored.Row(y)])];
                return PictureFolder.Png(32, 16, 8, 2, rows, ("eXIf", exif));
            default:
                // RFC 9649: the extended header, with the flag of EXIF, the picture's chunk as it was, and EXIF.
                byte[] header = [.. "VP8X"u8, 10, 0, 0, 0, 0x08, 0, 0, 0, 31, 0, 0, 15, 0, 0];
                byte[] body = [.. "WEBP"u8, .. header, .. file[12..], .. "EXIF"u8, (byte)exif.Length, 0, 0, 0, .. exif,
                    .. new byte[exif.Length % 2]];
                byte[] length = new byte[4];
                BinaryPrimitives.WriteInt32LittleEndian(length, body.Length);
                return [.. "RIFF"u8, .. length, .. body];
        }
    }

    private static RgbImage Decode(byte[] file, DecodeMode mode)
    {
        using var decoder = new ImageDecoder { Mode = mode };
        var image = new RgbImage();
        decoder.Decode(file, image);
        return image;
    }
}
