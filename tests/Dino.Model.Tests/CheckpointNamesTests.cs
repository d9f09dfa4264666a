using Dino.Tensors;
using Dino.Tensors.Nn;
using NUnit.Framework;

namespace Dino.Model.Tests;

/// <summary>Names, shapes and counts of the official checkpoints (dino-facts, sections 1.3 and 4).</summary>
public class CheckpointNamesTests
{
    [TestCase("vit_tiny", 16, 5_524_416)]
    [TestCase("vit_small", 16, 21_665_664)]
    [TestCase("vit_base", 16, 85_798_656)]
    [TestCase("vit_tiny", 8, 5_526_720)]
    [TestCase("vit_small", 8, 21_670_272)]
    [TestCase("vit_base", 8, 85_807_872)]
    public void Backbone_HasThePublishedParameterCount(string arch, int patch, long count)
    {
        var vit = new VisionTransformer(ViTConfig.Named(arch, patch));

        Assert.That(vit.Parameters.Sum(parameter => (long)parameter.Shape.Count), Is.EqualTo(count));
        Assert.That(vit.Parameters.Count(), Is.EqualTo(150));
    }

    [Test]
    public void Backbone_HasTheOfficialNames()
    {
        var vit = new VisionTransformer(new ViTConfig { ImageSize = 16, Patch = 4, Dim = 8, Depth = 1, Heads = 2 });

        Assert.That(vit.Parameters.Select(p => $"{p.Name} {p.Shape}"), Is.EqualTo((string[])
        [
            "cls_token (1, 1, 8)", "pos_embed (1, 17, 8)", "patch_embed.proj.weight (8, 3, 4, 4)", "patch_embed.proj.bias (8)",
            "blocks.0.norm1.weight (8)", "blocks.0.norm1.bias (8)", "blocks.0.attn.qkv.weight (24, 8)", "blocks.0.attn.qkv.bias (24)",
            "blocks.0.attn.proj.weight (8, 8)", "blocks.0.attn.proj.bias (8)", "blocks.0.norm2.weight (8)", "blocks.0.norm2.bias (8)",
            "blocks.0.mlp.fc1.weight (32, 8)", "blocks.0.mlp.fc1.bias (32)", "blocks.0.mlp.fc2.weight (8, 32)", "blocks.0.mlp.fc2.bias (8)",
            "norm.weight (8)", "norm.bias (8)",
        ]));
    }

    [TestCase(384, 22_286_592)]
    [TestCase(192, 21_893_376)]
    [TestCase(768, 23_073_024)]
    public void Head_HasThePublishedParameterCount(int dim, long count)
    {
        var head = new DinoHead(dim, new DinoHeadConfig());

        Assert.That(head.Parameters.Where(p => p.Name != "last_layer.weight_g").Sum(p => (long)p.Shape.Count), Is.EqualTo(count));
        Assert.That(head.Parameters.Select(p => p.Name), Is.SupersetOf((string[])
            ["mlp.0.weight", "mlp.0.bias", "mlp.2.weight", "mlp.4.bias", "last_layer.weight_g", "last_layer.weight_v"]));
    }

    [Test]
    public void Initialisation_FollowsTheReference()
    {
        using var device = Device.Open("cpu");
        var model = new MultiCropModel(
            new ViTConfig { ImageSize = 32, Patch = 8, Dim = 96, Depth = 1, Heads = 3 },
            new DinoHeadConfig { OutDim = 512, HiddenDim = 128, BottleneckDim = 64 });
        using var parameters = new FlatParameters(model, device, trainable: false);
        parameters.Initialize(seed: 3);
        float[] Values(string name) => parameters.Parameters.Single(p => p.Name == name).Value.ToArray();

        Assert.That(Deviation(Values("backbone.blocks.0.attn.qkv.weight")), Is.EqualTo(0.02).Within(0.0005));
        Assert.That(Deviation(Values("backbone.pos_embed")), Is.EqualTo(0.02).Within(0.001));
        Assert.That(Values("backbone.blocks.0.attn.qkv.bias"), Is.All.Zero);
        Assert.That(Values("backbone.norm.weight"), Is.All.EqualTo(1f));
        // Left by the reference as torch makes them: uniform within 1/√(inputs).
        float patch = 1 / MathF.Sqrt(3 * 8 * 8), prototypes = 1 / MathF.Sqrt(64);
        Assert.That(Values("backbone.patch_embed.proj.weight").Max(), Is.EqualTo(patch).Within(0.01 * patch));
        Assert.That(Values("backbone.patch_embed.proj.weight").Min(), Is.EqualTo(-patch).Within(0.01 * patch));
        Assert.That(Values("backbone.patch_embed.proj.bias").Any(value => value != 0));
        Assert.That(Values("head.last_layer.weight_v").Max(), Is.EqualTo(prototypes).Within(0.01 * prototypes));
        Assert.That(Values("head.last_layer.weight_g"), Is.All.EqualTo(1f));
    }

    private static double Deviation(float[] values)
    {
        double mean = values.Average();
        return Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
    }
}
