using Dino.Model.Weights;
using Dino.Tensors.Io;
using NUnit.Framework;

namespace Dino.Model.Tests;

/// <summary>
/// Whatever program wrote a checkpoint, its networks are found behind their prefixes, the teacher is taken before the student, and what is
/// of another kind
/// of network is refused by name.
/// </summary>
public class WeightNetworkTests
{
    private static readonly ViTConfig sizes = new() { ImageSize = 16, Patch = 8, Dim = 8, Depth = 4, Heads = 2 };

    private static readonly string[] backbone = [.. new VisionTransformer(sizes).Parameters.Select(parameter => parameter.Name)];

    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("dino-prefix-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    // What stands before the network that is to be taken, and before others in the same file.
    [TestCase("", null)]
    [TestCase("_orig_mod.", null)]
    [TestCase("module._orig_mod.", null)]
    [TestCase("_orig_mod.module.backbone.", null)]
    [TestCase("encoder.", null)]
    [TestCase("model.encoder.vit.", null)]
    [TestCase("state_dict.model.backbone.", null)]
    [TestCase("pretrained.", null)]
    [TestCase("student.module.backbone.", null)]
    [TestCase("teacher.module._orig_mod.backbone.", "student._orig_mod.module.backbone.")]
    [TestCase("model.teacher.backbone.", "model.student.backbone.")]
    [TestCase("state_dict.teacher_backbone.vit.", "state_dict.student_backbone.vit.")]
    [TestCase("teacher_backbone.", "student_backbone.")]
    [TestCase("state_dict.momentum_backbone.", "state_dict.backbone.")]
    [TestCase("state_dict.module.momentum_encoder.", "state_dict.module.base_encoder.")]
    [TestCase("encoder_k.", "encoder_q.")]
    [TestCase("target_network.encoder.", "online_network.encoder.")]
    [TestCase("target_encoder.module.", "encoder.module.")]
    [TestCase("state_dict_ema.", "state_dict.")]
    [TestCase("model_ema.backbone.", "student.backbone.")]
    [TestCase("a.teacher.b.encoder.", "a.b.encoder.")]
    public void Teacher_IsTakenBeforeStudent_WhateverStandsBefore(string taken, string? other)
    {
        // The other one comes first in the file, and has other values.
        string path = Write([.. Entries(other, 2), .. Entries(taken, 1),
            TensorEntry.Of("optimizer.state." + taken + "cls_token", [1, 1, 8], new float[8])]);
        using var file = WeightsFile.Open(path);

        var weights = ModelWeights.Find(file);
        Assert.That(weights.Backbone.Keys, Is.EquivalentTo(backbone));
        Assert.That(weights.Backbone.Values.SelectMany(source => source.Names), Is.EquivalentTo(backbone.Select(name => taken + name)));
        Assert.That(weights.Compare(new VisionTransformer(weights.BackboneConfig(2))).IsWhole);
        Assert.That(weights.BackboneConfig(2), Is.EqualTo(sizes));
        Assert.That(weights.Values(weights.Backbone["norm.bias"]), Is.All.EqualTo(1f));
        Assert.That(weights.Aside, Has.Count.EqualTo(other is null ? 1 : 1 + backbone.Length));
        if (other is null)
            return;
        Assert.That(weights.Layout, Does.Contain("the teacher; the file also has"));
        var student = ModelWeights.Find(file, ModelWeights.Student);
        Assert.That(student.Values(student.Backbone["norm.bias"]), Is.All.EqualTo(2f));
        Assert.That(student.Backbone.Keys, Is.EquivalentTo(backbone));
    }

    [Test]
    public void AnyNestingOfPrefixes_IsTheSameNetwork()
    {
        string[] words = ["_orig_mod", "module", "model", "teacher", "backbone", "encoder", "vit", "state_dict", "momentum_encoder",
            "_fsdp_wrapped_module", "net", "student"];
        var random = new Random(15);
        for (int i = 0; i < 200; i++)
        {
            string prefix = string.Concat(Enumerable.Range(0, random.Next(7)).Select(_ => words[random.Next(words.Length)] + "."));
            // Wrappers stand inside as well where every block is compiled or sharded by itself.
            string Inside(string name) => i % 3 == 0
                ? name.Replace(".attn.", "._checkpoint_wrapped_module.attn.").Replace("patch_embed.", "patch_embed._orig_mod.") : name;
            var networks = WeightNetwork.In(backbone.Select(name => OfficialNames.Plain(prefix + Inside(name))));
            Assert.That(networks, Has.Count.EqualTo(1), prefix);
            Assert.That(backbone.Select(name => OfficialNames.Meaning(networks[0].Within(OfficialNames.Plain(prefix + Inside(name))))),
                Is.EqualTo(backbone.Select(name => (WeightPart.Backbone, name, -1))), prefix);
        }
    }

    [TestCase(1)]
    [TestCase(2)]
    public void ChunkedBlocks_KeepTheirNumbers(int perChunk)
    {
        // As DINOv2 shards: the chunk, then the block's number in the whole network.
        string Chunked(string name) => name.Split('.') is ["blocks", var block, ..]
            ? name.Replace($"blocks.{block}.", $"blocks.{int.Parse(block) / perChunk}.{block}.") : name;
        string path = Write([.. backbone.Select(name => Entry("model.teacher.backbone." + Chunked(name), name, 1))]);
        using var file = WeightsFile.Open(path);

        var weights = ModelWeights.Find(file);
        Assert.That(weights.Compare(new VisionTransformer(weights.BackboneConfig(2))).IsWhole);
        Assert.That(weights.Backbone["blocks.3.norm1.bias"].Names,
            Is.EqualTo(new[] { "model.teacher.backbone." + Chunked("blocks.3.norm1.bias") }));
        Assert.That(weights.Layout, Does.StartWith("official names"));
    }

    [TestCase("teacher.backbone.", "teacher.head.")]
    [TestCase("model.teacher.backbone.", "model.teacher.dino_head.")]
    [TestCase("state_dict.teacher_backbone.vit.", "state_dict.teacher_head.")]
    [TestCase("backbone.", "head.")]
    [TestCase("teacher.module.", "teacher.module.head.")]
    public void Head_IsTheOneOfTheSameNetwork(string prefix, string headPrefix)
    {
        TensorEntry[] Head(string before, float value) =>
        [
            .. new (string, int[])[] { ("mlp.0.weight", [6, 8]), ("mlp.0.bias", [6]), ("mlp.2.weight", [4, 6]), ("mlp.2.bias", [4]),
                ("last_layer.weight_g", [16, 1]), ("last_layer.weight_v", [16, 4]) }
                .Select(tensor => TensorEntry.Of(before + tensor.Item1, tensor.Item2, Filled(tensor.Item2, value))),
        ];
        string path = Write([.. Head("student_head.", 2), .. Entries("student_backbone.", 2), .. Entries(prefix, 1),
            .. Head(headPrefix, 1), .. Head(headPrefix.Replace("head", "ibot_head"), 3)]);
        using var file = WeightsFile.Open(path);

        var weights = ModelWeights.Find(file, prefix == "backbone." ? null : ModelWeights.Teacher);
        if (weights.Role == NetworkRole.Student)
            weights = ModelWeights.Find(file); // beside a student the unmarked one is not the teacher
        var config = weights.HeadConfig()!;
        Assert.That((config.OutDim, config.Layers, config.HiddenDim, config.BottleneckDim), Is.EqualTo((16, 2, 6, 4)));
        Assert.That(weights.Values(weights.Head["last_layer.weight_v"]), Is.All.EqualTo(weights.Role == NetworkRole.Student ? 2f : 1f));
    }

    [TestCase("blocks.0.ls1.gamma", "DINOv2")]
    [TestCase("blocks.3.ls2.gamma", "DINOv2")]
    [TestCase("blocks.1.attn.q_norm.weight", "normalises queries and keys")]
    [TestCase("blocks.1.mlp.w12.weight", null)]
    [TestCase("blocks.1.gamma_1", "BEiT")]
    [TestCase("blocks.2.something.new", null)]
    [TestCase("register_tokens", "registers")]
    [TestCase("storage_tokens", "DINOv3")]
    [TestCase("rope_embed.periods", "DINOv3")]
    [TestCase("dist_token", "DeiT")]
    [TestCase("blocks.4.norm1.weight", null)]
    public void PartsOfAnotherKindOfNetwork_AreNeverDropped(string name, string? kind)
    {
        foreach (string prefix in (string[])["", "teacher.backbone."])
        {
            string path = Write([.. Entries(prefix, 1), TensorEntry.Of(prefix + name, [8], new float[8])]);
            using var file = WeightsFile.Open(path);
            var weights = ModelWeights.Find(file);
            var report = weights.Compare(new VisionTransformer(sizes));

            Assert.That(report.Foreign, Is.EqualTo(new[] { prefix + name }));
            Assert.That(() => report.ThrowIfNot(allowPartial: true), Throws.TypeOf<WeightsException>()
                .With.Message.Contains(prefix + name).And.Message.Contains(kind ?? "another kind of network")
                    .And.Message.Not.Contains("\n"));
            Assert.That(report.IsWhole, Is.False);
        }
    }

    [TestCase("fc_norm.weight")]
    [TestCase("projector.0.weight")]
    public void WhatStandsOutsideTheBlocks_MayBeLeftAside(string name)
    {
        string path = Write([.. Entries("", 1), TensorEntry.Of(name, [8], new float[8]),
            TensorEntry.Of("mask_token", [1, 8], new float[8])]);
        using var file = WeightsFile.Open(path);
        var report = ModelWeights.Find(file).Compare(new VisionTransformer(sizes));

        Assert.That(report.Unexpected, Is.EqualTo(new[] { name }));
        Assert.That(() => report.ThrowIfNot(allowPartial: true), Throws.Nothing);
        Assert.That(() => report.ThrowIfNot(allowPartial: false), Throws.TypeOf<WeightsException>().With.Message.Contains(name));
    }

    [TestCase("layer1.0.conv1.weight", "ResNet")]
    [TestCase("stages.0.0.dwconv.weight", "ConvNeXt")]
    [TestCase("layers.0.blocks.0.attn.qkv.weight", "Swin")]
    [TestCase("visual.conv1.weight", "CLIP")]
    [TestCase("linear.weight", "linear.weight")]
    public void OtherNetworks_AreCalledByTheirName(string name, string kind)
    {
        string path = Write([TensorEntry.Of(name, [8], new float[8])]);
        using var file = WeightsFile.Open(path);
        Assert.That(() => ModelWeights.Find(file),
            Throws.TypeOf<WeightsException>().With.Message.Contains("no Vision Transformer").And.Message.Contains(kind));
    }

    private static IEnumerable<TensorEntry> Entries(string? prefix, float value) =>
        prefix is null ? [] : backbone.Select(name => Entry(prefix + name, name, value));

    private static TensorEntry Entry(string nameInFile, string name, float value)
    {
        int[] shape = new VisionTransformer(sizes).Parameters.Single(parameter => parameter.Name == name).Shape.ToArray();
        return TensorEntry.Of(nameInFile, shape, Filled(shape, value));
    }

    private static float[] Filled(int[] shape, float value)
    {
        float[] values = new float[shape.Aggregate(1, (product, size) => product * size)];
        values.AsSpan().Fill(value);
        return values;
    }

    private string Write(IReadOnlyList<TensorEntry> entries)
    {
        string path = Path.Combine(folder, $"{Guid.NewGuid():n}.pth");
        PyTorchFile.Write(path, entries);
        return path;
    }
}
