using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Writing;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Pictures.Tests;

/// <summary>
/// Pictures of every format with wrong bits, cut, spliced, or with numbers that overflow: each is a picture or a clear refusal, to every
/// reader, at a
/// bounded cost. File i follows from the seed and i alone.
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
        byte[][] seeds = [.. Seeds()];
        using (var decoder = new ImageDecoder(MaxPixels))
        {
            foreach (byte[] whole in seeds)
                Read(Path.Combine(folder, "whole"), whole, decoder, new RgbImage(), new Tally(), mustBeRead: true);
        }
        var tally = new Tally();
        var tasks = Enumerable.Range(0, Environment.ProcessorCount).Select(worker => Task.Factory.StartNew(() =>
        {
            string path = Path.Combine(folder, $"{worker}.x");
            using var decoder = new ImageDecoder(MaxPixels);
            var picture = new RgbImage();
            for (int i = worker; i < files && !tally.HasFailed; i += Environment.ProcessorCount)
            {
                byte[] mutated = Mutate(new Random(unchecked(seed * 1_000_003 + i)), seeds);
                try
                {
                    Read(path, mutated, decoder, picture, tally, mustBeRead: false);
                }
                catch (Exception e)
                {
                    tally.Fail($"File {i} of seed {seed}, kept as {Keep(mutated)}: {e}");
                }
            }
        }, TaskCreationOptions.LongRunning)).ToArray();
        Task.WaitAll(tasks);

        TestContext.Out.WriteLine($"seed {seed}: {files} files, {tally.Opened} read, {tally.Refused} refused, the slowest in "
            + $"{tally.Slowest * 1000:F1} ms");
        Assert.That(tally.Failure, Is.Null);
        Assert.That(tally.Slowest, Is.LessThan(60), "a hang, however busy the machine is");
        // Both ways must have been gone often, or the mutations are too crude or too weak.
        Assert.That(tally.Opened, Is.GreaterThan(files / 10));
        Assert.That(tally.Refused, Is.GreaterThan(files / 10));
    }

    /// <summary>What every command does with a picture, a film and a mask.</summary>
    private static void Read(string path, byte[] content, ImageDecoder decoder, RgbImage picture, Tally tally, bool mustBeRead)
    {
        File.WriteAllBytes(path, content);
        var watch = Stopwatch.StartNew();
        long before = GC.GetAllocatedBytesForCurrentThread();
        bool opened = false;
        try
        {
            decoder.Decode(path, picture);
            opened = picture.Width > 0 && picture.Height > 0 && (long)picture.Width * picture.Height <= MaxPixels;
            if (!opened)
                throw new InvalidOperationException($"A picture of {picture.Width} × {picture.Height} pixels.");
        }
        catch (ImageDecodeException e) when (!mustBeRead)
        {
            ThrowIfUnclear(e.Message, path);
        }
        try
        {
            using var film = new AnimatedPicture(path, MaxPixels);
            for (int frame = 0; frame < Math.Min(film.FrameCount, 4); frame++)
            {
                _ = film.Duration(frame);
                film.Decode(frame, picture);
            }
        }
        catch (ImageDecodeException e) when (!mustBeRead)
        {
            ThrowIfUnclear(e.Message, path);
        }
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
        if (allocated > 40L * MaxPixels + 8L * content.Length)
            throw new InvalidOperationException($"It took {allocated} bytes of memory.");
        tally.Add(opened, watch.Elapsed.TotalSeconds);
    }

    private static void ThrowIfUnclear(string message, string path)
    {
        if (!message.StartsWith(path + ": ", StringComparison.Ordinal) || message.Contains('\n', StringComparison.Ordinal))
            throw new InvalidOperationException($"An unclear refusal: {message}");
    }

    private static IEnumerable<byte[]> Seeds()
    {
        var small = PictureFolder.Pattern(3, 20, 14);
        foreach (string name in new[] { "x.png", "x.jpg", "x.webp" })
            yield return PictureFolder.Encode(name, small);
        byte[] jpeg = PictureFolder.Encode("x.jpg", small);
        yield return [.. jpeg[..2], 0xFF, 0xE1, 0, 34, .. "Exif\0\0MM\0*"u8, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0,
            0, 0, .. jpeg[2..]];
        yield return JpegParts.Grey(24, 17, 1);
        yield return JpegParts.Grey(24, 17, 6);
        using (var bitmap = new SkiaSharp.SKBitmap(9, 8))
        using (var pixmap = bitmap.PeekPixels())
        using (var data = pixmap.Encode(new SkiaSharp.SKWebpEncoderOptions(SkiaSharp.SKWebpEncoderCompression.Lossless, 50)))
            yield return data!.ToArray();
        foreach (var (depth, kind, channels) in new (byte, byte, int)[] { (1, 0, 1), (8, 0, 1), (16, 0, 1), (4, 3, 1), (8, 3, 1),
            (8, 2, 3), (16, 6, 4), (8, 4, 2) })
        {
            int row = (11 * depth * channels + 7) / 8;
            byte[] raw = [.. Enumerable.Range(0, 7)
                .SelectMany(y => Enumerable.Range(0, row).Select(x => (byte)(kind == 3 ? 0x11 * (x % 4) : x * y)).Prepend((byte)(y % 5)))];
            yield return kind == 3 ? PictureFolder.Png(11, 7, depth, kind, raw, ("PLTE", new byte[768]))
                : PictureFolder.Png(11, 7, depth, kind, raw);
        }
        yield return Bmp(24);
        yield return Bmp(8);
        using var gif = new MemoryStream();
        var writer = new GifWriter(gif, 20, 14);
        for (int frame = 1; frame < 4; frame++)
            writer.Add(PictureFolder.Pattern(frame, 20, 14).Pixels.ToArray(), 40);
        writer.Finish();
        yield return gif.ToArray();
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

    private static byte[] Mutate(Random random, byte[][] seeds)
    {
        byte[] chosen = seeds[random.Next(seeds.Length)];
        bool isPng = chosen[0] == 0x89;
        byte[] mutated = isPng && random.Next(3) == 0 ? Repacked(random, chosen, seeds) : Change(random, chosen, seeds);
        // Behind wrong checksums few mutations reach the decoder.
        if (isPng && random.Next(4) > 0)
            Mend(mutated);
        return mutated;
    }

    private static byte[] Change(Random random, byte[] chosen, byte[][] others)
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
                    byte[] other = others[random.Next(others.Length)];
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
    private static byte[] Repacked(Random random, byte[] png, byte[][] seeds)
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

    private static string Keep(byte[] bytes)
    {
        string path = Path.Combine(Path.GetTempPath(), $"dino-fuzz-{Guid.NewGuid():n}");
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

        public void Add(bool opened, double seconds)
        {
            lock (gate)
            {
                (Opened, Refused) = opened ? (Opened + 1, Refused) : (Opened, Refused + 1);
                Slowest = Math.Max(Slowest, seconds);
            }
        }

        public void Fail(string failure)
        {
            lock (gate)
                Failure ??= failure;
        }
    }
}
