using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Compression;
using Dino.Model.Weights;
using Dino.Tensors.Io;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Model.Tests;

/// <summary>
/// Weights files with wrong bits, cut, spliced, or with numbers that overflow, end in a clear error or in a correct load: no crash, no
/// hang, no memory
/// beyond twice the file and 64 MiB, nothing executed.
/// </summary>
public class WeightsFuzzTests
{
    // A recorded run has a million; other seeds find other files.
    private static readonly int files = Number("DINO_FUZZ_COUNT", 20_000), seed = Number("DINO_FUZZ_SEED", 20210429);

    private static readonly long[] awkward =
        [0, 1, -1, 0x7f, 0xff, 0x7fff, 0xffff, int.MaxValue, int.MinValue, uint.MaxValue, long.MaxValue, long.MinValue, 1L << 40, 1L << 62];

    private string folder = "";

    [SetUp]
    public void MakeFolder()
    {
        // Where there is a folder in memory: writing the files takes seven times as long as reading them.
        string parent = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        folder = Directory.CreateDirectory(Path.Combine(parent, $"dino-fuzz-{Guid.NewGuid():n}")).FullName;
    }

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void MutatedFiles_AreRefusedOrRead_AtABoundedCost()
    {
        // Small ones: what is to be broken is the structure, and its bytes should be hit often.
        byte[][] Read(IEnumerable<GoldenCheckpoint> files) =>
            [.. files.Select(file => file.Name).Distinct().Select(name => File.ReadAllBytes(GoldenSet.PathOf(name)))
                .Where(bytes => bytes.Length > 100).OrderBy(bytes => bytes.Length).Take(30)];
        byte[][] good = Read(GoldenCheckpoints.Good), seeds = [.. good, .. good, .. good, .. good, .. Read(GoldenCheckpoints.Hostile)];
        Assert.That(seeds, Has.Length.GreaterThan(10));
        string path = Path.Combine(folder, "mutated");
        var random = new Random(seed);
        int opened = 0, refused = 0;
        double slowest = 0;
        for (int i = 0; i < files; i++)
        {
            byte[] mutated = Mutate(random, seeds);
            File.WriteAllBytes(path, mutated);
            var watch = Stopwatch.StartNew();
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                ReadAll(path, ref opened);
            }
            catch (Exception e) when (e is InvalidDataException or WeightsException)
            {
                Assert.That(e.Message, Does.StartWith(path), $"file {i}");
                refused++;
            }
            catch (Exception e)
            {
                Assert.Fail($"File {i}, kept as {Keep(mutated)}: {e}");
            }
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated > 2L * mutated.Length + (64 << 20))
                Assert.Fail($"File {i} of {mutated.Length} bytes, kept as {Keep(mutated)}, took {allocated} bytes of memory.");
            slowest = Math.Max(slowest, watch.Elapsed.TotalSeconds);
        }
        TestContext.Out.WriteLine($"{files} files of seed {seed}: {refused} refused, {opened} opened, the slowest in {slowest * 1000:F1} "
            + $"ms");
        Assert.That(slowest, Is.LessThan(60), "a hang, however busy the machine is");
        // Both ways must have been gone often, or the mutations are too crude or too weak.
        Assert.That(refused, Is.GreaterThan(files / 10));
        Assert.That(opened, Is.GreaterThan(files / 20));
        Assert.That(File.Exists(Path.Combine(Directory.GetCurrentDirectory(), GoldenCheckpoints.Canary)), Is.False);
    }

    [Test]
    public void FlippedBits_BehindAChecksum_AreNeverReadAsOtherValues()
    {
        string path = Path.Combine(folder, "flipped.pth");
        PyTorchFile.Write(path, [TensorEntry.Of("a", [2, 3], new float[] { 1, 2, 3, 4, 5, 6 }), TensorEntry.Of("b", [1], new[] { 7f })]);
        byte[] good = File.ReadAllBytes(path);
        for (int bit = 0; bit < 8 * good.Length; bit++)
        {
            byte[] flipped = [.. good];
            flipped[bit / 8] ^= (byte)(1 << bit % 8);
            File.WriteAllBytes(path, flipped);
            try
            {
                using var file = WeightsFile.Open(path);
                Assert.That(file.Names, Is.EqualTo(new[] { "a", "b" }), $"bit {bit}");
                Assert.That(file.Floats("a").Concat(file.Floats("b")), Is.EqualTo(new float[] { 1, 2, 3, 4, 5, 6, 7 }), $"bit {bit}");
            }
            catch (InvalidDataException)
            {
            }
        }
        for (int length = 0; length < good.Length; length++)
        {
            File.WriteAllBytes(path, good[..length]);
            Assert.That(() => WeightsFile.Open(path), Throws.TypeOf<InvalidDataException>(), $"cut to {length}");
        }
    }

    // Everything that dino inspect and a load do before memory for a network is taken.
    private static void ReadAll(string path, ref int opened)
    {
        using var file = WeightsFile.Open(path);
        opened++;
        foreach (string name in file.Names)
        {
            if (file.Type(name) is ElementType.F16 or ElementType.BF16 or ElementType.F32 or ElementType.F64)
                _ = file.Floats(name);
            else if (file.Shape(name).Aggregate(1L, (product, size) => product * size) < 1 << 16)
                _ = file.Longs(name);
        }
        var weights = ModelWeights.Find(file);
        _ = weights.Compare(new VisionTransformer(weights.BackboneConfig(2)));
        _ = weights.HeadConfig();
    }

    private static byte[] Mutate(Random random, byte[][] seeds)
    {
        byte[] seed = seeds[random.Next(seeds.Length)];
        // Behind the checksums of a zip file few mutations reach the pickle: half of them change a member and pack it again.
        if (random.Next(2) == 0 && seed is [(byte)'P', (byte)'K', 3, 4, ..] && Repacked(random, seed, seeds) is { } repacked)
            return repacked;
        return Change(random, seed, seeds);
    }

    private static byte[] Change(Random random, byte[] seed, byte[][] others)
    {
        byte[] bytes = [.. seed];
        for (int times = random.Next(4) == 0 ? 3 : 1; times > 0 && bytes.Length > 16; times--)
        {
            // Most of a file is values; its structure is at both ends.
            int at = random.Next(3) switch
            {
                0 => random.Next(Math.Min(bytes.Length, 400)),
                1 => bytes.Length - 1 - random.Next(Math.Min(bytes.Length, 400)),
                _ => random.Next(bytes.Length),
            };
            switch (random.Next(7))
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
                    BinaryPrimitives.TryWriteInt32LittleEndian(bytes.AsSpan(at), (int)awkward[random.Next(awkward.Length)]);
                    break;
                case 4:
                    BinaryPrimitives.TryWriteInt64LittleEndian(bytes.AsSpan(at), awkward[random.Next(awkward.Length)]);
                    break;
                case 5:
                    bytes = [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + 1 + random.Next(16))..]];
                    break;
                default:
                    byte[] other = others[random.Next(others.Length)];
                    int from = random.Next(other.Length), length = Math.Min(other.Length - from, random.Next(200));
                    bytes = random.Next(2) == 0
                        ? [.. bytes[..at], .. other.AsSpan(from, length), .. bytes[at..]]
                        : [.. other[..from], .. bytes[Math.Min(bytes.Length, from)..]];
                    break;
            }
        }
        return bytes;
    }

    private static byte[]? Repacked(Random random, byte[] seed, byte[][] seeds)
    {
        var stream = new MemoryStream();
        try
        {
            using var zip = new ZipArchive(new MemoryStream(seed), ZipArchiveMode.Read);
            using var packed = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
            foreach (var entry in zip.Entries)
            {
                using var content = new MemoryStream();
                using (var source = entry.Open())
                    source.CopyTo(content);
                byte[] bytes = content.ToArray();
                if (entry.Name == "data.pkl" || random.Next(20) == 0)
                    bytes = Change(random, bytes, seeds);
                using var target = packed.CreateEntry(entry.FullName, CompressionLevel.NoCompression).Open();
                target.Write(bytes);
            }
        }
        catch (InvalidDataException)
        {
            return null; // a hostile seed that the platform refuses
        }
        return stream.ToArray();
    }

    private static int Number(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text
            ? int.Parse(text, System.Globalization.CultureInfo.InvariantCulture) : otherwise;

    private static string Keep(byte[] bytes)
    {
        string path = Path.Combine(Path.GetTempPath(), $"dino-fuzz-{Guid.NewGuid():n}");
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
