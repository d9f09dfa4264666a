using System.Text.Json;
using Dino.Tensors;
using Dino.Tensors.Nn;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Model.Tests;

/// <summary>The Vision Transformer against the set <c>vit</c>.</summary>
[Category("Golden")]
[TestFixtureSource(typeof(Devices), nameof(Devices.FastFixtures))]
public class VisionTransformerGoldenTests(string deviceName)
{
    private static readonly GoldenSet golden = GoldenSet.Open("vit");

    private static IEnumerable<string> Sizes => Tagged("sizes").Concat(Tagged("edge_sizes"));

    private static IEnumerable<string> GradientSizes => Tagged("grad_sizes");

    [TestCaseSource(nameof(Sizes))]
    public void Forward_GivesTheFeatures(string size)
    {
        using var network = new Network(deviceName);
        using var arena = network.Device.BeginArena();
        var images = network.Given($"x.{size}");

        Check($"cls.{size}", network.Vit.Forward(images));
        int n = golden.Config.GetProperty("layers").GetInt32();
        var layers = network.Vit.IntermediateLayers(images, n);
        golden.Check<float>($"inter_cls.{size}", layers.SelectMany(layer => network.Vit.FirstToken(layer).ToArray()).ToArray());
        Check($"tokens.{size}", layers[^1]);
        Check($"linear_features.{size}", network.Vit.LinearProbe(images, 1, averagePool: true));
        Check($"copy_features.{size}", network.Vit.CopyDetection(images));
    }

    [TestCaseSource(nameof(Sizes))]
    public void LastSelfAttention_GivesTheWeights(string size)
    {
        using var network = new Network(deviceName);
        using var arena = network.Device.BeginArena();

        var images = network.Given($"x.{size}");
        var weights = network.Vit.LastSelfAttention(images);
        var classRow = network.Vit.FirstTokenAttention(images);

        Check($"attn.{size}", weights);
        int n = weights.Shape[3];
        float[] all = weights.ToArray(), replaced = WithRowsFrom(classRow.ToArray(), all, n);
        if (golden.Contains($"attn.{size}"))
            golden.Check<float>($"attn.{size}", replaced);
        if (!golden.Contains($"attn_cls.{size}"))
            return;
        foreach (float[] values in (float[][])[all, replaced])
            golden.Check<float>($"attn_cls.{size}",
                [.. Enumerable.Range(0, values.Length / n / n).SelectMany(head => values.Skip(head * n * n).Take(n))]);
    }

    /// <summary>The weights with the class token's rows, its own key aside, as they were computed alone.</summary>
    private static float[] WithRowsFrom(float[] classRows, float[] weights, int n)
    {
        float[] replaced = [.. weights];
        for (int head = 0; head < classRows.Length / (n - 1); head++)
            classRows.AsSpan(head * (n - 1), n - 1).CopyTo(replaced.AsSpan(head * n * n + 1));
        return replaced;
    }

    [TestCaseSource(nameof(GradientSizes))]
    public void Backward_GivesTheGradients(string size)
    {
        using var network = new Network(deviceName);
        using var arena = network.Device.BeginArena();
        using var tape = new Tape(network.Device);
        var images = network.Given($"x.{size}");
        images.RequiresGrad = true;

        tape.Record();
        var cls = network.Vit.Forward(images);
        tape.Backward(cls, network.Given($"up.{size}"));

        Check($"gradx.{size}", images.Grad!);
        string prefix = $"grad.{size}.";
        var expected = golden.Tensors.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).ToList();
        Assert.That(expected, Is.Not.Empty);
        foreach (string name in expected)
            golden.Check<float>(name, network.Gradient(name[prefix.Length..]).ToArray());
    }

    [Test]
    public void StochasticDepth_DropsTheGivenBranches()
    {
        float rate = golden.Config.GetProperty("drop_path_last_block").GetSingle();
        string expected = golden.Tensors.Keys.Single(name => name.StartsWith("drop.cls.", StringComparison.Ordinal));
        using var network = new Network(deviceName, rate);
        using var arena = network.Device.BeginArena();

        Check(expected, network.Vit.Forward(
            network.Given("x." + expected["drop.cls.".Length..]),
            Pass.Evaluation with { Depth = new GivenStochasticDepth(golden.Floats("drop.keep")) }));
        var rates = golden.Config.GetProperty("drop_path_rates").EnumerateArray().Select(value => value.GetSingle());
        Assert.That(rates, Is.EqualTo(Enumerable.Range(0, network.Vit.Config.Depth).Select(network.Vit.Config.DropPathOf)).Within(1e-7f));
    }

    [Test]
    public void Sets_HoldEveryKindOfResult()
    {
        foreach (string kind in (string[])["cls.", "inter_cls.", "tokens.", "linear_features.", "copy_features.", "attn", "gradx."])
            Assert.That(golden.Tensors.Keys, Has.Some.StartsWith(kind), kind);
    }

    // Some results are there for some sizes only; the test above sees to it that none is missing altogether.
    private static void Check(string name, Tensor actual)
    {
        if (golden.Contains(name))
            golden.Check<float>(name, actual.ToArray());
    }

    private static IEnumerable<string> Tagged(string list) =>
        golden.Config.GetProperty(list).EnumerateArray().Select(size => $"{size[0].GetInt32()}x{size[1].GetInt32()}");

    private sealed class Network : IDisposable
    {
        private readonly FlatParameters parameters;

        public Network(string deviceName, float dropPath = 0)
        {
            Device = Devices.Open(deviceName);
            Vit = new VisionTransformer(ConfigOf(golden.Config) with { DropPathRate = dropPath });
            parameters = new FlatParameters(Vit, Device, trainable: true);
            parameters.Load(golden.Tensors.Values.Where(tensor => tensor.Name.StartsWith("w.", StringComparison.Ordinal))
                .Select(tensor => new HostTensor(tensor.Name[2..], Shape.Of(tensor.Shape), golden.Floats(tensor.Name))));
            parameters.ZeroGrad();
        }

        public Device Device { get; }

        public VisionTransformer Vit { get; }

        public Tensor Given(string name) => Tensor.From(Device, golden.Floats(name), Shape.Of(golden[name].Shape));

        public Tensor Gradient(string name) => parameters.Parameters.Single(parameter => parameter.Name == name).Value.Grad!;

        public void Dispose() => parameters.Dispose();

        private static ViTConfig ConfigOf(JsonElement config) => new()
        {
            ImageSize = config.GetProperty("image_size").GetInt32(),
            Patch = config.GetProperty("patch").GetInt32(),
            Dim = config.GetProperty("dim").GetInt32(),
            Depth = config.GetProperty("depth").GetInt32(),
            Heads = config.GetProperty("heads").GetInt32(),
            MlpRatio = config.GetProperty("mlp_ratio").GetSingle(),
            NormEps = config.GetProperty("norm_eps").GetSingle(),
        };
    }
}
