using Dino.Model.Weights;
using Dino.Tensors;
using Dino.Tensors.Io;
using Dino.Tensors.Nn;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Model.Tests;

/// <summary>Every name that DINO's weights went by leads to the same network, and whatever does not fit is named.</summary>
public class ModelWeightsTests
{
    private static readonly ViTConfig backbone = new() { ImageSize = 16, Patch = 8, Dim = 64, Depth = 2, Heads = 1 };

    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("dino-names-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    private static IEnumerable<TestCaseData> Spellings
    {
        get
        {
            TestCaseData Case(string name, bool batchNorm, Func<string, string> spell) =>
                new TestCaseData(batchNorm, spell).SetName("Spelling: " + name);
            yield return Case("as it is", false, name => name);
            yield return Case("training checkpoint", true, name => "teacher." + name);
            yield return Case("data-parallel", false, name => "teacher.module." + name);
            yield return Case("student alone", false, name => "student.module." + name);
            yield return Case("wrapped state dict", true, name => "state_dict.module." + name);
            yield return Case("wrapped model", false, name => "model." + name);
            yield return Case("early, without prefixes", false,
                name => Early(name).Replace("backbone.", "").Replace("head.mlp", "projection_head")
                .Replace("head.last_layer", "prototypes"));
            yield return Case("early, in a checkpoint", true, name => "teacher.module." + Early(name));
            yield return Case("weight norm of PyTorch 2", false,
                name => "teacher." + name.Replace("weight_g", "parametrizations.weight.original0")
                .Replace("weight_v", "parametrizations.weight.original1"));
            static string Early(string name) =>
                name.Replace("head.mlp", "head.projection_head").Replace("head.last_layer", "head.prototypes");
        }
    }

    [TestCaseSource(nameof(Spellings))]
    public void EverySpelling_IsTheSameNetwork(bool batchNorm, Func<string, string> spell)
    {
        var head = new DinoHeadConfig { OutDim = 24, HiddenDim = 12, BottleneckDim = 8, UseBatchNorm = batchNorm };
        using var network = new Network(new MultiCropModel(backbone, head));
        List<TensorEntry> entries = [.. network.Tensors.Select(
            tensor => TensorEntry.Of(spell(tensor.Name), tensor.Shape.ToArray(), tensor.Values))];
        if (batchNorm)
            entries.Add(TensorEntry.Of(spell("head.mlp.1.num_batches_tracked"), [], new[] { 5L }));
        entries.Add(TensorEntry.Of("dino_loss.center", [1, 24], new float[24]));
        string path = Path.Combine(folder, "weights.pth");
        PyTorchFile.Write(path, entries);

        using var file = WeightsFile.Open(path);
        var weights = ModelWeights.Find(file);
        Assert.That(weights.BackboneConfig(), Is.EqualTo(backbone));
        Assert.That(weights.HeadConfig(), Is.EqualTo(head));
        Assert.That(weights.Centre, Is.EqualTo("dino_loss.center"));
        using var loaded = new Network(new MultiCropModel(weights.BackboneConfig(), weights.HeadConfig()!), fill: false);
        Assert.That(weights.Load(loaded.Model).IsWhole);
        Assert.That(loaded.Tensors.Select(tensor => tensor.Values), Is.EqualTo(network.Tensors.Select(tensor => tensor.Values)));
    }

    [Test]
    public void HuggingFace_WithAClassifier_IsTheSameNetwork()
    {
        using var network = new Network(new VisionTransformer(backbone));
        string path = Path.Combine(folder, "pytorch_model.bin");
        PyTorchFile.Write(path,
        [
            .. WeightsExport.HuggingFace(backbone, network.Values).Select(entry => Renamed(entry, "vit." + entry.Name)),
            TensorEntry.Of("classifier.weight", [2, 64], new float[128]), TensorEntry.Of("vit.pooler.dense.bias", [64], new float[64]),
        ]);

        using var file = WeightsFile.Open(path);
        var weights = ModelWeights.Find(file);
        using var loaded = new Network(new VisionTransformer(weights.BackboneConfig()), fill: false);

        Assert.That(weights.Load(loaded.Model).IsWhole);
        Assert.That(loaded.Tensors.Select(tensor => tensor.Values), Is.EqualTo(network.Tensors.Select(tensor => tensor.Values)));
        Assert.That(weights.Aside, Is.EquivalentTo(new[] { "classifier.weight", "vit.pooler.dense.bias" }));
        Assert.That(weights.Layout, Does.Contain("Hugging Face"));
    }

    [Test]
    public void ConfigBesideAHuggingFaceFile_TellsTheHeads()
    {
        using var network = new Network(new VisionTransformer(backbone with { Heads = 4 }));
        string path = Path.Combine(folder, "model.safetensors");
        SafetensorsFile.Write(path, WeightsExport.HuggingFace(backbone, network.Values));
        using var file = WeightsFile.Open(path);
        Assert.That(ModelWeights.Find(file).BackboneConfig().Heads, Is.EqualTo(1), "64 a head");

        using (var config = File.Create(Path.Combine(folder, "config.json")))
            WeightsExport.WriteHuggingFaceConfig(config, backbone with { Heads = 4 });
        Assert.That(ModelWeights.Find(file).BackboneConfig(), Is.EqualTo(backbone with { Heads = 4 }));
        Assert.That(ModelWeights.Find(file).BackboneConfig(2).Heads, Is.EqualTo(2), "what is given goes first");
        File.WriteAllText(Path.Combine(folder, "config.json"), "{");
        Assert.That(() => ModelWeights.Find(file).BackboneConfig(), Throws.TypeOf<WeightsException>().With.Message.Contains("config.json"));
    }

    [Test]
    public void WhatDoesNotFit_IsNamed_AndNothingIsChanged()
    {
        using var network = new Network(new VisionTransformer(backbone));
        List<TensorEntry> entries = [.. network.Tensors.Where(tensor => tensor.Name != "norm.weight").Select(tensor => tensor.ToEntry())];
        entries[^1] = TensorEntry.Of(entries[^1].Name, [65], new float[65]);
        entries.Add(TensorEntry.Of("fc_norm.weight", [1], new float[1]));
        string path = Path.Combine(folder, "weights.safetensors");
        SafetensorsFile.Write(path, entries);
        using var file = WeightsFile.Open(path);
        var weights = ModelWeights.Find(file);
        using var target = new Network(new VisionTransformer(weights.BackboneConfig()), fill: false);

        Assert.That(() => weights.Load(target.Model), Throws.TypeOf<WeightsException>().With.Message.EqualTo(
            $"{path} does not fit the model:\n  missing: norm.weight (64)\n  unexpected: fc_norm.weight\n"
            + "  another shape: norm.bias is (65), the model's (64)\nGive `AllowPartial` to use what fits."));
        Assert.That(target.Tensors.SelectMany(tensor => tensor.Values), Is.All.Zero);
        var report = weights.Load(target.Model, allowPartial: true);
        Assert.That((report.Loaded.Count, report.Missing.Count, report.Misshapen.Count, report.Unexpected.Count),
            Is.EqualTo((28, 1, 1, 1)));
        Assert.That(target.Values("cls_token"), Is.EqualTo(network.Values("cls_token")));
        Assert.That(target.Values("norm.bias"), Is.All.Zero);
    }

    [Test]
    public void Positions_OfAnotherGrid_AreResampled_AsTheOpDoes()
    {
        using var network = new Network(new VisionTransformer(backbone with { ImageSize = 40 }));
        string path = Path.Combine(folder, "weights.safetensors");
        SafetensorsFile.Write(path, WeightsExport.Official(backbone with { ImageSize = 40 }, network.Values));
        using var file = WeightsFile.Open(path);
        var weights = ModelWeights.Find(file);
        using var target = new Network(new VisionTransformer(weights.BackboneConfig() with { ImageSize = 24 }), fill: false);

        var report = weights.Load(target.Model);

        Assert.That(report.Resized, Is.EqualTo(new[] { "pos_embed (1, 26, 64) to (1, 10, 64)" }));
        Assert.That(report.IsWhole);
        using var arena = Devices.Open("cpu").BeginArena();
        var pos = Tensor.From(Devices.Open("cpu"), network.Values("pos_embed"), new Shape(1, 26, 64));
        Tolerance.Balanced.Check<float>(target.Values("pos_embed"), Tensors.Ops.ResizeGridOp.ResizeGrid(pos, 3, 3).ToArray(), "positions");
    }

    [Test]
    public void WhatIsBesideABackbone_DoesNotHinderIt()
    {
        using var network = new Network(new VisionTransformer(backbone));
        string path = Path.Combine(folder, "weights.pth");
        PyTorchFile.Write(path,
        [
            .. WeightsExport.Official(backbone, network.Values), TensorEntry.Of("optimizer.state.0.exp_avg", [1], new float[1]),
                TensorEntry.Of("head.weight", [2, 64], new float[128]),
            TensorEntry.Of("head.last_layer2.weight", [1], new float[1]),
        ]);
        using var file = WeightsFile.Open(path);
        var weights = ModelWeights.Find(file);

        Assert.That(weights.Compare(new VisionTransformer(backbone)).IsWhole);
        Assert.That(weights.Aside, Is.EquivalentTo(new[] { "optimizer.state.0.exp_avg", "head.weight" }));
        var withHead = weights.Compare(new MultiCropModel(backbone, new DinoHeadConfig { OutDim = 4, HiddenDim = 4, BottleneckDim = 4 }));
        Assert.That(withHead.Unexpected, Is.EqualTo(new[] { "head.last_layer2.weight" }));
        Assert.That(withHead.Missing, Has.Count.EqualTo(8));
    }

    [TestCase("nothing", "no Vision Transformer")]
    [TestCase("hole", "2 blocks, and the last is number 7")]
    [TestCase("third", "unexpected: vit.encoder.layer.1.attention.attention.key.weight")]
    [TestCase("heads", "give `Heads`")]
    [TestCase("student", "a teacher and no student")]
    [TestCase("grid", "not of a class token and a square grid")]
    public void WhatIsNoNetwork_IsRefused(string fault, string reason)
    {
        var config = fault == "heads" ? backbone with { Dim = 60, Heads = 6 } : backbone;
        using var network = new Network(new VisionTransformer(config));
        IEnumerable<TensorEntry> official = WeightsExport.Official(config, network.Values);
        string path = Path.Combine(folder, "weights.safetensors");
        SafetensorsFile.Write(path, fault switch
        {
            "nothing" => [TensorEntry.Of("linear.weight", [1], new float[1])],
            "hole" => [.. official.Select(entry => Renamed(entry, entry.Name.Replace("blocks.1.", "blocks.7.", StringComparison.Ordinal)))],
            "third" => [.. WeightsExport.HuggingFace(config, network.Values)
                .Where(entry => !entry.Name.Contains("layer.1.attention.attention.value.weight", StringComparison.Ordinal))
                .Select(entry => Renamed(entry, "vit." + entry.Name))],
            "student" => [.. official.Select(entry => Renamed(entry, "teacher.backbone." + entry.Name))],
            "grid" => [.. official.Select(entry => entry.Name == "pos_embed" ? TensorEntry.Of("pos_embed", [1, 7, 64], new float[448])
                : entry)],
            _ => [.. official],
        });
        using var file = WeightsFile.Open(path);

        Assert.That(
            () =>
            {
                var weights = ModelWeights.Find(file, fault == "student" ? ModelWeights.Student : null);
                weights.Compare(new VisionTransformer(weights.BackboneConfig())).ThrowIfPartial();
            },
            Throws.TypeOf<WeightsException>().With.Message.Contains(reason));
    }

    private static TensorEntry Renamed(TensorEntry entry, string name)
    {
        // An entry knows only how to write itself: through a file of its own it is read again.
        string path = Path.GetTempFileName();
        try
        {
            SafetensorsFile.Write(path, [entry]);
            using var file = SafetensorsFile.Read(path);
            return TensorEntry.Of(name, [.. entry.Shape], file.Floats(entry.Name));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private sealed class Network : IDisposable
    {
        private readonly FlatParameters parameters;

        public Network(Module model, bool fill = true)
        {
            Model = model;
            parameters = new FlatParameters(model, Devices.Open("cpu"), trainable: false);
            if (!fill)
                return;
            var random = new Random(11);
            foreach (var tensor in model.Parameters.Concat<ModuleTensor>(model.Buffers))
                tensor.Value.CopyFrom([.. Enumerable.Range(0, tensor.Shape.Count).Select(_ => (float)random.NextDouble())]);
        }

        public Module Model { get; }

        public IReadOnlyList<HostTensor> Tensors => parameters.Save();

        public float[] Values(string name) => Tensors.Single(tensor => tensor.Name == name).Values;

        public void Dispose() => parameters.Dispose();
    }
}
