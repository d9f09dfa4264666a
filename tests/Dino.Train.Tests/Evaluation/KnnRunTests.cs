using Dino.Model;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Pictures.Transforms;
using Dino.Pictures.Writing;
using Dino.Tensors;
using Dino.Tensors.Nn;
using Dino.Testing;
using Dino.Train.Evaluation;
using Dino.Train.Evaluation.Features;
using Dino.Train.Evaluation.Neighbours;
using NUnit.Framework;

namespace Dino.Train.Tests.Evaluation;

/// <summary>From folders of pictures to features and accuracies, with a small untrained network.</summary>
public class KnnRunTests
{
    private const int Crop = 28;
    private static readonly ViTConfig Config = new() { ImageSize = Crop, Patch = 14, Dim = 16, Depth = 2, Heads = 2 };

    private string root = "";

    [SetUp]
    public void MakeFolder() => root = Directory.CreateTempSubdirectory("dino-knn").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(root, recursive: true);

    [Test]
    public void Protocol_ResizesInTheReferencesProportion()
    {
        Assert.That(FeatureExtractor.Protocol(224).ResizeSize, Is.EqualTo(256));
        Assert.That(FeatureExtractor.Protocol(96), Is.EqualTo(new EvalLoaderOptions { ResizeSize = 110, CropSize = 96 }));
    }

    [Test]
    public void Features_AreTheClassTokensOfEachPictureInOrder()
    {
        Pictures("train/sea", 5, 0, 0, 200);
        Pictures("train/wood", 4, 0, 150, 0);
        File.WriteAllText(Path.Combine(root, "train/sea/1a.png"), "no picture");
        var device = Devices.Open("cpu");
        using var network = new Network(device);
        var skipped = new SkippedFiles();
        var folder = ImageFolder.Scan(Path.Combine(root, "train"), skipped);
        var features = FeatureExtractor.Extract(network.Backbone, device, folder, FeatureExtractor.Protocol(Crop, batchSize: 4), skipped);
        Assert.That(features.Labels, Is.EqualTo(new[] { 0, 0, 0, 0, 0, 1, 1, 1, 1 }));
        Assert.That(skipped.Count, Is.EqualTo(1));

        float[] expected = [.. Enumerable.Range(0, folder.Count).Where(i => !folder.PathOf(i).EndsWith("1a.png", StringComparison.Ordinal))
            .SelectMany(i => ClassToken(network.Backbone, device, folder.PathOf(i)))];
        Tolerance.Balanced.Check<float>(features.Values, expected, "features");
    }

    [Test]
    public void MoreBatches_TakeNoMoreMemory()
    {
        Pictures("few/a", 4, 90, 0, 0);
        Pictures("many/a", 16, 90, 0, 0);
        using var device = Device.Open("cpu", new DeviceOptions { Threads = 1 });
        using var network = new Network(device);
        long Extract(string name)
        {
            var folder = ImageFolder.Scan(Path.Combine(root, name));
            FeatureExtractor.Extract(network.Backbone, device, folder, FeatureExtractor.Protocol(Crop, batchSize: 2));
            return device.Pool.AllocatedBytes;
        }
        long used = device.Pool.UsedBytes, allocated = Extract("few");
        Assert.That(Extract("many"), Is.EqualTo(allocated));
        Assert.That(device.Pool.UsedBytes, Is.EqualTo(used));
    }

    /// <summary>The second folder has only some of the classes, so that its numbers of classes are others.</summary>
    [Test]
    public void Classes_AreMatchedByName()
    {
        Pictures("train/blue", 4, 0, 0, 220);
        Pictures("train/green", 4, 0, 220, 0);
        Pictures("train/red", 4, 220, 0, 0);
        Pictures("val/green", 2, 10, 210, 10);
        Pictures("val/red", 3, 210, 10, 10);
        var device = Devices.Open("cpu");
        using var network = new Network(device);
        int seen = 0;
        var run = new KnnRun(Scan("train"), Scan("val"), Crop, device)
        {
            Options = new KnnOptions { Ks = [1, 3, 20] },
            OnBatch = count => seen += count,
        };
        var result = run.Evaluate(network.Backbone);
        Assert.That((result.TrainCount, result.QueryCount, result.Classes), Is.EqualTo((12, 5, 3)));
        Assert.That((result.Top1(1), result.Top1(3), result.Top1(20)), Is.EqualTo(((double?)100, (double?)100, (double?)null)));
        Assert.That((seen, run.Pictures), Is.EqualTo((17, 17)));
    }

    [Test]
    public void FoldersThatDoNotFit_AreRefused()
    {
        Pictures("train/blue", 1, 0, 0, 220);
        Pictures("val/bleu", 1, 0, 0, 220);
        Pictures("flat", 1, 0, 0, 220);
        var device = Devices.Open("cpu");
        Assert.That(
            () => new KnnRun(Scan("train"), Scan("val"), Crop, device),
            Throws.TypeOf<EvaluationException>().With.Message.Contains("'bleu'"));
        Assert.That(
            () => new KnnRun(Scan("flat"), Scan("val"), Crop, device),
            Throws.TypeOf<EvaluationException>().With.Message.Contains("flat"));
    }

    [Test]
    public void Cancelled_Stops()
    {
        Pictures("train/blue", 1, 0, 0, 220);
        var device = Devices.Open("cpu");
        using var network = new Network(device);
        var run = new KnnRun(Scan("train"), Scan("train"), Crop, device);
        Assert.That(
            () => run.Evaluate(network.Backbone, new CancellationToken(canceled: true)), Throws.InstanceOf<OperationCanceledException>());
    }

    private static float[] ClassToken(Backbone backbone, Device device, string path)
    {
        var (picture, square) = (new RgbImage(), new RgbImage());
        using (var decoder = new ImageDecoder())
            decoder.Decode(path, picture);
        new Resample().ResizeAndCentreCrop(picture, square, 32, Crop); // 28 · 256 / 224
        float[] pixels = new float[3 * Crop * Crop];
        Normalize.ImageNet.Apply(square, pixels);
        using var scope = device.BeginArena();
        return backbone.Forward(Tensor.From(device, pixels, new Shape(1, 3, Crop, Crop))).ToArray();
    }

    private ImageFolder Scan(string name) => ImageFolder.Scan(Path.Combine(root, name));

    /// <summary>Pictures of about one colour, with stripes that differ from picture to picture.</summary>
    private void Pictures(string folder, int count, int red, int green, int blue)
    {
        Directory.CreateDirectory(Path.Combine(root, folder));
        const int Width = 48, Height = 40;
        for (int i = 0; i < count; i++)
        {
            byte[] rgb = new byte[3 * Width * Height];
            for (int p = 0; p < Width * Height; p++)
            {
                int stripe = p % (3 + i) == 0 ? 25 : 0;
                (rgb[3 * p], rgb[3 * p + 1], rgb[3 * p + 2]) = ((byte)(red + stripe), (byte)(green + stripe), (byte)(blue + stripe));
            }
            Png.WriteRgb(Path.Combine(root, folder, $"{i}.png"), rgb, Width, Height);
        }
    }

    private sealed class Network : IDisposable
    {
        private readonly FlatParameters parameters;

        public Network(Device device)
        {
            Backbone = new VisionTransformer(Config);
            parameters = new FlatParameters(Backbone, device, trainable: false);
            parameters.Initialize(3);
        }

        public VisionTransformer Backbone { get; }

        public void Dispose() => parameters.Dispose();
    }
}
