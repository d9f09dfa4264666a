using System.Globalization;
using System.Text;
using Dino.Pictures.Decoding;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>PBM, PGM, PPM and PAM files, plain and raw (netpbm), with the numbers that Pillow gives them.</summary>
public class PnmTests
{
    private const int Width = 5, Height = 4;

    [Test]
    public void Numbers_AreSpreadAsByPillow(
        [Values] DecodeMode mode, [Values(2, 3, 5, 6)] int kind, [Values(1, 7, 15, 100, 254, 255, 256, 1000, 4095, 65535)] int highest)
    {
        int channels = kind is 3 or 6 ? 3 : 1;
        int[] values = [.. Enumerable.Range(0, Width * Height * channels).Select(i => (int)(i * 7919L % (highest + 1)))];

        var image = Decode(File(kind, highest, values), mode);

        // round(value / maxval * 255), halves to the even one
        byte[] expected = [.. values.SelectMany(v =>
            Enumerable.Repeat((byte)Math.Round((double)v / highest * 255, MidpointRounding.ToEven), 3 / channels))];
        Assert.That((image.Width, image.Height), Is.EqualTo((Width, Height)));
        Assert.That(image.Pixels.ToArray(), Is.EqualTo(expected));
    }

    [Test]
    public void SixteenBits_AreKeptAsStored([Values(2, 3, 5, 6)] int kind, [Values(256, 4095, 65535)] int highest)
    {
        int channels = kind is 3 or 6 ? 3 : 1;
        int[] values = [.. Enumerable.Range(0, Width * Height * channels).Select(i => (int)(i * 7919L % (highest + 1)))];
        using var decoder = new ImageDecoder { Channels = 0 };
        var image = new FloatImage();

        decoder.Decode(File(kind, highest, values), image);

        Assert.That((image.Channels, image.Depth), Is.EqualTo((channels, new PixelDepth(16))));
        for (int channel = 0; channel < channels; channel++)
            Assert.That(image.Plane(channel).ToArray(), Is.EqualTo(values.Where((_, i) => i % channels == channel).Select(v => (float)v)));
    }

    [Test]
    public void ABitmap_IsBlackWhereItsBitsAreOne([Values] DecodeMode mode)
    {
        byte[] expected = [0, 255, 255, 0, 0, 255, 0, 0, 255, 255, 255, 255, 0, 255, 255, 0, 255, 0];
        foreach (byte[] file in new byte[][]
        {
            [.. "P4\n9 2\n"u8, 0b10011011, 0b0_1111111, 0b00010010, 0b1_0000000],
            [.. "P1\n# a comment\n9 2\n100110110\n000100101"u8],
            [.. "P1 9 2\n1 0 0 1 1 0 1 1 0 #end\n 0 0 0 1 0 0 1 0 1\n"u8],
        })
            Assert.That(Decode(file, mode).Pixels.ToArray().Where((_, i) => i % 3 == 0), Is.EqualTo(expected));
    }

    [Test]
    public void APam_HasAnyNumberOfChannels()
    {
        byte[] Pam(int channels, int highest, byte[] data) =>
            [.. Encoding.ASCII.GetBytes(FormattableString.Invariant(
                $"P7\nWIDTH 2\nHEIGHT 1\n# c\nDEPTH {channels}\nMAXVAL {highest}\nTUPLTYPE SOMETHING\nENDHDR\n")), .. data];
        Assert.That(Decode(Pam(1, 1, [1, 0])).Pixels.ToArray(), Is.EqualTo(new byte[] { 255, 255, 255, 0, 0, 0 }));
        Assert.That(Decode(Pam(3, 255, [1, 2, 3, 4, 5, 6])).Pixels.ToArray(), Is.EqualTo(new byte[] { 1, 2, 3, 4, 5, 6 }));

        using var opaque = new ImageDecoder { Channels = 4 };
        var image = new RgbImage();
        opaque.Decode(Pam(4, 255, [1, 2, 3, 40, 4, 5, 6, 70]), image);
        Assert.That(image.Opacity?.Pixels.ToArray(), Is.EqualTo(new byte[] { 40, 40, 40, 70, 70, 70 }));

        using var bands = new ImageDecoder { Channels = 5 };
        var numbers = new FloatImage();
        bands.Decode(Pam(5, 65535, [.. Enumerable.Range(0, 20).Select(i => (byte)i)]), numbers);
        Assert.That(numbers.Plane(4).ToArray(), Is.EqualTo(new float[] { 8 * 256 + 9, 18 * 256 + 19 }));
        Assert.That(() => bands.Decode(Pam(3, 255, [1, 2, 3, 4, 5, 6]), numbers),
            Throws.TypeOf<ImageDecodeException>().With.Message.Contains("it has 3 channels, and 5 are wanted (`Channels`)"));
    }

    [TestCase("P5\n9 9\n255\n12345678", "truncated")]
    [TestCase("P2\n2 2\n255\n1 2 3", "truncated")]
    [TestCase("P2\n2 2\n255\n1 2 3 256", "damaged")]
    [TestCase("P2\n2 2\n255\n1 2 3 x", "damaged")]
    [TestCase("P1\n2 2\n0 1 2 0", "damaged")]
    [TestCase("P5\n9", "header")]
    [TestCase("P5\n0 9\n255\n", "header")]
    [TestCase("P5\n9 9\n65536\n", "header")]
    [TestCase("P6\n99999 99999\n255\n", "99999 × 99999 pixels, more than")]
    [TestCase("P5\n10000 10000\n255\nabc", "truncated")]
    [TestCase("P1 is how a bitmap begins.", "not a JPEG")]
    [TestCase("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 65\nMAXVAL 255\nENDHDR\nabc", "header")]
    public void WhatIsWrong_IsSaid(string file, string reason) =>
        Assert.That(() => Decode(Encoding.ASCII.GetBytes(file)), Throws.TypeOf<ImageDecodeException>().With.Message.Contains(reason));

    private static byte[] File(int kind, int highest, int[] values)
    {
        string start = string.Create(CultureInfo.InvariantCulture, $"P{kind}\n#hello\n{Width} {Height}\n{highest}\n");
        byte[] data = kind < 4 ? Encoding.ASCII.GetBytes(string.Join(' ', values))
            : highest < 256 ? [.. values.Select(v => (byte)v)]
            : [.. values.SelectMany(v => new[] { (byte)(v >> 8), (byte)v })];
        return [.. Encoding.ASCII.GetBytes(start), .. data];
    }

    private static RgbImage Decode(byte[] file, DecodeMode mode = DecodeMode.Exact)
    {
        using var decoder = new ImageDecoder { Mode = mode };
        var image = new RgbImage();
        decoder.Decode(file, image);
        return image;
    }
}
