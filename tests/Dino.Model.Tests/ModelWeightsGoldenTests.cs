using Dino.Model.Weights;
using Dino.Tensors;
using Dino.Tensors.Io;
using Dino.Tensors.Nn;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Model.Tests;

/// <summary>All layouts of the set <c>checkpoints</c> make the same network, and it sees what PyTorch's sees.</summary>
[Category("Golden")]
public class ModelWeightsGoldenTests
{
    private static int Heads => GoldenCheckpoints.Config.GetProperty("heads").GetInt32();

    private static IEnumerable<TestCaseData> Backbones =>
        from golden in GoldenCheckpoints.Good
        from pair in golden.Compare
        let key = Keyed(pair.InFile)
        where pair.Expected is "backbone." or "fp16." || pair.Expected is "student." or "teacher."
        select new TestCaseData(golden.Path, key, pair.Expected is "student." or "teacher." ? pair.Expected + "backbone." : pair.Expected)
            .SetName($"{golden.Name} {pair.InFile} is {pair.Expected}");

    [TestCaseSource(nameof(Backbones))]
    public void Backbone_HasTheExpectedValues(string path, string? key, string expected)
    {
        using var file = WeightsFile.Open(path);
        var weights = ModelWeights.Find(file, key);
        var config = weights.BackboneConfig(Heads);
        var vit = new VisionTransformer(config);
        using var parameters = new FlatParameters(vit, Devices.Open("cpu"), trainable: false);

        var report = weights.Load(vit);

        Assert.That(report.IsWhole && report.Resized.Count == 0);
        Assert.That(
            (config.ImageSize, config.Patch, config.Dim, config.Depth),
            Is.EqualTo((Size("image_size"), Size("patch"), Size("dim"), Size("depth"))));
        foreach (var parameter in vit.Parameters)
            Assert.That(parameter.Value.ToArray(), Is.EqualTo(GoldenCheckpoints.Expected.Floats(expected + parameter.Name)),
                parameter.Name);
        if (expected != "backbone.")
            return;
        var forward = GoldenCheckpoints.Forward;
        string x = forward.GetProperty("x").GetString()!, y = forward.GetProperty("out").GetString()!;
        using var arena = Devices.Open("cpu").BeginArena();
        var images = Tensor.From(Devices.Open("cpu"), GoldenCheckpoints.Expected.Floats(x),
            Shape.Of([.. GoldenCheckpoints.Expected.Shape(x).Select(size => (int)size)]));
        new Tolerance(forward.GetProperty("atol").GetDouble(), forward.GetProperty("rtol").GetDouble())
            .Check<float>(vit.Forward(images).ToArray(), GoldenCheckpoints.Expected.Floats(y), y);
    }

    [Test]
    public void TrainingCheckpoint_GivesItsHeadsAndTheCentre()
    {
        var golden = GoldenCheckpoints.Good.First(file => file.Compare.Any(pair => pair.Expected == "center"));
        using var file = WeightsFile.Open(golden.Path);
        foreach (string key in (string[])[ModelWeights.Teacher, ModelWeights.Student])
        {
            var weights = ModelWeights.Find(file, key);
            var head = weights.HeadConfig()!;
            Assert.That((head.OutDim, head.HiddenDim, head.BottleneckDim, head.Layers),
                Is.EqualTo((Size("out"), Size("hidden"), Size("bottleneck"), 3)));
            var model = new MultiCropModel(weights.BackboneConfig(Heads), head);
            using var parameters = new FlatParameters(model, Devices.Open("cpu"), trainable: false);
            Assert.That(weights.Load(model).IsWhole);
            foreach (var parameter in model.Parameters)
                Assert.That(parameter.Value.ToArray(), Is.EqualTo(GoldenCheckpoints.Expected.Floats($"{key}.{parameter.Name}")),
                    parameter.Name);
            Assert.That(file.Floats(weights.Centre!), Is.EqualTo(GoldenCheckpoints.Expected.Floats("center")));
        }
    }

    [Test]
    public void Fixture_HasEveryLayout() =>
        Assert.That(Backbones.Select(test => (string?)test.Arguments[1]),
            Is.SupersetOf(new string?[] { null, ModelWeights.Teacher, ModelWeights.Student }));

    private static int Size(string name) => GoldenCheckpoints.Config.GetProperty(name).GetInt32();

    private static string? Keyed(string prefix) =>
        prefix.StartsWith("student.", StringComparison.Ordinal) ? ModelWeights.Student
        : prefix.StartsWith("teacher.", StringComparison.Ordinal) ? ModelWeights.Teacher
        : null;
}
