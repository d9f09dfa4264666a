using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Writing;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>
/// Pictures of every format with wrong bits, cut, spliced, or with numbers that overflow: each is a picture or a clear refusal, to every
/// reader and codec, as bytes and as the numbers that are stored, at a bounded cost. File i follows from the seed and i alone.
/// </summary>
public class PictureFuzzTests
{
    private const int MaxPixels = 1 << 20;

    private static readonly int files = Number("DINO_FUZZ_COUNT", 1_500), seed = Number("DINO_FUZZ_SEED", 20210429);

    private static readonly uint[] awkward =
        [0, 1, 2, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0xFFFFFF, int.MaxValue, 0x80000000, uint.MaxValue];

    private string folder = "";

    [SetUp]
    public void MakeFolder()
    {
        // Where there is a folder in memory: writing the files takes longer than reading them.
        string parent = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        folder = Directory.CreateDirectory(Path.Combine(parent, $"dino-fuzz-{Guid.NewGuid():n}")).FullName;
    }

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void MutatedPictures_AreRefusedOrRead_AtABoundedCost()
    {
        (string Ending, byte[] Content)[] seeds = [.. Seeds()];
        using (var readers = new Readers())
        {
            foreach (var (ending, whole) in seeds)
                readers.Read(Path.Combine(folder, "whole" + ending), whole, new Tally(), mustBeRead: true);
        }
        var tally = new Tally();
        var tasks = Enumerable.Range(0, Environment.ProcessorCount).Select(worker => Task.Factory.StartNew(() =>
        {
            using var readers = new Readers();
            for (int i = worker; i < files && !tally.HasFailed; i += Environment.ProcessorCount)
            {
                var (ending, mutated) = Mutate(new Random(unchecked(seed * 1_000_003 + i)), seeds);
                try
                {
                    readers.Read(Path.Combine(folder, worker + ending), mutated, tally, mustBeRead: false);
                }
                catch (Exception e)
                {
                    tally.Fail($"File {i} of seed {seed}, kept as {Keep(ending, mutated)}: {e}");
                }
            }
        }, TaskCreationOptions.LongRunning)).ToArray();
        Task.WaitAll(tasks);

        TestContext.Out.WriteLine($"seed {seed}: {files} files, {tally.Opened} read, {tally.Refused} refused, the slowest in "
            + $"{tally.Slowest * 1000:F1} ms, the largest {tally.Largest >> 10} KiB; the process took "
            + $"{Process.GetCurrentProcess().PeakWorkingSet64 >> 20} MiB");
        TestContext.Out.WriteLine(string.Join(", ", tally.Kinds.Select(kind => $"{kind.Key}: {kind.Value.Opened} of {kind.Value.All}")));
        Assert.That(tally.Failure, Is.Null);
        Assert.That(tally.Slowest, Is.LessThan(60), "a hang, however busy the machine is");
        // Both ways must have been gone often, or the mutations are too crude or too weak.
        Assert.That(tally.Opened, Is.GreaterThan(files / 10));
        Assert.That(tally.Refused, Is.GreaterThan(files / 10));
    }

    /// <summary>What every command does with a picture, a film and a mask.</summary>
    private sealed class Readers : IDisposable
    {
        private readonly ImageDecoder[] decoders = [.. Enum.GetValues<DecodeMode>()
            .Select(mode => new ImageDecoder(MaxPixels) { Mode = mode })];

        private readonly ImageDecoder[] deep = [.. Enum.GetValues<DecodeMode>()
            .Select(mode => new ImageDecoder(MaxPixels) { Mode = mode, Channels = 0 })];

        private readonly RgbImage picture = new();
        private readonly FloatImage numbers = new();

        public void Read(string path, byte[] content, Tally tally, bool mustBeRead)
        {
            File.WriteAllBytes(path, content);
            var watch = Stopwatch.StartNew();
            long before = GC.GetAllocatedBytesForCurrentThread();
            int opened = 0;
            foreach (var decoder in decoders)
            {
                Try(path, mustBeRead, () =>
                {
                    decoder.Decode(path, picture);
                    ThrowIfAbsurd(picture.Width, picture.Height);
                    opened++;
                });
            }
            foreach (var decoder in deep)
            {
                Try(path, mustBeRead, () =>
                {
                    decoder.Decode(path, numbers);
                    ThrowIfAbsurd(numbers.Width, numbers.Height);
                });
            }
            // Of what the codec of films does not know it says so.
            Try(path, mustBeRead && Path.GetExtension(path) is (".jpg" or ".png" or ".webp" or ".bmp" or ".gif"), () =>
            {
                using var film = new AnimatedPicture(path, MaxPixels);
                for (int frame = 0; frame < Math.Min(film.FrameCount, 4); frame++)
                {
                    _ = film.Duration(frame);
                    film.Decode(frame, picture);
                }
            });
            try
            {
                var kind = MaskKind.Auto;
                var mask = LabelMap.Read(path, ref kind, MaxPixels);
                if (mask.Ids.Length != mask.Width * mask.Height)
                    throw new InvalidOperationException($"A mask of {mask.Ids.Length} pixels.");
            }
            catch (ImageFolderException e)
            {
                if (!e.Message.Contains(path, StringComparison.Ordinal))
                    throw new InvalidOperationException("A mask is refused without its name.", e);
            }
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated > 80L * MaxPixels + 8L * content.Length)
                throw new InvalidOperationException($"It took {allocated} bytes of memory.");
            tally.Add(Path.GetExtension(path), opened > 0, watch.Elapsed.TotalSeconds, allocated);
        }

        public void Dispose()
        {
            foreach (var decoder in decoders.Concat(deep))
                decoder.Dispose();
        }

        private static void Try(string path, bool mustBeRead, Action read)
        {
            try
            {
                read();
            }
            catch (ImageDecodeException e) when (!mustBeRead)
            {
                if (!e.Message.StartsWith(path + ": ", StringComparison.Ordinal) || e.Message.Contains('\n', StringComparison.Ordinal))
                    throw new InvalidOperationException($"An unclear refusal: {e.Message}");
            }
        }

        private static void ThrowIfAbsurd(int width, int height)
        {
            if (width < 1 || height < 1 || (long)width * height > MaxPixels)
                throw new InvalidOperationException($"A picture of {width} × {height} pixels.");
        }
    }

    private static IEnumerable<(string Ending, byte[] Content)> Seeds()
    {
        var small = PictureFolder.Pattern(3, 20, 14);
        foreach (string name in new[] { "x.png", "x.jpg", "x.webp" })
            yield return (Path.GetExtension(name), PictureFolder.Encode(name, small));
        byte[] jpeg = PictureFolder.Encode("x.jpg", small);
        byte[] exif = [.. "MM\0*"u8, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0];
        yield return (".jpg", [.. jpeg[..2], 0xFF, 0xE1, 0, 34, .. "Exif\0\0"u8, .. exif, .. jpeg[2..]]);
        yield return (".jpg", JpegParts.Grey(24, 17, 1));
        yield return (".jpg", JpegParts.Grey(24, 17, 6));
        using (var bitmap = new SkiaSharp.SKBitmap(9, 8))
        using (var pixmap = bitmap.PeekPixels())
        using (var data = pixmap.Encode(new SkiaSharp.SKWebpEncoderOptions(SkiaSharp.SKWebpEncoderCompression.Lossless, 50)))
            yield return (".webp", data!.ToArray());
        foreach (var (depth, kind, channels) in new (byte, byte, int)[] { (1, 0, 1), (8, 0, 1), (16, 0, 1), (4, 3, 1), (8, 3, 1),
            (8, 2, 3), (16, 6, 4), (8, 4, 2) })
        {
            int row = (11 * depth * channels + 7) / 8;
            byte[] raw = [.. Enumerable.Range(0, 7)
                .SelectMany(y => Enumerable.Range(0, row).Select(x => (byte)(kind == 3 ? 0x11 * (x % 4) : x * y)).Prepend((byte)(y % 5)))];
            yield return (".png", kind == 3 ? PictureFolder.Png(11, 7, depth, kind, raw, ("PLTE", new byte[768]))
                : PictureFolder.Png(11, 7, depth, kind, raw, ("eXIf", exif)));
        }
        yield return (".bmp", Bmp(24));
        yield return (".bmp", Bmp(8));
        byte[] numbers = [.. Enumerable.Range(0, 9 * 5 * 8).Select(i => (byte)(i * 29))];
        foreach (var (kind, bits, packed) in new (byte, byte, bool)[]
            { (1, 8, false), (2, 16, false), (2, 24, true), (2, 32, false), (3, 8, true) })
            yield return (".tga", Tga(kind, bits, packed, numbers));
        foreach (string start in new[] { "P4 9 5 ", "P5 9 5 255 ", "P5\n9 5\n4095\n", "P6\n#x\n9 5\n255\n", "P6 9 5 65535 ",
            "P7\nWIDTH 9\nHEIGHT 5\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n" })
            yield return (".pnm", [.. Encoding.ASCII.GetBytes(start), .. numbers]);
        var samples = TiffBytes.Page(9, 5, 2, 3, 8, [numbers[..135]]);
        yield return (".tif", TiffBytes.Of(samples));
        yield return (".tif", TiffBytes.Of(samples.With(259, TiffBytes.Short, 8) with { Parts = [TiffBytes.Deflate(numbers[..135])] }));
        string text = string.Join(' ', numbers.Take(9 * 5 * 3));
        foreach (string start in new[] { "P2 9 5 255 ", "P3 9 5 255\n", "P1 135 1\n" })
            yield return (".ppm", Encoding.ASCII.GetBytes(start + (start[1] == '1' ? new string('1', 135) : text)));
        using var gif = new MemoryStream();
        var writer = new GifWriter(gif, 20, 14);
        for (int frame = 1; frame < 4; frame++)
            writer.Add(PictureFolder.Pattern(frame, 20, 14).Pixels.ToArray(), 40);
        writer.Finish();
        yield return (".gif", gif.ToArray());
    }

    private static byte[] Tga(byte kind, byte bits, bool packed, byte[] numbers)
    {
        byte[] map = kind == 1 ? numbers[..48] : [];
        byte[] header = [0, (byte)(kind == 1 ? 1 : 0), (byte)(kind | (packed ? 8 : 0)), 0, 0, (byte)(map.Length / 3), 0,
            (byte)(kind == 1 ? 24 : 0), 0, 0, 0, 0, 9, 0, 5, 0, bits, 0x20];
        byte[] pixel = numbers[..(bits / 8)];
        byte[] data = packed ? [0x9E, .. pixel, 13, .. numbers[..(14 * bits / 8)]]
            : kind == 1 ? [.. numbers.Take(45).Select(v => (byte)(v % 16))] : numbers[..(45 * bits / 8)];
        return [.. header, .. map, .. data];
    }

    private static byte[] Bmp(int bits)
    {
        int palette = bits == 8 ? 1024 : 0, row = (10 * bits / 8 + 3) / 4 * 4;
        byte[] file = new byte[54 + palette + 6 * row];
        "BM"u8.CopyTo(file);
        foreach (var (at, value) in new[] { (2, file.Length), (10, 54 + palette), (14, 40), (18, 10), (22, 6), (26, 1 | (bits << 16)) })
            BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(at), value);
        for (int i = 54; i < file.Length; i++)
            file[i] = (byte)(i * 7);
        return file;
    }

    private static (string Ending, byte[] Content) Mutate(Random random, (string Ending, byte[] Content)[] seeds)
    {
        var (ending, chosen) = seeds[random.Next(seeds.Length)];
        bool isPng = chosen[0] == 0x89;
        byte[] mutated = isPng && random.Next(3) == 0 ? Repacked(random, chosen, seeds) : Change(random, chosen, seeds);
        // Behind wrong checksums few mutations reach the decoder.
        if (isPng && random.Next(4) > 0)
            Mend(mutated);
        return (ending, mutated);
    }

    private static byte[] Change(Random random, byte[] chosen, (string Ending, byte[] Content)[] others)
    {
        byte[] bytes = [.. chosen];
        for (int times = random.Next(4) == 0 ? 4 : 1; times > 0 && bytes.Length > 16; times--)
        {
            // Headers are where numbers are.
            int at = random.Next(2) == 0 ? random.Next(Math.Min(bytes.Length, 64)) : random.Next(bytes.Length);
            uint number = awkward[random.Next(awkward.Length)];
            switch (random.Next(9))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes = bytes[..at];
                    break;
                case 3:
                    BinaryPrimitives.TryWriteUInt32BigEndian(bytes.AsSpan(at), number);
                    break;
                case 4:
                    BinaryPrimitives.TryWriteUInt32LittleEndian(bytes.AsSpan(at), number);
                    break;
                case 5:
                    BinaryPrimitives.TryWriteUInt16BigEndian(bytes.AsSpan(at), (ushort)number);
                    break;
                case 6:
                    bytes = [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + 1 + random.Next(16))..]];
                    break;
                case 7:
                    bytes = [.. bytes[..at], .. bytes.AsSpan(at, Math.Min(bytes.Length - at, 1 + random.Next(40))), .. bytes[at..]];
                    break;
                default:
                    byte[] other = others[random.Next(others.Length)].Content;
                    int from = random.Next(other.Length), length = Math.Min(other.Length - from, random.Next(120));
                    bytes = random.Next(2) == 0
                        ? [.. bytes[..at], .. other.AsSpan(from, length), .. bytes[at..]]
                        : [.. bytes[..at], .. other[from..]];
                    break;
            }
        }
        return bytes;
    }

    /// <summary>A PNG whose rows are changed and packed again.</summary>
    private static byte[] Repacked(Random random, byte[] png, (string Ending, byte[] Content)[] seeds)
    {
        int data = png.AsSpan().IndexOf("IDAT"u8);
        int length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(data - 4));
        using var raw = new MemoryStream();
        using (var packed = new ZLibStream(new MemoryStream(png, data + 4, length), CompressionMode.Decompress))
            packed.CopyTo(raw);
        using var again = new MemoryStream();
        using (var packed = new ZLibStream(again, CompressionLevel.Fastest, leaveOpen: true))
            packed.Write(Change(random, raw.ToArray(), seeds));
        byte[] size = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(size, (int)again.Length);
        return [.. png[..(data - 4)], .. size, .. "IDAT"u8, .. again.ToArray(), .. png[(data + 4 + length)..]];
    }

    private static void Mend(Span<byte> png)
    {
        for (int at = 8; at + 12 <= png.Length;)
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(png[at..]);
            if (length > png.Length - at - 12)
                return;
            int end = at + 8 + (int)length;
            BinaryPrimitives.WriteUInt32BigEndian(png[end..], PngStructure.Crc(png[(at + 4)..end]));
            at = end + 4;
        }
    }

    private static string Keep(string ending, byte[] bytes)
    {
        string path = Path.Combine(Path.GetTempPath(), $"dino-fuzz-{Guid.NewGuid():n}{ending}");
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static int Number(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text
            ? int.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) : otherwise;

    private sealed class Tally
    {
        private readonly Lock gate = new();

        public int Opened { get; private set; }

        public int Refused { get; private set; }

        public double Slowest { get; private set; }

        public string? Failure { get; private set; }

        public bool HasFailed => Failure is not null;

        /// <summary>The most managed memory that one took.</summary>
        public long Largest { get; private set; }

        public SortedDictionary<string, (int Opened, int All)> Kinds { get; } = new(StringComparer.Ordinal);

        public void Add(string ending, bool opened, double seconds, long bytes)
        {
            lock (gate)
            {
                (Opened, Refused) = opened ? (Opened + 1, Refused) : (Opened, Refused + 1);
                (Slowest, Largest) = (Math.Max(Slowest, seconds), Math.Max(Largest, bytes));
                var (before, all) = Kinds.GetValueOrDefault(ending);
                Kinds[ending] = (before + (opened ? 1 : 0), all + 1);
            }
        }

        public void Fail(string failure)
        {
            lock (gate)
                Failure ??= failure;
        }
    }
}
