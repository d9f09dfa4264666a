using System.Diagnostics;
using System.Globalization;
using Dino.Tensors.Io;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Golden;

/// <summary>Weights files of every container hold the values that PyTorch put into them; hostile ones are refused, cheaply.</summary>
[Category("Golden")]
public class CheckpointsGoldenTests
{
    private static IEnumerable<GoldenCheckpoint> Good => GoldenCheckpoints.Good;

    private static IEnumerable<GoldenCheckpoint> Hostile => GoldenCheckpoints.Hostile;

    [TestCaseSource(nameof(Good))]
    public void Values_AreThose_BitForBit(GoldenCheckpoint golden)
    {
        using var file = WeightsFile.Open(golden.Path);
        int compared = 0;
        foreach (var (inFile, expected) in golden.Compare)
        {
            if (inFile == "(renamed)")
                continue; // a matter of names: Dino.Model.Tests
            string[] names = [.. GoldenCheckpoints.Expected.Names.Where(name => name.StartsWith(expected, StringComparison.Ordinal))];
            Assert.That(names, Is.Not.Empty, expected);
            foreach (string name in names)
            {
                Check(file, inFile.EndsWith("(by index)", StringComparison.Ordinal) ? ByIndex(golden, name, expected)
                    : inFile + name[expected.Length..], name);
                compared++;
            }
            if (inFile.Length == 0)
                Assert.That(file.Names, Has.Count.EqualTo(names.Length), "the file has no other tensors");
        }
        if (golden.Compare.All(pair => pair.InFile != "(renamed)"))
            Assert.That(compared, Is.Positive);
    }

    [TestCaseSource(nameof(Good))]
    public void PlainValues_AreThere(GoldenCheckpoint golden)
    {
        using var file = WeightsFile.Open(golden.Path);
        if (golden.Json.TryGetProperty("epoch", out var epoch))
            Assert.That(file.Metadata["epoch"], Is.EqualTo(epoch.GetRawText()));
        if (golden.Json.TryGetProperty("lr", out var lr))
            Assert.That(double.Parse(file.Metadata["optimizer.param_groups.0.lr"], CultureInfo.InvariantCulture),
                Is.EqualTo(lr.GetDouble()));
        if (golden.Json.TryGetProperty("weight_decay", out var decay))
            for (int i = 0; i < decay.GetArrayLength(); i++)
                Assert.That(
                    double.Parse(file.Metadata[$"optimizer.param_groups.{i}.weight_decay"], CultureInfo.InvariantCulture),
                    Is.EqualTo(decay[i].GetDouble()));
    }

    [TestCaseSource(nameof(Hostile))]
    public void Hostile_IsRefused_QuicklyAndWithoutMemory(GoldenCheckpoint golden)
    {
        string path = golden.Path;
        var watch = Stopwatch.StartNew();
        long before = GC.GetAllocatedBytesForCurrentThread();
        string? refusal = null;
        try
        {
            using var file = WeightsFile.Open(path);
            foreach (string name in file.Names)
                _ = file.Floats(name);
        }
        catch (InvalidDataException e)
        {
            refusal = e.Message;
        }
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        if (golden.Expect == "reject")
            Assert.That(refusal, Is.Not.Null);
        if (refusal is not null)
            Assert.That(refusal, Does.StartWith(path + ": ").And.Not.Contain('\n').And.Length.LessThan(path.Length + 300));
        Assert.That(allocated, Is.LessThan(2 * new FileInfo(path).Length + (64 << 20)));
        Assert.That(watch.Elapsed.TotalSeconds, Is.LessThan(60), "a hang, however busy the machine is");
        foreach (string folder in (string[])[Directory.GetCurrentDirectory(), Path.GetDirectoryName(path)!, AppContext.BaseDirectory])
            Assert.That(File.Exists(Path.Combine(folder, GoldenCheckpoints.Canary)), Is.False, "it was executed");
    }

    [Test]
    public void Fixture_HasBothKinds()
    {
        Assert.That(GoldenCheckpoints.Good.Count(), Is.GreaterThan(5));
        Assert.That(GoldenCheckpoints.Hostile.Count(file => file.Expect == "reject"), Is.GreaterThan(10));
    }

    private static string ByIndex(GoldenCheckpoint golden, string name, string prefix)
    {
        string[] order = [.. golden.Json.GetProperty("optimizer_index_to_name").EnumerateArray().Select(entry => entry.GetString()!)];
        int last = name.LastIndexOf('.');
        return $"optimizer.state.{Array.IndexOf(order, name[prefix.Length..last])}.{name[(last + 1)..]}";
    }

    private static void Check(WeightsFile file, string name, string expected)
    {
        if (!file.Contains(name))
        {
            // A counter may be a plain number.
            Assert.That(file.Metadata, Does.ContainKey(name));
            Assert.That(double.Parse(file.Metadata[name], CultureInfo.InvariantCulture),
                Is.EqualTo(GoldenCheckpoints.Expected.Doubles(expected).Single()));
            return;
        }
        Assert.That(file.Shape(name), Is.EqualTo(GoldenCheckpoints.Expected.Shape(expected)), name);
        if (GoldenCheckpoints.Expected.Type(expected) == ElementType.I64)
            Assert.That(file.Longs(name), Is.EqualTo(GoldenCheckpoints.Expected.Longs(expected)), name);
        else
            Assert.That(file.Floats(name).Select(BitConverter.SingleToInt32Bits),
                Is.EqualTo(GoldenCheckpoints.Expected.Floats(expected).Select(BitConverter.SingleToInt32Bits)), name);
    }
}
