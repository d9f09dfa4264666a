using System.Diagnostics;
using System.Globalization;
using Dino.Pictures.Decoding;
using Dino.Testing.Runs;
using NUnit.Framework;
using static Dino.Pictures.Tests.TiffBytes;

namespace Dino.Pictures.Tests;

/// <summary>
/// TIFFs of every kind with wrong fields and wrong bits, cut and spliced: each is a picture or a clear refusal, at a bounded cost. File i
/// follows from the seed and i alone.
/// </summary>
public class TiffFuzzTests
{
    private const int MaxPixels = 1 << 20, Width = 19, Height = 13;

    private static readonly int files = Number("DINO_FUZZ_COUNT", 1_500), seed = Number("DINO_FUZZ_SEED", 20210429);

    private static readonly uint[] awkward =
    [
        0, 1, 2, 3, 4, 5, 7, 8, 16, 17, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0xFFFFFF, int.MaxValue, 0x80000000,
        uint.MaxValue, 32771, 32773, 32946, 1000, 12000, 60000, 100_000,
    ];

    private static readonly int[] tags =
    [
        254, 255, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 292, 293, 317, 320, 322, 323, 324, 325, 330, 338, 339, 347,
        529, 530, 532, 50706,
    ];

    [Test]
    public void MutatedTiffs_AreRefusedOrRead_AtABoundedCost()
    {
        byte[][] seeds = [.. Seeds()];
        using var decoder = new ImageDecoder(MaxPixels) { Channels = 4 };
        using var stored = new ImageDecoder(MaxPixels) { Channels = 0 };
        var (picture, numbers) = (new RgbImage(), new FloatImage());
        foreach (byte[] whole in seeds)
        {
            using var input = PictureInput.OfBytes(whole);
            stored.Decode(input, numbers);
        }
        int read = 0;
        double slowest = 0;
        for (int i = 0; i < files; i++)
        {
            byte[] mutated = Mutate(new Random(unchecked(seed * 1_000_003 + i)), seeds);
            try
            {
                var watch = Stopwatch.StartNew();
                read += IsRead(mutated, decoder, stored, picture, numbers) ? 1 : 0;
                slowest = Math.Max(slowest, watch.Elapsed.TotalSeconds);
            }
            catch (Exception e)
            {
                string path = Path.Combine(Path.GetTempPath(), $"dino-fuzz-{Guid.NewGuid():n}");
                File.WriteAllBytes(path, mutated);
                Assert.Fail($"File {i} of seed {seed}, kept as {path}: {e}");
            }
        }
        TestContext.Out.WriteLine($"seed {seed}: {files} files, {read} read, the slowest in {slowest * 1000:F1} ms");
        Assert.That(slowest, Is.LessThan(60), "a hang, however busy the machine is");
        // Both ways must have been gone often, or the mutations are too crude or too weak.
        Assert.That(read, Is.InRange(files / 10, files - files / 10));
    }

    private static bool IsRead(byte[] file, ImageDecoder decoder, ImageDecoder stored, RgbImage picture, FloatImage numbers)
    {
        using var input = PictureInput.OfBytes(file);
        long before = GC.GetAllocatedBytesForCurrentThread();
        bool isRead = Try(() => decoder.Decode(input, picture));
        if (isRead && (picture.Width < 1 || picture.Height < 1 || (long)picture.Width * picture.Height > MaxPixels))
            throw new InvalidOperationException($"A picture of {picture.Width} × {picture.Height} pixels.");
        Try(() => stored.Decode(input, numbers));
        if (TiffPicture.CountPages(input) is < 1 or > 100)
            throw new InvalidOperationException("No sensible number of pages.");
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        return allocated < 512 << 20 ? isRead : throw new InvalidOperationException($"It took {allocated} bytes of memory.");
    }

    private static bool Try(Action decode)
    {
        try
        {
            decode();
            return true;
        }
        catch (ImageDecodeException e)
        {
            return e.Message.StartsWith("the picture: ", StringComparison.Ordinal) && !e.Message.Contains('\n', StringComparison.Ordinal)
                ? false : throw new InvalidOperationException($"An unclear refusal: {e.Message}");
        }
    }

    private static IEnumerable<byte[]> Seeds()
    {
        byte[] Samples(int count) => [.. Enumerable.Range(0, count).Select(i => (byte)(i * 7 + i / 50))];
        Picture Plain(int photometric, int samples, int bits) =>
            Page(Width, Height, photometric, samples, bits, [Samples((Width * samples * bits + 7) / 8 * Height)]);
        Picture Packed(Picture page) => page.With(259, Short, 8) with { Parts = [.. page.Parts.Select(Deflate)] };
        var palette = Plain(3, 1, 4).With(320, Short, [.. Enumerable.Range(0, 48).Select(i => i * 1111L)]);
        var tiles = Page(Width, Height, 2, 3, 8, [Samples(768), Samples(768)], (322, Long, [16]), (323, Long, [16]));
        byte[] jpeg = PictureFolder.Encode("x.jpg", PictureFolder.Pattern(1, Width, Height));
        Picture[] pages =
        [
            Plain(1, 1, 8), Plain(0, 1, 1), Plain(1, 1, 12), Plain(2, 3, 16), Plain(5, 4, 8), palette, tiles, Packed(tiles),
            Packed(Plain(2, 4, 8)).With(338, Short, 1).With(317, Short, 2), Packed(Plain(1, 1, 32)).With(339, Short, 3).With(317, Short, 3),
            Plain(1, 1, 16).With(339, Short, 2).With(274, Short, 6), Packed(Plain(1, 5, 16)).With(338, Short, 0, 0, 0, 0),
            Page(Width, Height, 2, 3, 8, [.. Enumerable.Repeat(Samples(Width * Height), 3)], (284, Short, [2])),
            Page(Width, Height, 6, 3, 8, [Samples(10 * 7 * 6)], (530, Short, [2, 2])),
            Page(Width, Height, 6, 3, 8, [jpeg], (259, Short, [7]), (530, Short, [2, 2])),
            Page(24, 17, 1, 1, 8, [JpegParts.Grey(24, 17, 1)], (259, Short, [7])),
            // Rows of one run each: PackBits; codes of 9 bits that name themselves: LZW; white rows: Group 4.
            Page(Width, Height, 1, 1, 8, [[.. Enumerable.Range(0, Height).SelectMany(y => new byte[] { 238, (byte)(y * 9) })]],
                (259, Short, [32773])),
            Page(2, 2, 1, 1, 8, [[0x80, 0x02, 0x81, 0x00, 0xC0, 0x70, 0x10, 0x10]], (259, Short, [5])),
            Page(8, 8, 0, 1, 1, [[0xFF, 0x00, 0x10, 0x01]], (259, Short, [4])),
        ];
        foreach (var page in pages)
            yield return Of(page);
        yield return Of([pages[3], pages[1], tiles], bigEndian: true);
        yield return Of([pages[8], pages[0].With(254, Long, 1)], big: true);
        yield return Of([Packed(Plain(2, 3, 16))], bigEndian: true, big: true);
    }

    private static byte[] Mutate(Random random, byte[][] seeds)
    {
        byte[] bytes = [.. seeds[random.Next(seeds.Length)]];
        for (int changes = 1 + random.Next(3); changes > 0 && bytes.Length > 16; changes--)
        {
            int at = random.Next(bytes.Length);
            switch (random.Next(12))
            {
                case 0:
                    bytes = bytes[..at];
                    break;
                case 1:
                    byte[] other = seeds[random.Next(seeds.Length)];
                    int from = random.Next(other.Length);
                    bytes = [.. bytes[..at], .. other.AsSpan(from, Math.Min(other.Length - from, random.Next(120))), .. bytes[at..]];
                    break;
                case < 6:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                default:
                    ChangeField(random, bytes);
                    break;
            }
        }
        return bytes;
    }

    /// <summary>Another tag, type, count or value in a field of the first directory.</summary>
    private static void ChangeField(Random random, byte[] file)
    {
        bool bigEndian = file[0] == 'M', big = file[2] == 43 || file[3] == 43;
        long Read(int at, int size) => Enumerable.Range(0, size)
            .Aggregate(0L, (value, i) => (value << 8) | file[bigEndian ? at + i : at + size - 1 - i]);
        int size = big ? 20 : 12, head = big ? 8 : 2, width = random.Next(2) == 0 ? 2 : 4;
        long directory = big ? Read(8, 8) : Read(4, 4);
        if (directory < 8 || directory > file.Length - head - size)
            return;
        int fields = (int)Math.Clamp(Read((int)directory, head), 1, 100), entry = (int)directory + head + size * random.Next(fields);
        if (entry > file.Length - size)
            return;
        uint number = random.Next(3) == 0 ? (uint)random.Next() : awkward[random.Next(awkward.Length)];
        var (at, value, bytes) = random.Next(6) switch
        {
            0 => (0, (uint)tags[random.Next(tags.Length)], 2),
            1 => (2, (uint)random.Next(19), 2),
            2 => (4, number, big ? 8 : 4),
            _ => (big ? 12 : 8, number, width),
        };
        Patch(file, entry + at, value, bytes, bigEndian);
    }

    private static int Number(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text
            ? int.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) : otherwise;
}
