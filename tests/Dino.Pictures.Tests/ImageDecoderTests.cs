using Dino.Pictures.Decoding;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

public sealed class ImageDecoderTests : IDisposable
{
    private readonly PictureFolder folder = new();
    private readonly ImageDecoder decoder = new();

    public void Dispose()
    {
        decoder.Dispose();
        folder.Dispose();
    }

    [TestCase(".png")]
    [TestCase(".jpg")]
    [TestCase(".webp")]
    public void Pictures_keep_their_size_and_colours(string extension)
    {
        RgbImage expected = PictureFolder.Pattern(3, 31, 17);
        RgbImage image = Decode(PictureFolder.Encode("x" + extension, expected));
        Assert.That((image.Width, image.Height), Is.EqualTo((31, 17)));
        double error = 0;
        for (int i = 0; i < expected.Pixels.Length; i++)
            error += Math.Abs(expected.Pixels[i] - image.Pixels[i]);
        Assert.That(error / expected.Pixels.Length, extension == ".png" ? Is.Zero : Is.LessThan(12));
    }

    [Test]
    public void Bitmaps_are_read_bottom_up()
    {
        byte[] file = new byte[54 + 2 * 8];
        "BM"u8.CopyTo(file);
        (file[2], file[10], file[14], file[18], file[22], file[26], file[28]) = ((byte)file.Length, 54, 40, 2, 2, 1, 24);
        new byte[] { 1, 2, 3, 4, 5, 6, 0, 0, 7, 8, 9, 10, 11, 12, 0, 0 }.CopyTo(file, 54);
        Assert.That(Decode(file).Pixels.ToArray(), Is.EqualTo(new byte[] { 9, 8, 7, 12, 11, 10, 3, 2, 1, 6, 5, 4 }));
    }

    [Test]
    public void The_first_frame_of_a_gif_is_read()
    {
        byte[] file =
        [
            .. "GIF89a"u8, 1, 0, 1, 0, 0x80, 0, 0, 10, 20, 30, 40, 50, 60, // 1 × 1, two colours
            0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x4C, 1, 0, // a frame with colour 1
            0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, // a frame with colour 0
            0x3B,
        ];
        Assert.That(Decode(file).Pixels.ToArray(), Is.EqualTo(new byte[] { 40, 50, 60 }));
    }

    [Test]
    public void Grey_palette_and_alpha_become_rgb()
    {
        Assert.That(Decode(PictureFolder.Png(2, 1, 8, 0, [0, 7, 200])).Pixels.ToArray(), Is.EqualTo(new byte[] { 7, 7, 7, 200, 200, 200 }));
        byte[] palette = PictureFolder.Png(2, 1, 8, 3, [0, 1, 0], ("PLTE", [1, 2, 3, 4, 5, 6]), ("tRNS", [0, 0]));
        Assert.That(Decode(palette).Pixels.ToArray(), Is.EqualTo(new byte[] { 4, 5, 6, 1, 2, 3 }));
        // The colour behind a transparent pixel stays: alpha is dropped, not blended or multiplied in.
        byte[] alpha = PictureFolder.Png(2, 1, 8, 6, [0, 200, 100, 50, 0, 200, 100, 50, 128]);
        Assert.That(Decode(alpha).Pixels.ToArray(), Is.EqualTo(new byte[] { 200, 100, 50, 200, 100, 50 }));
    }

    [Test]
    public void Sixteen_bits_keep_the_upper_eight() =>
        Assert.That(
            Decode(PictureFolder.Png(1, 1, 16, 2, [0, 0x12, 0x34, 0xAB, 0xCD, 0xFF, 0xFF])).Pixels.ToArray(),
            Is.EqualTo(new byte[] { 0x12, 0xAB, 0xFF }));

    [Test]
    public void A_truncated_jpeg_is_refused()
    {
        byte[] file = PictureFolder.Encode("x.jpg", TransformTests.Noise(100, 80));
        foreach (int cut in new[] { 40, file.Length / 2, file.Length - file.Length / 4 })
            AssertRefused(file.AsSpan(..^cut), "truncated");
    }

    [Test]
    public void A_jpeg_with_a_damaged_end_marker_is_complete_all_the_same()
    {
        byte[] file = PictureFolder.Encode("x.jpg", PictureFolder.Pattern(1, 64, 48));
        byte[] expected = Decode(file).Pixels.ToArray();
        file[^1] = 0xC9;
        Assert.That(Decode(file).Pixels.ToArray(), Is.EqualTo(expected));
    }

    [Test]
    public void A_jpeg_with_an_impossible_marker_is_refused()
    {
        byte[] file = PictureFolder.Encode("x.jpg", PictureFolder.Pattern(1, 64, 48));
        (file[^60], file[^59]) = (0xFF, 0xC3);
        AssertRefused(file, "damaged");
    }

    [Test]
    public void A_png_needs_its_end_but_not_the_checksum_of_its_data()
    {
        byte[] file = PictureFolder.Encode("x.png", PictureFolder.Pattern(1, 20, 10));
        byte[] expected = Decode(file).Pixels.ToArray();
        file[^13] ^= 0x55; // in the checksum of the last data chunk
        Assert.That(Decode(file).Pixels.ToArray(), Is.EqualTo(expected));
        AssertRefused(file.AsSpan(..^12), "truncated");
        AssertRefused(file.AsSpan(..^40), "truncated");
    }

    [Test]
    public void Absurd_sizes_are_refused_before_any_memory_is_taken()
    {
        byte[] bomb = PictureFolder.Png(60_000, 60_000, 8, 0, [0]);
        AssertRefused(bomb, "60000 × 60000 pixels");
        using var small = new ImageDecoder(maxPixels: 100);
        string path = folder.WritePicture("eleven.png", 1, 11, 10);
        Assert.That(() => small.Decode(path, new RgbImage()), Throws.TypeOf<ImageDecodeException>().With.Message.Contains("11 × 10"));
    }

    [Test]
    public void What_is_no_picture_is_refused()
    {
        AssertRefused([], "empty");
        AssertRefused("hello, world, this is text"u8, "not a JPEG");
        AssertRefused([0xFF, 0xD8, 0xFF, 0xE0], "header");
        string missing = folder.PathOf("missing.png");
        Assert.That(
            () => decoder.Decode(missing, new RgbImage()),
            Throws.TypeOf<ImageDecodeException>().With.Property("Path").EqualTo(missing).And.Property("Reason").Contains("cannot be read"));
    }

    [Test]
    public void No_damage_of_a_byte_is_worse_than_an_error()
    {
        foreach (string name in new[] { "x.png", "x.jpg", "x.webp" })
        {
            byte[] file = PictureFolder.Encode(name, PictureFolder.Pattern(2, 24, 16));
            for (int i = 0; i < file.Length; i += 1 + file.Length / 150)
            {
                byte[] damaged = [.. file];
                damaged[i] ^= 0xFF;
                string path = folder.Write("damaged", damaged);
                try
                {
                    var image = new RgbImage();
                    decoder.Decode(path, image);
                    Assert.That(image.Width, Is.Positive);
                }
                catch (ImageDecodeException e)
                {
                    Assert.That(e.Message, Does.StartWith(path));
                }
            }
        }
    }

    private RgbImage Decode(ReadOnlySpan<byte> file)
    {
        var image = new RgbImage();
        decoder.Decode(folder.Write("picture", file), image);
        return image;
    }

    private void AssertRefused(ReadOnlySpan<byte> file, string reason)
    {
        string path = folder.Write("refused", file);
        Assert.That(
            () => decoder.Decode(path, new RgbImage()),
            Throws.TypeOf<ImageDecodeException>().With.Property("Path").EqualTo(path).And.Property("Reason").Contains(reason));
    }
}
