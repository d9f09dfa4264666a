using System.Globalization;
using Dino.Model;
using Dino.Pictures.DataSets;
using Dino.Tensors.Nn;
using Dino.Testing;
using Dino.Testing.Runs;
using Dino.Train.Evaluation;
using Dino.Train.Evaluation.Features;
using NUnit.Framework;

namespace Dino.Train.Tests.Evaluation;

/// <summary>Features on the disk: what is in the files, and that a run that was stopped ends with the same ones.</summary>
public class FeatureDumpTests
{
    private const int Dim = 16;
    private static readonly FeatureDumpOrigin origin = new("weights", "teacher", "class token", Dim, 16, 9, "listing");

    [TestCase("after the second batch", 4, 0)]
    [TestCase("while a row was written", 4, -5)]
    [TestCase("before its line was written", 4, 64)]
    public void ARunThatWasStopped_GoesOn_AndEndsWithTheSameFiles(string when, int batches, int moreBytes)
    {
        using var pictures = Pictures();
        string whole = pictures.PathOf("whole/x"), part = pictures.PathOf("part/x");
        Assert.That(Run(pictures, whole, int.MaxValue), Is.EqualTo((0, 8)));

        Assert.That(() => Run(pictures, part, batches), Throws.InstanceOf<OperationCanceledException>());
        using (var npy = File.OpenWrite(Path.Combine(part, "features.npy.part")))
            npy.SetLength(npy.Length + moreBytes);
        var (kept, rows) = Run(pictures, part, int.MaxValue);

        Assert.That((kept, rows), Is.EqualTo((moreBytes < 0 ? batches - 1 : batches, 8)), when);
        foreach (string name in (string[])["features.npy", "features.csv", "features.json"])
            Assert.That(File.ReadAllBytes(Path.Combine(part, name)), Is.EqualTo(File.ReadAllBytes(Path.Combine(whole, name))), name);
        Assert.That(Directory.GetFiles(part), Has.Length.EqualTo(3));
    }

    [Test]
    public void RowsAreFeatures_AndTheIndexNamesTheirPictures()
    {
        using var pictures = Pictures();
        string folder = pictures.PathOf("dump/x");
        Run(pictures, folder, int.MaxValue);
        byte[] npy = File.ReadAllBytes(Path.Combine(folder, "features.npy"));
        string[] lines = File.ReadAllLines(Path.Combine(folder, "features.csv"));

        Assert.That(System.Text.Encoding.ASCII.GetString(npy, 10, 118), Does.Contain("'shape': (8, 16)"));
        Assert.That(lines[0], Is.EqualTo("row,path,class"));
        Assert.That(lines[1], Is.EqualTo("0,\"a,\"\"b\"\"/00.png\",\"a,\"\"b\"\"\""), "quoted as RFC 4180 says");
        Assert.That(lines[^1], Is.EqualTo("7,c/08.png,c"));
        Assert.That(lines, Has.None.Contains("04.png"), "the damaged file has no row");
        var scanned = ImageFolder.Scan(Path.Combine(pictures.Root, "pictures"));
        using var network = new Network();
        var expected = FeatureExtractor.Extract(network.Backbone, Devices.Open("cpu"), scanned, FeatureExtractor.Protocol(16, 3));
        Assert.That(Enumerable.Range(0, 8 * Dim).Select(i => BitConverter.ToSingle(npy, 128 + 4 * i)), Is.EqualTo(expected.Values));
    }

    [Test]
    public void AFolderOfOtherFeatures_IsRefused_AndStays()
    {
        using var pictures = Pictures();
        string folder = pictures.PathOf("dump/x");
        Run(pictures, folder, int.MaxValue);
        byte[] before = File.ReadAllBytes(Path.Combine(folder, "features.npy"));

        Assert.That(
            () => new FeatureDump(folder, origin with { Size = 32 }),
            Throws.TypeOf<EvaluationException>().With.Message.Contains("picture size is 16, not 32"));
        Assert.That(File.ReadAllBytes(Path.Combine(folder, "features.npy")), Is.EqualTo(before));
        Assert.That(IsDone(folder));
    }

    private static bool IsDone(string folder)
    {
        using var dump = new FeatureDump(folder, origin);
        return dump.IsDone;
    }

    private static PictureFolder Pictures()
    {
        var folder = new PictureFolder();
        for (int i = 0; i < 9; i++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"pictures/{(i < 5 ? "a,\"b\"" : "c")}/{i:D2}.png");
            if (i == 4)
                folder.Write(name, [1, 2, 3]);
            else
                folder.WritePicture(name, i);
        }
        return folder;
    }

    /// <summary>Runs in batches of one picture, and is stopped behind so many.</summary>
    private static (int Kept, int Rows) Run(PictureFolder pictures, string folder, int batches)
    {
        using var network = new Network();
        using var stop = new CancellationTokenSource();
        var scanned = ImageFolder.Scan(Path.Combine(pictures.Root, "pictures"));
        using var dump = new FeatureDump(folder, origin);
        return dump.Run(
            network.Backbone, Devices.Open("cpu"), FeatureKind.OutputOf(network.Backbone), scanned, FeatureExtractor.Protocol(16, 1),
            new SkippedFiles(), done =>
            {
                if (done >= batches)
                    stop.Cancel();
            }, stop.Token);
    }

    private sealed class Network : IDisposable
    {
        private readonly FlatParameters parameters;

        public Network()
        {
            Backbone = new VisionTransformer(new ViTConfig { ImageSize = 16, Patch = 8, Dim = Dim, Depth = 1, Heads = 2 });
            parameters = new FlatParameters(Backbone, Devices.Open("cpu"), trainable: false);
            parameters.Initialize(1);
        }

        public VisionTransformer Backbone { get; }

        public void Dispose() => parameters.Dispose();
    }
}
