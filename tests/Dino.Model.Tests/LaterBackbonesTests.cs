using Dino.Tensors;
using Dino.Tensors.Nn;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Model.Tests;

/// <summary>Networks with the parts of DINOv2 and DINOv3 against their papers in double precision, forward and backward.</summary>
[TestFixtureSource(typeof(Devices), nameof(Devices.FastFixtures))]
public class LaterBackbonesTests(string deviceName)
{
    private static readonly ViTConfig dino = new() { ImageSize = 20, Patch = 4, Dim = 24, Depth = 2, Heads = 2 };
    private static readonly ViTConfig dinoV2 = dino with { LayerScale = true };
    private static readonly ViTConfig dinoV3 = dino
        with
    { LayerScale = true, Rotary = true, Registers = 4, KeyBias = false, NormEps = 1e-5f, Dim = 16 };

    private static readonly (string Name, ViTConfig Config)[] networks =
    [
        ("DINO", dino),
        ("DINOv2", dinoV2),
        ("DINOv2 with registers", dinoV2 with { Registers = 4 }),
        ("DINOv2 with registers and SwiGLU", dinoV2 with { Registers = 1, SwiGlu = true, MlpRatio = 64 / 24f }),
        ("SwiGLU without LayerScale", dino with { SwiGlu = true, MlpRatio = 2 }),
        ("DINOv3", dinoV3),
        ("DINOv3 without LayerScale or registers", dinoV3 with { LayerScale = false, Registers = 0 }),
        ("DINOv3 7B's parts", dinoV3 with { QkvBias = false, SwiGlu = true, UntiedNorms = true }),
    ];

    // The grid of the table, a smaller and a larger one, and no square.
    public static IEnumerable<TestCaseData> Pictures =>
        from network in networks
        from size in new (int Height, int Width)[] { (20, 20), (8, 12), (28, 24) }
        select new TestCaseData(network.Config, size.Height, size.Width).SetArgDisplayNames(network.Name, $"{size.Height}x{size.Width}");

    public static IEnumerable<TestCaseData> Networks =>
        networks.Select(network => new TestCaseData(network.Config).SetArgDisplayNames(network.Name));

    [TestCaseSource(nameof(Pictures))]
    public void Tokens_AreThoseOfTheFormulas(ViTConfig config, int height, int width)
    {
        using var network = new Network(config, Devices.Open(deviceName), trainable: false);
        using var arena = network.Device.BeginArena();
        float[] image = network.Image(height, width);
        var images = Tensor.From(network.Device, image, new Shape(1, 3, height, width));
        double[][] expected = network.Reference.Tokens([.. image], height, width);

        Check(network.Vit.IntermediateLayers(images, 1)[0], expected.SelectMany(token => token), "tokens");
        Check(network.Vit.Forward(images), expected[0], "class token");
        var patches = expected.Skip(config.FirstPatch).ToArray();
        Check(network.Vit.LinearProbe(images, 1, averagePool: true),
            expected[0].SelectMany((value, i) => new[] { value, patches.Average(patch => patch[i]) }), "with the mean patch");
        Check(network.Vit.Patches(network.Vit.IntermediateLayers(images, 1)[0]), patches.SelectMany(patch => patch), "patches");
        int tokens = expected.Length;
        float[] weights = network.Vit.LastSelfAttention(images).ToArray();
        Assert.That(weights, Has.Length.EqualTo(config.Heads * tokens * tokens));
        double[] rows = [.. network.Reference.ClassAttention([.. image], height, width).SelectMany(row => row)];
        Tolerance.Balanced.Check<float>([.. Enumerable.Range(0, config.Heads)
            .SelectMany(head => weights.Skip(head * tokens * tokens).Take(tokens))], [.. rows.Select(value => (float)value)], "attention");
    }

    /// <summary>
    /// Against differences of the formulas along random directions through all parameters, with and without computing blocks again.
    /// </summary>
    [TestCaseSource(nameof(Networks))]
    public void Gradients_AreThoseOfTheFormulas(ViTConfig config)
    {
        const int height = 8, width = 12;
        using var network = new Network(config, Devices.Open(deviceName), trainable: true);
        using var arena = network.Device.BeginArena();
        using var tape = new Tape(network.Device);
        float[] image = network.Image(height, width);
        double[] seed = [.. Enumerable.Range(0, config.Dim).Select(i => Math.Cos(i))];
        var directions = network.Vit.Parameters.ToDictionary(parameter => parameter.Name, parameter =>
        {
            var random = new Random(parameter.Shape.Count);
            return Enumerable.Range(0, parameter.Shape.Count).Select(_ => random.NextDouble() * 2 - 1).ToArray();
        });
        double Loss(string name, double step) =>
            network.Moved(name, directions[name], step).Tokens([.. image], height, width)[0].Zip(seed, (value, weight) => value * weight)
                .Sum();
        var expected = directions.Keys.ToDictionary(name => name, name => (Loss(name, 1e-5) - Loss(name, -1e-5)) / 2e-5);
        foreach (bool recompute in (bool[])[false, true])
        {
            network.Parameters.CompleteGradients().Fill(0);
            tape.Record();
            var y = network.Vit.Forward(
                Tensor.From(network.Device, image, new Shape(1, 3, height, width)), Pass.Evaluation with { Recompute = recompute });
            tape.Backward(y, Tensor.From(network.Device, [.. seed.Select(value => (float)value)], y.Shape));
            foreach (var parameter in network.Vit.Parameters)
            {
                double found = parameter.Value.Grad!.ToArray().Zip(directions[parameter.Name], (gradient, along) => gradient * along).Sum();
                Assert.That(found, Is.EqualTo(expected[parameter.Name]).Within(2e-3 * Math.Abs(expected[parameter.Name]) + 2e-4),
                    parameter.Name);
            }
        }
    }

    [Test]
    public void FirstValues_ArePeriodsOfAHundred_AndGammasNearZero()
    {
        using var network = new Network(dinoV3, Devices.Open(deviceName), trainable: false, fill: false);
        network.Parameters.Initialize(seed: 1);
        Assert.That(network.Vit.Buffers.Single().Value.ToArray(), Is.EqualTo(new float[] { 1, 10 }).Within(1e-6), "100^0, 100^(1/2)");
        Assert.That(network.Vit.Parameters.Single(parameter => parameter.Name == "blocks.1.ls2.gamma").Value.ToArray(),
            Is.All.EqualTo(1e-5f));
    }

    private static void Check(Tensor found, IEnumerable<double> expected, string what) =>
        new Tolerance(1e-5, 1e-5).Check<float>(found.ToArray(), [.. expected.Select(value => (float)value)], what);

    private sealed class Network : IDisposable
    {
        private readonly Dictionary<string, double[]> values = [];

        public Network(ViTConfig config, Device device, bool trainable, bool fill = true)
        {
            (Device, Config, Vit) = (device, config, new VisionTransformer(config));
            Parameters = new FlatParameters(Vit, device, trainable);
            var random = new Random(7);
            foreach (var tensor in fill ? Vit.Parameters.Concat<ModuleTensor>(Vit.Buffers) : [])
            {
                float[] numbers = [.. Enumerable.Range(0, tensor.Shape.Count)
                    .Select(_ => (float)(random.NextDouble() * 2 - 1) * (tensor.Shape.Rank > 1 ? 0.4f : 0.5f))];
                if (tensor.Name.Contains("norm", StringComparison.Ordinal) && tensor.Name.EndsWith("weight", StringComparison.Ordinal))
                    numbers = [.. numbers.Select(number => 1 + number)];
                if (tensor.Name == "rope_embed.periods")
                    numbers = [.. numbers.Select((_, i) => 1.1f + 3 * i)];
                tensor.Value.CopyFrom(numbers);
                values[tensor.Name] = [.. numbers];
            }
        }

        public Device Device { get; }

        public ViTConfig Config { get; }

        public VisionTransformer Vit { get; }

        public FlatParameters Parameters { get; }

        public ReferenceViT Reference => new(Config, values);

        public float[] Image(int height, int width)
        {
            var random = new Random(height);
            return [.. Enumerable.Range(0, 3 * height * width).Select(_ => (float)(random.NextDouble() * 4 - 2))];
        }

        public ReferenceViT Moved(string name, double[] direction, double step) =>
            new(Config, new Dictionary<string, double[]>(
                values)
            { [name] = [.. values[name].Zip(direction, (value, along) => value + step * along)] });

        public void Dispose() => Parameters.Dispose();
    }
}
