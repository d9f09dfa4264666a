using BitMiracle.LibTiff.Classic;
using Dino.Pictures.Decoding;
using Dino.Testing.Runs;
using NUnit.Framework;
using static Dino.Pictures.Tests.TiffBytes;

namespace Dino.Pictures.Tests;

/// <summary>TIFFs of every kind give the numbers that were written, in 8 bits and as they are.</summary>
[Parallelizable(ParallelScope.All)]
public class TiffTests
{
    private const int Width = 37, Height = 21;

    /// <summary>The sample that every picture here has, of so many bits.</summary>
    private static int Sample(int x, int y, int channel, int bits) => (x * 37 + y * 91 + channel * 53 + x * y * 5) % (1 << bits);

    private static IEnumerable<double> Row(int y, int samples, int bits) =>
        Enumerable.Range(0, Width * samples).Select(i => (double)Sample(i / samples, y, i % samples, bits));

    private static byte[] Packed(int samples, int bits) =>
        [.. Enumerable.Range(0, Height).SelectMany(y => Pack(Row(y, samples, bits), bits))];

    private static RgbImage Rgb(byte[] file, int channels = 3, int page = 0)
    {
        using var decoder = new ImageDecoder { Channels = channels };
        using var input = new Memory(file) { Page = page };
        var image = new RgbImage();
        decoder.Decode(input, image);
        return image;
    }

    private static FloatImage Floats(byte[] file, int page = 0)
    {
        using var input = new Memory(file) { Page = page };
        var image = new FloatImage();
        Assert.That(TiffPicture.Decode(input, new DecodeLimits(ImageDecoder.DefaultMaxPixels), image), Is.Null);
        return image;
    }

    private static void AssertRgb(RgbImage image, Func<int, int, int, int> expected, string what, int tolerance = 0)
    {
        Assert.That((image.Width, image.Height), Is.EqualTo((Width, Height)), what);
        for (int y = 0; y < Height; y++)
            for (int i = 0; i < 3 * Width; i++)
                if (Math.Abs(image.Row(y)[i] - expected(i / 3, y, i % 3)) > tolerance)
                    Assert.Fail($"{what}: ({i / 3}, {y}), channel {i % 3} is {image.Row(y)[i]}, not {expected(i / 3, y, i % 3)}.");
    }

    private static void AssertFloats(FloatImage image, int channels, PixelDepth depth, Func<int, int, int, double> expected, string what)
    {
        Assert.That((image.Channels, image.Width, image.Height, image.Depth), Is.EqualTo((channels, Width, Height, depth)), what);
        for (int i = 0; i < image.Values.Length; i++)
        {
            int channel = i / (Width * Height), y = i / Width % Height, x = i % Width;
            if (image.Values[i] != (float)expected(x, y, channel))
                Assert.Fail($"{what}: ({x}, {y}), channel {channel} is {image.Values[i]}, not {expected(x, y, channel)}.");
        }
    }

    [Test]
    public void EveryCompression_Layout_AndByteOrder_GivesWhatWasWritten()
    {
        Compression[] schemes = [Compression.NONE, Compression.LZW, Compression.ADOBE_DEFLATE, Compression.DEFLATE, Compression.PACKBITS];
        foreach (var scheme in schemes)
            foreach (string mode in new[] { "wl", "wb", "wl8" })
                foreach (int bits in new[] { 8, 16 })
                    foreach (var (samples, planar) in new[] { (1, false), (3, false), (3, true), (4, true) })
                        foreach (int rows in new[] { Height, 4, -16 })
                            foreach (int predictor in new[] { 1, 2 })
                            {
                                // LibTiff itself writes differences of wide numbers wrongly with the highest byte first.
                                bool isWrong = mode == "wb" && bits == 16;
                                if (predictor == 2 && (scheme is Compression.NONE or Compression.PACKBITS || isWrong))
                                    continue;
                                string what = $"{scheme} {mode}, {samples} of {bits} bits, planar {planar}, {rows} rows, "
                                    + $"predictor {predictor}";
                                byte[] file = WithLibTiff(mode, samples, bits, planar, rows, tiff =>
                                {
                                    tiff.SetField(TiffTag.COMPRESSION, scheme);
                                    if (predictor == 2)
                                        tiff.SetField(TiffTag.PREDICTOR, Predictor.HORIZONTAL);
                                });
                                AssertRgb(Rgb(file), (x, y, c) => Sample(x, y, samples == 1 ? 0 : c, bits) >> (bits - 8), what);
                                AssertFloats(Floats(file), samples, new PixelDepth(bits), (x, y, c) => Sample(x, y, c, bits), what);
                            }
    }

    [Test]
    public void FaxCodes_GiveBlackAndWhite_OfEitherKind([Values] bool whiteIsZero, [Values] bool lowestBitFirst)
    {
        foreach (var (scheme, options) in new[] { (Compression.CCITT_T4, 0), (Compression.CCITT_T4, 1), (Compression.CCITT_T6, 0),
            (Compression.CCITTRLE, 0) })
        {
            byte[] file = WithLibTiff("wl", 1, 1, planar: false, 8, tiff =>
            {
                tiff.SetField(TiffTag.COMPRESSION, scheme);
                tiff.SetField(TiffTag.PHOTOMETRIC, whiteIsZero ? Photometric.MINISWHITE : Photometric.MINISBLACK);
                tiff.SetField(TiffTag.FILLORDER, lowestBitFirst ? FillOrder.LSB2MSB : FillOrder.MSB2LSB);
                if (scheme == Compression.CCITT_T4)
                    tiff.SetField(TiffTag.GROUP3OPTIONS, options);
            });
            int White(int x, int y, int c) => 255 * (Sample(x, y, 0, 1) ^ (whiteIsZero ? 1 : 0));
            AssertRgb(Rgb(file), White, $"{scheme} {options}");
            AssertFloats(Floats(file), 1, PixelDepth.Bytes, (x, y, c) => White(x, y, c), $"{scheme} {options}");
        }
    }

    [Test]
    public void JpegInTiff_IsReadNearly([Values(1, 3)] int samples, [Values] bool ycbcr, [Values(Height, 16, -16)] int rows)
    {
        if (samples == 1 && ycbcr)
            return;
        byte[] file = WithLibTiff("wl", samples, 8, planar: false, rows, tiff =>
        {
            tiff.SetField(TiffTag.COMPRESSION, Compression.JPEG);
            tiff.SetField(TiffTag.JPEGQUALITY, 100);
            if (!ycbcr)
                return;
            tiff.SetField(TiffTag.PHOTOMETRIC, Photometric.YCBCR);
            tiff.SetField(TiffTag.YCBCRSUBSAMPLING, 1, 1);
            tiff.SetField(TiffTag.JPEGCOLORMODE, JpegColorMode.RGB);
        }, Smooth);
        AssertRgb(Rgb(file), (x, y, c) => (int)Smooth(x, y, samples == 1 ? 0 : c), "as RGB", tolerance: 6);
        AssertFloats(Floats(file), samples, PixelDepth.Bytes, (x, y, c) => Rgb(file).Row(y)[3 * x + c], "as floats");
    }

    [Test]
    public void JpegParts_WithHalvedColours_AreThoseOfTheFile()
    {
        byte[] jpeg = PictureFolder.Encode("x.jpg", PictureFolder.Pattern(2, Width, Height));
        byte[] file = Of(Page(Width, Height, 6, 3, 8, [jpeg], (259, Short, [7]), (530, Short, [2, 2])));
        Assert.That(Rgb(file).Pixels.ToArray(), Is.EqualTo(Rgb(jpeg).Pixels.ToArray()));
    }

    private static double Smooth(int x, int y, int channel) => 20 + x * 3 + y * (4 - channel) + 20 * channel;

    [TestCase(1, false, false)]
    [TestCase(2, false, false)]
    [TestCase(4, false, false)]
    [TestCase(12, false, false)]
    [TestCase(10, false, false)]
    [TestCase(32, false, false)]
    [TestCase(64, false, false)]
    [TestCase(8, false, true)]
    [TestCase(16, false, true)]
    [TestCase(32, false, true)]
    [TestCase(16, true, false)]
    [TestCase(32, true, false)]
    [TestCase(64, true, false)]
    public void EveryKindOfNumber_IsRead(int bits, bool isFloat, bool isSigned)
    {
        double Value(int x, int y, int c) => isFloat ? (Sample(x, y, c, 10) - 300) / 4.0
            : isSigned ? Sample(x, y, c, 8) - 128 : Sample(x, y, c, Math.Min(bits, 12));
        foreach (bool bigEndian in new[] { false, true })
        {
            byte[] strip = [.. Enumerable.Range(0, Height).SelectMany(y =>
                Pack(Enumerable.Range(0, Width).Select(x => Value(x, y, 0)), bits, isFloat, bigEndian))];
            byte[] file = Of([Page(Width, Height, 1, 1, bits, [strip], (339, Short, [isFloat ? 3 : isSigned ? 2 : 1]))], bigEndian);
            AssertRgb(Rgb(file), (x, y, _) => isFloat || isSigned || bits > 16 ? (int)Math.Clamp(Value(x, y, 0), 0, 255)
                : bits < 8 ? (int)(Value(x, y, 0) * 255 / ((1 << bits) - 1)) : (int)Value(x, y, 0) >> (bits - 8), "as RGB");
            AssertFloats(Floats(file), 1, bits < 8 ? PixelDepth.Bytes : new PixelDepth(bits, isFloat, isSigned),
                (x, y, _) => bits < 8 ? Value(x, y, 0) * 255 / ((1 << bits) - 1) : Value(x, y, 0), "as floats");
        }
    }

    [Test]
    public void TwelveBits_InFilesOfSixteen_KeepTheirValues()
    {
        byte[] file = Of(Page(Width, Height, 1, 1, 16,
            [Pack(Enumerable.Range(0, Width * Height).Select(i => (double)Sample(i % Width, i / Width, 0, 12)), 16)]));
        AssertFloats(Floats(file), 1, new PixelDepth(16), (x, y, _) => Sample(x, y, 0, 12), "0 … 4095");
        AssertRgb(Rgb(file), (x, y, _) => Sample(x, y, 0, 12) >> 8, "the upper byte");
    }

    [Test]
    public void FloatsUpToOne_AreSpreadOverBytes()
    {
        byte[] File(double top) => Of(Page(Width, Height, 1, 1, 32,
            [Pack(Enumerable.Range(0, Width * Height).Select(i => top * Sample(i % Width, i / Width, 0, 8) / 255), 32, isFloat: true)],
            (339, Short, [3])));
        AssertRgb(Rgb(File(1)), (x, y, _) => Sample(x, y, 0, 8), "0 … 1", tolerance: 0);
        AssertRgb(Rgb(File(255)), (x, y, _) => Sample(x, y, 0, 8), "0 … 255", tolerance: 0);
    }

    [Test]
    public void DifferencesOfWideNumbers_AreSummed([Values(16, 32, 64)] int bits, [Values] bool bigEndian)
    {
        double Value(int x, int y, int c) => x < 0 ? 0 : Sample(x, y, c, 12);
        byte[] strip = [.. Enumerable.Range(0, Height).SelectMany(y => Pack(
            Enumerable.Range(0, 3 * Width).Select(i => Value(i / 3, y, i % 3) - Value(i / 3 - 1, y, i % 3)), bits, bigEndian: bigEndian))];
        byte[] file = Of([Page(Width, Height, 2, 3, bits, [Deflate(strip)], (259, Short, [8]), (317, Short, [2]))], bigEndian);
        AssertFloats(Floats(file), 3, new PixelDepth(bits), Value, $"{bits} bits");
    }

    [Test]
    public void FloatPredictor_IsUndone()
    {
        double Value(int x, int y, int c) => Math.ScaleB(Sample(x, y, c, 16) - 20000, -9);
        foreach (int bits in new[] { 32, 64 })
        {
            byte[] Highest(int y) =>
                Pack(Enumerable.Range(0, 3 * Width).Select(i => Value(i / 3, y, i % 3)), bits, isFloat: true, bigEndian: true);
            byte[] strip = [.. Enumerable.Range(0, Height).SelectMany(y => Differences(Highest(y), bits / 8, 3))];
            byte[] file = Of(Page(Width, Height, 2, 3, bits, [Deflate(strip)], (259, Short, [8]), (317, Short, [3]),
                (339, Short, [3, 3, 3])));
            AssertFloats(Floats(file), 3, new PixelDepth(bits, IsFloat: true), Value, $"{bits} bits");
        }
    }

    /// <summary>Adobe's Technical Note 3: bytes of equal weight together, then differences over a pixel.</summary>
    private static byte[] Differences(byte[] row, int size, int samples)
    {
        int count = row.Length / size;
        byte[] sorted = [.. Enumerable.Range(0, row.Length).Select(i => row[i % count * size + i / count])];
        return [.. sorted.Select((value, i) => (byte)(value - (i < samples ? 0 : sorted[i - samples])))];
    }

    [Test]
    public void Palettes_GiveTheirColours([Values(1, 2, 4, 8)] int bits)
    {
        int colours = 1 << bits;
        long Colour(int index, int channel) => (index * 23 + channel * 71) % 256 * 257;
        long[] map = [.. Enumerable.Range(0, 3 * colours).Select(i => Colour(i % colours, i / colours))];
        var page = Page(Width, Height, 3, 1, bits, [Packed(1, bits)], (320, Short, map));
        foreach (var picture in new[] { page, page.With(320, Short, [.. map.Select(value => value >> 8)]) })
        {
            AssertRgb(Rgb(Of(picture)), (x, y, c) => (int)(Colour(Sample(x, y, 0, bits), c) >> 8), "as RGB");
            AssertFloats(Floats(Of(picture)), 3, PixelDepth.Bytes, (x, y, c) => Colour(Sample(x, y, 0, bits), c) >> 8, "as floats");
        }
        Assert.That(() => Rgb(Of(page.Without(320))), Throws.TypeOf<ImageDecodeException>().With.Message.Contains("no palette"));
    }

    [Test]
    public void Cmyk_BecomesRgb_AsPillowMakesIt([Values(8, 16)] int bits)
    {
        int Ink(int x, int y, int c) => Sample(x, y, c, bits) >> (bits - 8);
        int Expected(int x, int y, int c)
        {
            int light = 255 - Ink(x, y, 3);
            return light - (int)Math.Round(Ink(x, y, c) * light / 255.0, MidpointRounding.AwayFromZero);
        }
        byte[] file = Of(Page(Width, Height, 5, 4, bits, [Packed(4, bits)]));
        AssertRgb(Rgb(file), Expected, "as RGB");
        AssertFloats(Floats(file), 3, PixelDepth.Bytes, (x, y, c) => Expected(x, y, c), "as floats");
    }

    [Test]
    public void YCbCr_WithHalvedColours_BecomesRgb()
    {
        // Blocks of 2 × 2 pixels: four of Y, then Cb and Cr.
        int Block(int x, int y, int c) => 100 + Sample(x / 2, y / 2, c, 6);
        byte[] strip = [.. Enumerable.Range(0, (Height + 1) / 2).SelectMany(y => Enumerable.Range(0, (Width + 1) / 2).SelectMany(x =>
            new[] { Sample(2 * x, 2 * y, 0, 8), Sample(2 * x + 1, 2 * y, 0, 8), Sample(2 * x, 2 * y + 1, 0, 8),
                Sample(2 * x + 1, 2 * y + 1, 0, 8), Block(2 * x, 2 * y, 1), Block(2 * x, 2 * y, 2) }.Select(value => (byte)value)))];
        foreach (int scheme in new[] { 1, 8 })
        {
            byte[] file = Of(Page(Width, Height, 6, 3, 8, [scheme == 1 ? strip : Deflate(strip)], (259, Short, [scheme]),
                (530, Short, [2, 2])));
            AssertRgb(Rgb(file), (x, y, c) =>
            {
                double cb = Block(x, y, 1) - 128, cr = Block(x, y, 2) - 128;
                double colour = c switch { 0 => 1.402 * cr, 1 => -0.344136 * cb - 0.714136 * cr, _ => 1.772 * cb };
                return (int)Math.Clamp(Math.Round(Sample(x, y, 0, 8) + colour), 0, 255);
            }, $"compression {scheme}", tolerance: 1);
        }
    }

    [Test]
    public void Opacity_IsDropped_OrGiven_AndTakenOutOfColours([Values(8, 16)] int bits)
    {
        int Upper(int x, int y, int c) => Sample(x, y, c, bits) >> (bits - 8);
        foreach (int kind in new[] { 0, 1, 2 })
        {
            byte[] file = Of(Page(Width, Height, 2, 4, bits, [Packed(4, bits)], (338, Short, [kind])));
            int Colour(int x, int y, int c) => kind != 1 ? Upper(x, y, c)
                : Upper(x, y, 3) == 0 ? 0 : Math.Min(255, Upper(x, y, c) * 255 / Upper(x, y, 3));
            AssertRgb(Rgb(file), Colour, $"kind {kind}");
            Assert.That(Rgb(file).Opacity, Is.Null);
            var with = Rgb(file, channels: 4);
            AssertRgb(with, Colour, $"kind {kind}");
            AssertRgb(with.Opacity!, (x, y, _) => Upper(x, y, 3), $"opacity of kind {kind}");
            if (kind != 1)
                AssertFloats(Floats(file), 4, new PixelDepth(bits), (x, y, c) => Sample(x, y, c, bits), $"kind {kind}");
        }
        byte[] grey = Of(Page(Width, Height, 1, 2, bits, [Packed(2, bits)], (338, Short, [2])));
        AssertRgb(Rgb(grey, channels: 4), (x, y, _) => Upper(x, y, 0), "grey");
        AssertRgb(Rgb(grey, channels: 4).Opacity!, (x, y, _) => Upper(x, y, 1), "its opacity");
    }

    [Test]
    public void Bands_ComeAsTheyAre_AndAreNoColours()
    {
        byte[] file = Of(Page(Width, Height, 1, 7, 16, [Packed(7, 16)], (338, Short, new long[6])));
        AssertFloats(Floats(file), 7, new PixelDepth(16), (x, y, c) => Sample(x, y, c, 16), "seven bands");
        Assert.That(() => Rgb(file), Throws.TypeOf<ImageDecodeException>().With.Message.Contains("it has 7 channels"));
        byte[] four = Of(Page(Width, Height, 1, 4, 8, [Packed(4, 8)], (338, Short, new long[3])));
        AssertRgb(Rgb(four, channels: 4).Opacity!, (x, y, _) => Sample(x, y, 3, 8), "a fourth band");
    }

    [Test]
    public void EveryOrientation_ComesUpright([Range(1, 8)] int orientation)
    {
        // Where the stored row 0 and column 0 are to be seen: TIFF 6.0, Orientation.
        (int X, int Y) Stored(int x, int y) => orientation switch
        {
            2 => (Width - 1 - x, y),
            3 => (Width - 1 - x, Height - 1 - y),
            4 => (x, Height - 1 - y),
            5 => (y, x),
            6 => (y, Height - 1 - x),
            7 => (Width - 1 - y, Height - 1 - x),
            8 => (Width - 1 - y, x),
            _ => (x, y),
        };
        byte[] file = Of(Page(Width, Height, 2, 4, 8, [Packed(4, 8)], (274, Short, [orientation]), (338, Short, [2])));
        var (image, floats) = (Rgb(file, channels: 4), Floats(file));
        var size = orientation > 4 ? (Height, Width) : (Width, Height);
        Assert.That((image.Width, image.Height), Is.EqualTo(size));
        Assert.That((floats.Width, floats.Height), Is.EqualTo(size));
        for (int y = 0; y < image.Height; y++)
            for (int x = 0; x < image.Width; x++)
            {
                var (fromX, fromY) = Stored(x, y);
                for (int c = 0; c < 4; c++)
                {
                    int expected = Sample(fromX, fromY, c, 8);
                    Assert.That(c < 3 ? image.Row(y)[3 * x + c] : image.Opacity!.Row(y)[3 * x], Is.EqualTo(expected));
                    Assert.That(floats.Plane(c)[y * image.Width + x], Is.EqualTo(expected));
                }
            }
    }

    [Test]
    public void LargeStrips_ThatAreNotCompressed_AreReadInPieces()
    {
        const int width = 3000, height = 1201;
        byte[] strip = [.. Enumerable.Range(0, width * height * 2).Select(i => (byte)(i * 7 + i / 5000))];
        foreach (int planes in new[] { 1, 2 })
        {
            byte[] file = Of(planes == 1 ? Page(width, height, 1, 1, 16, [strip])
                : Page(width, height, 1, 2, 16, [strip, strip], (284, Short, [2])));
            var image = Floats(file);
            for (int i = 0; i < image.Values.Length; i += 997)
            {
                int at = i % (width * height) * 2;
                Assert.That(image.Values[i], Is.EqualTo(strip[at] + 256 * strip[at + 1]));
            }
        }
    }

    [Test]
    public void ManyThreads_ReadAtOnce()
    {
        byte[] good = WithLibTiff("wb", 3, 8, planar: false, 4, tiff => tiff.SetField(TiffTag.COMPRESSION, Compression.LZW));
        byte[] bad = [.. good];
        Array.Fill(bad, (byte)0x5A, 20, 200);
        using var decoder = new ImageDecoder();
        Parallel.For(0, 64, i =>
        {
            using var input = PictureInput.OfBytes(i % 2 == 0 ? good : bad);
            var image = new RgbImage();
            string? reason = TiffPicture.Decode(input, new DecodeLimits(ImageDecoder.DefaultMaxPixels), image, 3);
            if (i % 2 != 0)
                Assert.That(reason, Is.EqualTo("its data are damaged"));
            else
                AssertRgb(image, (x, y, c) => Sample(x, y, c, 8), $"{i}: {reason}");
        });
    }

    /// <summary>A file written by LibTiff: strips of so many rows, or tiles of 16 × 16 for a negative number.</summary>
    private static byte[] WithLibTiff(string mode, int samples, int bits, bool planar, int rows, Action<Tiff> fields,
        Func<int, int, int, double>? value = null)
    {
        value ??= (x, y, c) => Sample(x, y, c, bits);
        using var stream = new MemoryStream();
        using (var tiff = Tiff.ClientOpen("", mode, stream, new TiffStream()))
        {
            tiff.SetField(TiffTag.IMAGEWIDTH, Width);
            tiff.SetField(TiffTag.IMAGELENGTH, Height);
            tiff.SetField(TiffTag.SAMPLESPERPIXEL, samples);
            tiff.SetField(TiffTag.BITSPERSAMPLE, bits);
            tiff.SetField(TiffTag.PHOTOMETRIC, samples < 3 ? Photometric.MINISBLACK : Photometric.RGB);
            tiff.SetField(TiffTag.PLANARCONFIG, planar ? PlanarConfig.SEPARATE : PlanarConfig.CONTIG);
            if (samples == 4)
                tiff.SetField(TiffTag.EXTRASAMPLES, 1, new short[] { (short)ExtraSample.UNASSALPHA });
            fields(tiff);
            bool tiled = rows < 0;
            int wide = tiled ? 16 : Width, high = tiled ? 16 : rows, part = 0;
            tiff.SetField(tiled ? TiffTag.TILEWIDTH : TiffTag.ROWSPERSTRIP, high);
            if (tiled)
                tiff.SetField(TiffTag.TILELENGTH, high);
            for (int plane = 0; plane < (planar ? samples : 1); plane++)
                for (int top = 0; top < Height; top += high)
                    for (int left = 0; left < Width; left += wide, part++)
                    {
                        int ofPart = tiled ? high : Math.Min(high, Height - top), each = planar ? 1 : samples;
                        byte[] bytes = [.. Enumerable.Range(top, ofPart).SelectMany(y => Pack(Enumerable.Range(0, wide * each).Select(i =>
                            value(Math.Min(Width - 1, left + i / each), Math.Min(Height - 1, y), planar ? plane : i % each)), bits))];
                        int written = tiled ? tiff.WriteEncodedTile(part, bytes, bytes.Length)
                            : tiff.WriteEncodedStrip(part, bytes, bytes.Length);
                        Assert.That(written, Is.EqualTo(bytes.Length));
                    }
            tiff.WriteDirectory();
            tiff.Flush();
        }
        return stream.ToArray();
    }

    private sealed class Memory(byte[] bytes) : PictureInput("the picture")
    {
        public override long Length => bytes.Length;

        public override int Read(Span<byte> buffer, long offset)
        {
            int count = (int)Math.Clamp(bytes.Length - offset, 0, Math.Min(buffer.Length, 1000)); // never all at once
            bytes.AsSpan((int)offset, count).CopyTo(buffer);
            return count;
        }
    }
}
