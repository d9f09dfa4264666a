using Dino.Pictures.Decoding;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>TGA files, which only their name and a header that makes sense tell from others.</summary>
public sealed class TgaTests : IDisposable
{
    private readonly PictureFolder folder = new();

    public void Dispose() => folder.Dispose();

    // The two bits of the descriptor that say where the first pixel lies.
    [TestCase(0x20, new[] { 0, 1, 2, 3, 4, 5 })]
    [TestCase(0x00, new[] { 3, 4, 5, 0, 1, 2 })]
    [TestCase(0x30, new[] { 2, 1, 0, 5, 4, 3 })]
    [TestCase(0x10, new[] { 5, 4, 3, 2, 1, 0 })]
    public void Colours_AreBlueFirst_FromTheCornerThatIsNamed(int corner, int[] order)
    {
        byte[] blueFirst = [.. Enumerable.Range(0, 18).Select(i => (byte)(10 * i))];
        foreach (var mode in Enum.GetValues<DecodeMode>())
        {
            byte[] pixels = Decode(Tga(2, 3, 2, 24, corner, blueFirst), mode).Pixels.ToArray();
            Assert.That(pixels, Is.EqualTo(order.SelectMany(i => new[] { 2, 1, 0 }.Select(c => (byte)(10 * (3 * i + c))))));
        }
    }

    [Test]
    public void GreyPaletteAndOpacity_AreRead([Values] DecodeMode mode)
    {
        Assert.That(Decode(Tga(3, 2, 1, 8, 0x20, [7, 200]), mode).Pixels.ToArray(), Is.EqualTo(new byte[] { 7, 7, 7, 200, 200, 200 }));
        byte[] palette = Tga(1, 2, 1, 8, 0x20, [1, 2, 3, 4, 5, 6, 1, 0]);
        (palette[1], palette[5], palette[7]) = (1, 2, 24); // two colours of 24 bits
        Assert.That(Decode(palette, mode).Pixels.ToArray(), Is.EqualTo(new byte[] { 6, 5, 4, 3, 2, 1 }));
        var picture = Decode(Tga(2, 2, 1, 32, 0x28, [1, 2, 3, 40, 4, 5, 6, 70]), mode, channels: 4);
        Assert.That(picture.Pixels.ToArray(), Is.EqualTo(new byte[] { 3, 2, 1, 6, 5, 4 }));
        Assert.That(picture.Opacity?.Pixels.ToArray(), Is.EqualTo(new byte[] { 40, 40, 40, 70, 70, 70 }));
    }

    [Test]
    public void RunsOfPixels_AreUnpacked([Values] DecodeMode mode) =>
        Assert.That(Decode(Tga(11, 5, 1, 8, 0x20, [0x82, 9, 0x01, 5, 6]), mode).Pixels.ToArray().Where((_, i) => i % 3 == 0),
            Is.EqualTo(new byte[] { 9, 9, 9, 5, 6 }));

    [Test]
    public void FiveBits_AreWithinOneOfPillows([Values] DecodeMode mode)
    {
        // Pillow has value · 255 / 31 without rounding.
        byte[] data = [.. Enumerable.Range(0, 32).SelectMany(v => new[] { (byte)((v | (v << 5)) & 255), (byte)((v << 2) | (v >> 3)) })];
        byte[] pixels = Decode(Tga(2, 32, 1, 16, 0x20, data), mode).Pixels.ToArray();
        for (int i = 0; i < pixels.Length; i++)
            Assert.That(pixels[i], Is.InRange(i / 3 * 255 / 31, i / 3 * 255 / 31 + 1));
    }

    [Test]
    public void WithoutTheName_ItIsNoPicture()
    {
        byte[] file = Tga(2, 3, 2, 24, 0, new byte[18]);
        using var decoder = new ImageDecoder();
        Assert.That(() => decoder.Decode(folder.Write("x.dat", file), new RgbImage()),
            Throws.TypeOf<ImageDecodeException>().With.Message.Contains("it is not a"));
        foreach (string name in new[] { "x.tga", "x.TGA", "x.tpic", "x.icb", "x.vda", "x.vst" })
            Assert.That(() => decoder.Decode(folder.Write(name, file), new RgbImage()), Throws.Nothing, name);
        using var memory = PictureInput.OfBytes(file, "an entry.tga");
        Assert.That(() => decoder.Decode(memory, new RgbImage()), Throws.Nothing);
    }

    [Test]
    public void HeadersThatMakeNoSense_AreRefused()
    {
        byte[] good = Tga(2, 3, 2, 24, 0, new byte[18]);
        foreach (var (at, value) in new[] { (1, 2), (2, 4), (2, 0), (12, 0), (14, 0), (16, 7), (17, 0xC0) })
        {
            byte[] bad = [.. good];
            bad[at] = (byte)value;
            Assert.That(() => Decode(bad), Throws.TypeOf<ImageDecodeException>().With.Message.Contains("it is not a"), $"byte {at}");
        }
        Assert.That(() => Decode(good[..^1]), Throws.TypeOf<ImageDecodeException>().With.Message.Contains("truncated"));
        byte[] huge = [.. good];
        (huge[12], huge[13], huge[14], huge[15]) = (255, 255, 255, 255);
        Assert.That(() => Decode(huge), Throws.TypeOf<ImageDecodeException>().With.Message.Contains("65535 × 65535 pixels, more than"));
        // A page of text with the name of a picture.
        Assert.That(() => Decode("<html><body>There is no such picture here.</body></html>"u8.ToArray()),
            Throws.TypeOf<ImageDecodeException>().With.Message.Contains("a page of the web"));
    }

    private static byte[] Tga(byte kind, byte width, byte height, byte bits, int descriptor, byte[] data) =>
        [0, 0, kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, width, 0, height, 0, bits, (byte)descriptor, .. data];

    private RgbImage Decode(byte[] file, DecodeMode mode = DecodeMode.Exact, int channels = 3)
    {
        using var decoder = new ImageDecoder { Mode = mode, Channels = channels };
        var image = new RgbImage();
        decoder.Decode(folder.Write("x.tga", file), image);
        return image;
    }
}
