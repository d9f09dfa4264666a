using Dino.Model.Weights;
using Dino.Tensors.Io;
using Dino.Tensors.Nn;
using Dino.Tensors.Ops;
using NUnit.Framework;

namespace Dino.Model.Tests;

/// <summary>The files of DINOv2 and DINOv3 in their own layout and in Hugging Face's lead to the same network, and back.</summary>
public class LaterNamesTests
{
    private static readonly ViTConfig v2 = new() { ImageSize = 12, Patch = 4, Dim = 64, Depth = 2, Heads = 1, LayerScale = true };
    private static readonly ViTConfig v3 = v2
        with
    { ImageSize = 224, Rotary = true, Registers = 4, KeyBias = false, NormEps = 1e-5f, Heads = 4 };

    private static readonly (string Name, ViTConfig Config)[] networks =
    [
        ("DINOv2", v2),
        ("DINOv2 with registers", v2 with { Registers = 3 }),
        ("DINOv2 with SwiGLU", v2 with { SwiGlu = true, MlpRatio = 176 / 64f }),
        ("DINOv3", v3),
        ("DINOv3 with SwiGLU", v3 with { SwiGlu = true, MlpRatio = 1.5f }),
        ("DINOv3 without a bias", v3 with { SwiGlu = true, QkvBias = false }),
        ("DINOv3 with a bias of the key", v3 with { KeyBias = true }),
    ];

    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("dino-later-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    public static IEnumerable<TestCaseData> Networks =>
        networks.Select(network => new TestCaseData(network.Config).SetArgDisplayNames(network.Name));

    [TestCaseSource(nameof(Networks))]
    public void OwnLayout_IsTheSameNetwork(ViTConfig config)
    {
        string path = Path.Combine(folder, "own.pth");
        PyTorchFile.Write(path, WeightsExport.Official(config, name => Values(config, name)));
        Check(path, config, config.Rotary ? null : 1);
        using var file = WeightsFile.Open(path);
        Assert.That(ModelWeights.Find(file).Layout, Does.StartWith("official names"));
        Assert.That(ModelWeights.Find(file).Aside, Is.EqualTo(new[] { "mask_token" }));
    }

    [TestCaseSource(nameof(Networks))]
    public void HuggingFacesLayout_IsTheSameNetwork(ViTConfig config)
    {
        string path = Path.Combine(folder, "model.safetensors");
        SafetensorsFile.Write(path, WeightsExport.HuggingFace(config, name => Values(config, name)));
        using (var json = File.Create(Path.Combine(folder, "config.json")))
            WeightsExport.WriteHuggingFaceConfig(json, config);
        Check(path, config, null);
        using var file = WeightsFile.Open(path);
        Assert.That(ModelWeights.Find(file).Layout, Does.StartWith("Hugging Face's names"));
    }

    /// <summary>The names that torch's strict loaders ask for, from the published code.</summary>
    [Test]
    public void Names_AreThoseOfTheOfficialCode()
    {
        string[] common =
        [
            "cls_token (1, 1, 64)", "mask_token (1, 64)", "patch_embed.proj.weight (64, 3, 4, 4)", "patch_embed.proj.bias (64)",
                "blocks.0.norm1.weight (64)", "blocks.0.norm1.bias (64)",
            "blocks.0.attn.qkv.weight (192, 64)", "blocks.0.attn.qkv.bias (192)", "blocks.0.attn.proj.weight (64, 64)",
            "blocks.0.attn.proj.bias (64)", "blocks.0.ls1.gamma (64)", "blocks.0.norm2.weight (64)", "blocks.0.norm2.bias (64)",
            "blocks.0.ls2.gamma (64)", "norm.weight (64)", "norm.bias (64)",
        ];
        string[] mlp = ["blocks.0.mlp.fc1.weight (256, 64)", "blocks.0.mlp.fc1.bias (256)", "blocks.0.mlp.fc2.weight (64, 256)",
            "blocks.0.mlp.fc2.bias (64)"];
        Assert.That(Written(v2 with { Depth = 1, Registers = 4 }),
            Is.EquivalentTo((string[])[.. common, .. mlp, "pos_embed (1, 10, 64)", "register_tokens (1, 4, 64)"]));
        Assert.That(Written(v2 with { Depth = 1, SwiGlu = true, MlpRatio = 2 }), Is.EquivalentTo((string[])
            [.. common, "pos_embed (1, 10, 64)", "blocks.0.mlp.w12.weight (256, 64)", "blocks.0.mlp.w12.bias (256)",
                "blocks.0.mlp.w3.weight (64, 128)", "blocks.0.mlp.w3.bias (64)"]));
        Assert.That(Written(v3 with { Depth = 1 }), Is.EquivalentTo((string[])
            [.. common, .. mlp, "storage_tokens (1, 4, 64)", "rope_embed.periods (4)", "blocks.0.attn.qkv.bias_mask (192)"]));
        Assert.That(Written(v3 with { Depth = 1, SwiGlu = true, MlpRatio = 2 }).Where(name => name.Contains(".mlp.")),
            Is.EquivalentTo((string[])
            ["blocks.0.mlp.w1.weight (128, 64)", "blocks.0.mlp.w1.bias (128)", "blocks.0.mlp.w2.weight (128, 64)",
                "blocks.0.mlp.w2.bias (128)", "blocks.0.mlp.w3.weight (64, 128)", "blocks.0.mlp.w3.bias (64)"]));
    }

    [Test]
    public void Names_AreThoseOfHuggingFacesCode()
    {
        Assert.That(Written(v2 with { Depth = 1, Registers = 4 }, huggingFace: true), Is.EquivalentTo((string[])
        [
            "embeddings.cls_token (1, 1, 64)", "embeddings.mask_token (1, 64)", "embeddings.position_embeddings (1, 10, 64)",
                "embeddings.register_tokens (1, 4, 64)",
            "embeddings.patch_embeddings.projection.weight (64, 3, 4, 4)", "embeddings.patch_embeddings.projection.bias (64)",
            "layernorm.weight (64)", "layernorm.bias (64)",
            .. new[] { "norm1", "norm2" }.SelectMany(
            norm => new[] { $"encoder.layer.0.{norm}.weight (64)", $"encoder.layer.0.{norm}.bias (64)" }),
            .. new[] { "attention.query", "attention.key", "attention.value", "output.dense" }.SelectMany(
                map => new[] { $"encoder.layer.0.attention.{map}.weight (64, 64)", $"encoder.layer.0.attention.{map}.bias (64)" }),
            "encoder.layer.0.layer_scale1.lambda1 (64)", "encoder.layer.0.layer_scale2.lambda1 (64)",
            "encoder.layer.0.mlp.fc1.weight (256, 64)", "encoder.layer.0.mlp.fc1.bias (256)", "encoder.layer.0.mlp.fc2.weight (64, 256)",
            "encoder.layer.0.mlp.fc2.bias (64)",
        ]));
        Assert.That(Written(v3 with { Depth = 1, SwiGlu = true, MlpRatio = 2 }, huggingFace: true), Is.EquivalentTo((string[])
        [
            "embeddings.cls_token (1, 1, 64)", "embeddings.mask_token (1, 1, 64)", "embeddings.register_tokens (1, 4, 64)",
                "embeddings.patch_embeddings.weight (64, 3, 4, 4)",
            "embeddings.patch_embeddings.bias (64)", "norm.weight (64)", "norm.bias (64)", "layer.0.norm1.weight (64)",
            "layer.0.norm1.bias (64)", "layer.0.norm2.weight (64)", "layer.0.norm2.bias (64)", "layer.0.attention.k_proj.weight (64, 64)",
            .. new[] { "q_proj", "v_proj", "o_proj" }.SelectMany(
                map => new[] { $"layer.0.attention.{map}.weight (64, 64)", $"layer.0.attention.{map}.bias (64)" }),
            "layer.0.layer_scale1.lambda1 (64)", "layer.0.layer_scale2.lambda1 (64)", "layer.0.mlp.gate_proj.weight (128, 64)",
            "layer.0.mlp.gate_proj.bias (128)", "layer.0.mlp.up_proj.weight (128, 64)", "layer.0.mlp.up_proj.bias (128)",
            "layer.0.mlp.down_proj.weight (64, 128)", "layer.0.mlp.down_proj.bias (64)",
        ]));
    }

    [Test]
    public void MaskedBias_IsReadAsMasked_AndTheNormOfLocalCropsLeftAside()
    {
        string path = Path.Combine(folder, "masked.pth");
        float[] bias = [.. Enumerable.Range(1, 192).Select(i => (float)i)];
        PyTorchFile.Write(path,
        [
            .. WeightsExport.Official(v3, name => name.EndsWith("qkv.bias", StringComparison.Ordinal) ? bias : Values(v3, name)),
            TensorEntry.Of("local_cls_norm.weight", [64], new float[64]), TensorEntry.Of("local_cls_norm.bias", [64], new float[64]),
        ]);
        using var file = WeightsFile.Open(path);
        var weights = ModelWeights.Find(file);
        Assert.That(weights.Compare(new VisionTransformer(weights.BackboneConfig())).IsWhole);
        Assert.That(weights.Values("blocks.1.attn.qkv.bias", v3), Is.EqualTo(bias.Select((value, i) => i / 64 == 1 ? 0 : value)));
        Assert.That(weights.Aside, Is.EquivalentTo(new[] { "mask_token", "local_cls_norm.weight", "local_cls_norm.bias" }));
    }

    [Test]
    public void TimmsNamesOfSwiGlu_AreRead()
    {
        var config = v2 with { SwiGlu = true, MlpRatio = 2 };
        string path = Path.Combine(folder, "timm.pth");
        PyTorchFile.Write(path, [.. WeightsExport.Official(config, name => Values(config, name)).Where(entry => entry.Name != "mask_token")
            .Select(entry => TensorEntry.Of(
            entry.Name.Replace("w12", "fc1", StringComparison.Ordinal).Replace("w3", "fc2", StringComparison.Ordinal),
            entry.Shape.ToArray(), Values(config, entry.Name)))]);
        using var file = WeightsFile.Open(path);
        var weights = ModelWeights.Find(file);
        var found = weights.BackboneConfig(config.Heads);
        Assert.That((found.SwiGlu, found.Hidden), Is.EqualTo((true, config.Hidden)));
        Assert.That(weights.Compare(new VisionTransformer(found)).IsWhole);
        Assert.That(weights.Values("blocks.1.mlp.w12.bias", found), Is.EqualTo(Values(config, "blocks.1.mlp.w12.bias")));
        Assert.That(weights.Values("blocks.1.mlp.w3.weight", found), Is.EqualTo(Values(config, "blocks.1.mlp.w3.weight")));
    }

    /// <summary>The refusal says which network it is, and does not blame registers, which others may have.</summary>
    [TestCase("DINOv2 or a ViT with registers in timm's form")]
    [TestCase("DINOv3 in timm's form", "blocks.0.gamma_1", "blocks.0.gamma_2")]
    public void TimmsRegisters_AreNamed(string words, params string[] beside)
    {
        string path = Path.Combine(folder, "registers.pth");
        PyTorchFile.Write(path, [.. WeightsExport.Official(v2, name => Values(v2, name))
            .Where(entry => beside.Length == 0 || !entry.Name.Contains(".ls")),
            TensorEntry.Of("reg_token", [1, 4, 64], new float[256]), .. beside.Select(name => TensorEntry.Of(name, [64], new float[64]))]);
        using var file = WeightsFile.Open(path);
        Assert.That(ModelWeights.Find(file).Family, Does.StartWith(words));
    }

    [Test]
    public void PeriodsThatWereNeverSet_AreNamed()
    {
        string path = Path.Combine(folder, "zeros.pth");
        PyTorchFile.Write(path, WeightsExport.Official(v3, name => name == "rope_embed.periods" ? new float[4] : Values(v3, name)));
        using var file = WeightsFile.Open(path);
        Assert.That(() => ModelWeights.Find(file).BackboneConfig(),
            Throws.TypeOf<WeightsException>().With.Message.Contains("DINOv3").And.Message.Contains("rope_embed.periods"));
    }

    /// <summary>A layer scale that one block lacks is no network of either kind.</summary>
    [TestCase("blocks.1.ls2.gamma", "missing: blocks.1.ls2.gamma (64)")]
    [TestCase("blocks.0.ls1.gamma", "DINOv2")]
    [TestCase("register_tokens", null)]
    public void PartsThatAreMissing_AreNamed(string without, string? message)
    {
        var config = v2 with { Registers = 2 };
        string path = Path.Combine(folder, "part.pth");
        PyTorchFile.Write(path, [.. WeightsExport.Official(config, name => Values(config, name)).Where(entry => entry.Name != without)]);
        using var file = WeightsFile.Open(path);
        var weights = ModelWeights.Find(file);
        var report = weights.Compare(new VisionTransformer(weights.BackboneConfig(1)));
        if (message is null)
            Assert.That(report.IsWhole, "without registers it is another network of the same kind");
        else
            Assert.That(report.ThrowIfPartial, Throws.TypeOf<WeightsException>().With.Message.Contains(message));
    }

    [Test]
    public void HuggingFacesDino_WithoutPositions_IsNotTakenForDinoV3()
    {
        var dino = new ViTConfig { ImageSize = 8, Patch = 4, Dim = 64, Depth = 1, Heads = 1 };
        string path = Path.Combine(folder, "model.safetensors");
        SafetensorsFile.Write(path, [.. WeightsExport.HuggingFace(dino, name => Values(dino, name))
            .Where(entry => entry.Name != "embeddings.position_embeddings")]);
        using var file = WeightsFile.Open(path);
        Assert.That(() => ModelWeights.Find(file).BackboneConfig(1), Throws.TypeOf<WeightsException>().With.Message.Contains("pos_embed"));
    }

    [Test]
    public void WhatHuggingFaceHasNot_IsRefused()
    {
        string[] Write(ViTConfig config, Func<string, float[]>? values = null) =>
            [.. WeightsExport.HuggingFace(config, values ?? (name => Values(config, name))).Select(entry => entry.Name)];
        Assert.That(() => Write(v3 with { UntiedNorms = true }), Throws.ArgumentException.With.Message.Contains("DINOv3"));
        Assert.That(() => Write(v2 with { QkvBias = false }), Throws.ArgumentException.With.Message.Contains("DINOv2"));
        Assert.That(() => Write(v3, name => name == "rope_embed.periods" ? [1, 2, 3, 4] : Values(v3, name)),
            Throws.ArgumentException.With.Message.Contains("periods"));
        Assert.That(() => WeightsExport.WriteHuggingFaceConfig(new MemoryStream(), v2 with { SwiGlu = true, MlpRatio = 13 / 64f }),
            Throws.ArgumentException.With.Message.Contains("13"));
    }

    /// <summary>Tensors dropped, doubled, renamed or of other shapes: a clear error, or a network that is whole.</summary>
    [TestCaseSource(nameof(Networks))]
    public void MangledFiles_AreRefusedOrRead(ViTConfig config)
    {
        string path = Path.Combine(folder, "mangled.safetensors");
        var random = new Random(18);
        config = config with { Dim = 16, Heads = 2, Depth = 1, MlpRatio = 2 };
        TensorEntry[][] layouts = [[.. WeightsExport.Official(config, name => Values(config, name))],
            [.. WeightsExport.HuggingFace(config, name => Values(config, name))]];
        int[] sizes = [0, 1, 2, 3, 5, 12, 16];
        for (int i = 0; i < 60; i++)
        {
            var entries = layouts[i % 2].ToDictionary(entry => entry.Name, entry => entry.Shape.ToArray());
            for (int change = random.Next(1, 4); change > 0; change--)
            {
                var (name, shape) = entries.ElementAt(random.Next(entries.Count));
                switch (random.Next(4))
                {
                    case 0:
                        entries.Remove(name);
                        break;
                    case 1:
                        entries[name.Replace("fc1", "w12").Replace("q_proj", "k_proj").Replace("ls1", "ls2")] = shape;
                        break;
                    case 2:
                        entries[layouts[random.Next(2)][random.Next(10)].Name] = shape;
                        break;
                    default:
                        entries[name] = [.. shape.Select(size => random.Next(2) == 0 ? size : sizes[random.Next(sizes.Length)])];
                        break;
                }
            }
            SafetensorsFile.Write(path, [.. entries.Select(entry => TensorEntry.Of(entry.Key, entry.Value, Filled(entry.Value)))]);
            try
            {
                using var file = WeightsFile.Open(path);
                var weights = ModelWeights.Find(file);
                var found = weights.BackboneConfig(random.Next(2) == 0 ? null : 2);
                if (weights.Compare(new VisionTransformer(found)).IsWhole)
                    foreach (var tensor in Tensors(found))
                        Assert.That(weights.Values(tensor.Name, found), Has.Length.EqualTo(tensor.Shape.Count));
            }
            catch (Exception e) when (e is InvalidDataException or WeightsException)
            {
                Assert.That(e.Message, Does.StartWith(path));
            }
        }

        static float[] Filled(int[] shape) => [.. Enumerable.Repeat(1f, shape.Aggregate(1, (product, size) => product * size))];
    }

    private static string[] Written(ViTConfig config, bool huggingFace = false) =>
        [.. (huggingFace ? WeightsExport.HuggingFace(config, name => Values(config, name))
            : WeightsExport.Official(config, name => Values(config, name)))
            .Select(entry => $"{entry.Name} ({string.Join(", ", entry.Shape.ToArray())})")];

    private static void Check(string path, ViTConfig config, int? heads)
    {
        using var file = WeightsFile.Open(path);
        var weights = ModelWeights.Find(file);
        Assert.That(weights.BackboneConfig(heads), Is.EqualTo(config));
        Assert.That(weights.Compare(new VisionTransformer(config)).IsWhole);
        foreach (var tensor in Tensors(config))
            Assert.That(weights.Values(tensor.Name, config), Is.EqualTo(Values(config, tensor.Name)), tensor.Name);
    }

    private static IEnumerable<ModuleTensor> Tensors(ViTConfig config)
    {
        var network = new VisionTransformer(config);
        return network.Parameters.Concat<ModuleTensor>(network.Buffers);
    }

    // The usual periods, a bias of the key where there is one, and other numbers of their own for every name.
    private static float[] Values(ViTConfig config, string name)
    {
        int count = Tensors(config).Single(tensor => tensor.Name == name).Shape.Count;
        if (name == "rope_embed.periods")
            return RotaryOp.Periods(count);
        int seed = name.Sum(c => c * 31);
        return [.. Enumerable.Range(0, count).Select(
            i => !config.KeyBias && name.EndsWith("qkv.bias", StringComparison.Ordinal)
            && i * 3 / count == 1 ? 0 : (float)(seed + i % 1009))];
    }
}
