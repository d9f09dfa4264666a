using System.Text.Json;
using Dino.Testing;
using Dino.Train.Evaluation.Segmentation;
using NUnit.Framework;

namespace Dino.Train.Tests.Golden;

/// <summary>Label propagation through a video against the reference's soft labels, upsampled labels and ids.</summary>
[Category("Golden")]
[TestFixtureSource(typeof(Devices), nameof(Devices.FastFixtures))]
public class PropagationGoldenTests(string device)
{
    private static readonly GoldenSet Set = GoldenSet.Open("propagation");

    private static readonly int Rows = Number("rows"), Columns = Number("cols"), Patch = Number("patch"), Frames = Number("frames");

    [Test]
    public void Soft_labels_planes_and_ids()
    {
        float[] features = Set.Floats("features");
        int frame = features.Length / Frames;
        using var propagation = new LabelPropagation(
            Devices.Open(device), features.AsSpan(0, frame), Set.Floats("seg0"), Rows, Columns, Options());
        for (int t = 1; t < Frames; t++)
        {
            float[] soft = propagation.Next(features.AsSpan(t * frame, frame));
            Set.Check<float>($"seg{t}", soft, Scale);
            float[] planes = new float[soft.Length * Patch * Patch];
            int patches = Rows * Columns, pixels = patches * Patch * Patch;
            for (int c = 0; c < propagation.Classes; c++)
                LabelPropagation.DecodePlane(soft.AsSpan(c * patches, patches), Rows, Columns, Patch, planes.AsSpan(c * pixels, pixels));
            Set.Check<float>($"decoded{t}", planes, Scale);
            Set.Check<byte>($"labels{t}", LabelPropagation.Decode(soft, propagation.Classes, Rows, Columns, Patch));
        }
    }

    /// <summary>Where all patches are alike and each has a class of its own, a patch's labels show which patches it looks at.</summary>
    [Test]
    public void Patches_within_reach()
    {
        int patches = Rows * Columns;
        float[] features = new float[patches], labels = new float[patches * patches];
        Array.Fill(features, 2f);
        for (int i = 0; i < patches; i++)
            labels[i * patches + i] = 1;
        using var propagation = new LabelPropagation(Devices.Open(device), features, labels, Rows, Columns, Options() with { TopK = 1 });
        float[] seen = propagation.Next(features); // (source, target)
        Set.Check<byte>("neighbourhood", Array.ConvertAll(seen, weight => (byte)(weight > 0 ? 1 : 0)));
    }

    [Test]
    public void Every_expected_tensor_is_covered()
    {
        var known = Enumerable.Range(1, Frames - 1).SelectMany(t => new[] { $"seg{t}", $"decoded{t}", $"labels{t}" })
            .Append("neighbourhood");
        Assert.That(Set.Tensors.Values.Where(tensor => !tensor.IsGiven).Select(tensor => tensor.Name), Is.EquivalentTo(known));
    }

    // GPUs calculate products in another order.
    private double Scale => device.StartsWith("cpu", StringComparison.Ordinal) ? 1 : 10;

    private static LabelPropagationOptions Options() => new()
    {
        LastFrames = Number("last"),
        Radius = Number("radius"),
        TopK = Number("topk"),
        Temperature = Config("temperature").GetDouble(),
    };

    private static int Number(string key) => Config(key).GetInt32();

    private static JsonElement Config(string key) => Set.Config.GetProperty(key);
}
