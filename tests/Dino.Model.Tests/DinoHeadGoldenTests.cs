using System.Text.Json;
using Dino.Tensors;
using Dino.Tensors.Nn;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Model.Tests;

/// <summary>The projection head against the set <c>head</c>.</summary>
[Category("Golden")]
[TestFixtureSource(typeof(Devices), nameof(Devices.Fixtures))]
public class DinoHeadGoldenTests(string deviceName)
{
    private static readonly GoldenSet golden = GoldenSet.Open("head");

    private static IEnumerable<string> Kinds => golden.Config.GetProperty("kinds").EnumerateObject().Select(kind => kind.Name);

    [TestCaseSource(nameof(Kinds))]
    public void Forward_And_Backward_GiveLogitsAndGradients(string kind)
    {
        using var head = new Loaded(deviceName, kind);
        using var arena = head.Device.BeginArena();
        using var tape = new Tape(head.Device);
        if (golden.Contains($"out.{kind}_eval"))
            golden.Check<float>($"out.{kind}_eval", head.Module.Forward(head.Given("x"), Pass.Evaluation).ToArray());
        var x = head.Given("x");
        x.RequiresGrad = true;

        tape.Record();
        var logits = head.Module.Forward(x, new Pass(Training: true, OneRank.Instance));
        golden.Check<float>($"out.{kind}", logits.ToArray());
        if (!golden.Contains($"gradx.{kind}"))
            return;
        tape.Backward(logits, head.Given("up"));

        golden.Check<float>($"gradx.{kind}", x.Grad!.ToArray());
        foreach (string name in Expected($"grad.{kind}."))
            golden.Check<float>($"grad.{kind}.{name}", head.Parameters.Parameters.Single(p => p.Name == name).Value.Grad!.ToArray());
        foreach (var parameter in head.Parameters.Parameters)
            Assert.That(parameter.Value.Grad is not null, Is.EqualTo(golden.Contains($"grad.{kind}.{parameter.Name}")), parameter.Name);
        foreach (string name in Expected($"after.{kind}."))
            golden.Check<float>($"after.{kind}.{name}", head.Parameters.Buffers.Single(b => b.Name == name).Value.ToArray());
    }

    private static IEnumerable<string> Expected(string prefix) =>
        golden.Tensors.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Select(name => name[prefix.Length..]);

    private sealed class Loaded : IDisposable
    {
        public Loaded(string deviceName, string kind)
        {
            var config = golden.Config;
            var flags = config.GetProperty("kinds").GetProperty(kind);
            Device = Devices.Open(deviceName);
            Module = new DinoHead(config.GetProperty("dim").GetInt32(), new DinoHeadConfig
            {
                OutDim = config.GetProperty("out").GetInt32(),
                HiddenDim = config.GetProperty("hidden").GetInt32(),
                BottleneckDim = config.GetProperty("bottleneck").GetInt32(),
                Layers = flags.TryGetProperty("nlayers", out var layers) ? layers.GetInt32() : config.GetProperty("nlayers").GetInt32(),
                UseBatchNorm = IsSet(flags, "use_bn"),
                NormLastLayer = IsSet(flags, "norm_last_layer"),
            });
            Parameters = new FlatParameters(Module, Device, trainable: true);
            string own = $"w.{kind}.";
            // Kinds that differ in what is trained alone share their weights with the frozen one.
            string prefix = Expected(own).Any() ? own : "w.frozen_g.";
            Parameters.Load(Expected(prefix)
                .Where(name => !name.EndsWith("num_batches_tracked", StringComparison.Ordinal))
                .Select(name => new HostTensor(name, Shape.Of(golden[prefix + name].Shape), golden.Floats(prefix + name))));
            Parameters.ZeroGrad();
        }

        public Device Device { get; }

        public DinoHead Module { get; }

        public FlatParameters Parameters { get; }

        public Tensor Given(string name) => Tensor.From(Device, golden.Floats(name), Shape.Of(golden[name].Shape));

        public void Dispose() => Parameters.Dispose();

        private static bool IsSet(JsonElement flags, string name) => flags.TryGetProperty(name, out var value) && value.GetBoolean();
    }
}
