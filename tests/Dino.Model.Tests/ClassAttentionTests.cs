using Dino.Tensors;
using Dino.Tensors.Nn;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Model.Tests;

/// <summary>
/// Where the class token looks is its row of the whole attention: for every generation of network, without the tokens that are no patches.
/// </summary>
public class ClassAttentionTests
{
    [TestCase(ViTFamily.Dino)]
    [TestCase(ViTFamily.DinoV2)]
    [TestCase(ViTFamily.DinoV3)]
    public void IsTheFirstRowOfTheWholeAttention(ViTFamily family)
    {
        var config = new ViTConfig
        {
            ImageSize = 32,
            Patch = 8,
            Dim = 24,
            Depth = 2,
            Heads = 3,
            Registers = family == ViTFamily.Dino ? 0 : 4,
            LayerScale = family != ViTFamily.Dino,
            Rotary = family == ViTFamily.DinoV3,
        };
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        var backbone = new VisionTransformer(config);
        using var parameters = new FlatParameters(backbone, device, trainable: false);
        parameters.Initialize(3);
        var random = new System.Random(1);
        var images = Tensor.From(device, [.. Enumerable.Range(0, 2 * 3 * 24 * 40).Select(_ => random.NextSingle() * 4 - 2)],
            new Shape(2, 3, 24, 40));

        var row = backbone.FirstTokenAttention(images);
        var all = backbone.LastSelfAttention(images);

        const int patches = 3 * 5;
        Assert.That(row.Shape, Is.EqualTo(new Shape(2, 3, patches)));
        int n = all.Shape[3];
        float[] weights = all.ToArray();
        float[] expected = [.. Enumerable.Range(0, 2 * 3).SelectMany(head => weights.Skip(head * n * n + n - patches).Take(patches))];
        Tolerance.Balanced.Check<float>(row.ToArray(), expected, "class token's row");
    }
}
