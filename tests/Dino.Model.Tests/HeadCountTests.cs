using Dino.Model.Weights;
using Dino.Tensors.Io;
using NUnit.Framework;

namespace Dino.Model.Tests;

/// <summary>The number of attention heads is in no shape: it is stated, given, or assumed aloud, and never guessed.</summary>
public class HeadCountTests
{
    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("dino-heads-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, recursive: true);

    [TestCase(192, 3)]
    [TestCase(384, 6)]
    [TestCase(768, 12)]
    [TestCase(1024, 16)]
    public void PublishedWidths_AreAssumed_AndSaid(int dim, int heads)
    {
        using var file = File(null);
        var count = ModelWeights.Find(file).Heads(dim);
        Assert.That(count, Is.EqualTo(new HeadCount(heads, HeadSource.Assumed)));
        Assert.That(count.Warning(file.Path, dim), Does.Contain(file.Path).And.Contain($"{heads} are assumed").And.Contain("`Heads`"));
    }

    [TestCase(32)]
    [TestCase(128)]
    [TestCase(256)]
    [TestCase(512)]
    [TestCase(1280)] // ViT-H has 16 heads of 80, DINOv3's has 20 of 64
    public void OtherWidths_AreRefused(int dim)
    {
        using var file = File(null);
        var weights = ModelWeights.Find(file);
        Assert.That(() => weights.Heads(dim), Throws.TypeOf<WeightsException>().With.Message.Contains("`Heads`"));
        Assert.That(weights.Heads(dim, 4), Is.EqualTo(new HeadCount(4, HeadSource.Given)));
        Assert.That(weights.Heads(dim, 4).Warning(file.Path, dim), Is.Null);
    }

    [TestCase("a.safetensors")]
    [TestCase("a.pth")]
    public void WhatTheFileStates_IsNotContradicted(string name)
    {
        using var file = File("2", name);
        var weights = ModelWeights.Find(file);
        Assert.That(weights.Heads(32), Is.EqualTo(new HeadCount(2, HeadSource.File)));
        Assert.That(weights.Heads(32, 2), Is.EqualTo(new HeadCount(2, HeadSource.File)));
        Assert.That(() => weights.Heads(32, 4),
            Throws.TypeOf<WeightsException>().With.Property("Fault").EqualTo(WeightsFault.HeadsContradicted)
            .With.Message.Contains("`Heads` 4").And.Message.Contains("2 heads"));
    }

    [TestCase("0")]
    [TestCase("-1")]
    [TestCase("two")]
    [TestCase("99999999999")]
    [TestCase("3")] // does not divide
    public void WhatTheFileStates_IsNotBelieved(string text)
    {
        using var file = File(text);
        Assert.That(() => ModelWeights.Find(file).Heads(32), Throws.TypeOf<WeightsException>());
    }

    [TestCase(float.NaN)]
    [TestCase(float.PositiveInfinity)]
    public void ValuesThatAreNoNumbers_AreNamed(float value)
    {
        using var file = File(null, value: value);
        var weights = ModelWeights.Find(file);
        Assert.That(() => weights.Values(weights.Backbone["cls_token"]),
            Throws.TypeOf<WeightsException>().With.Message.Contains(
            "1 of the 8 values of cls_token are NaN or infinite, the first at place 2"));
    }

    private WeightsFile File(string? heads, string name = "a.safetensors", float value = 0)
    {
        string path = Path.Combine(folder, name);
        TensorEntry[] entries = [TensorEntry.Of("cls_token", [1, 1, 8], new[] { 0, 0, value, 0, 0, 0, 0, 0 }),
            TensorEntry.Of("patch_embed.proj.weight", [8, 1, 1, 1], new float[8])];
        Dictionary<string, string> metadata = heads is null ? [] : new() { [HeadCount.MetadataKey] = heads };
        if (path.EndsWith(".pth", StringComparison.Ordinal))
            PyTorchFile.Write(path, entries, metadata);
        else
            SafetensorsFile.Write(path, entries, metadata);
        return WeightsFile.Open(path);
    }
}
