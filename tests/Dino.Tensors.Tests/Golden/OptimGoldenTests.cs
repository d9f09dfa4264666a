using System.Text.Json;
using Dino.Tensors.Nn;
using Dino.Tensors.Optim;
using Dino.Tensors.Tests.Nn;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Golden;

/// <summary>The optimizers on given gradients: clipping, weight decay, the last layer frozen at first, schedules.</summary>
[Category("Golden")]
public class OptimGoldenTests
{
    [Test]
    public void Optimizer_GoesWhereTheReferenceGoes(
        [Values("cpu", "cpu:debug")] string deviceName, [Values("adamw", "sgd", "lars")] string kind)
    {
        var set = GoldenSet.Open("optim");
        string[] names = [.. set.Config.GetProperty("parameters").EnumerateArray().Select(name => name.GetString()!)];
        int steps = set.Config.GetProperty("steps").GetInt32(), perEpoch = set.Config.GetProperty("steps_per_epoch").GetInt32();
        int frozenEpochs = set.Config.GetProperty("freeze_last_layer").GetInt32();
        double clip = set.Config.GetProperty("clip").GetDouble();
        double[] rates = set.Doubles($"lr.{kind}"), decays = set.Doubles("wd");
        float[][] history = [.. names.Select(name => new float[set[$"{kind}.{name}"].Count])];
        var norms = new List<float>();

        using var device = Device.Open(deviceName, new DeviceOptions { Strict = true });
        using var parameters = new FlatParameters(new NamedTree(names.Select(name => (name, set[$"init.{name}"].Shape))), device, trainable: true);
        using Optimizer optimizer = kind switch
        {
            "adamw" => new AdamW(parameters),
            "sgd" => new Sgd(parameters),
            _ => new Lars(parameters),
        };
        for (int i = 0; i < names.Length; i++)
            parameters.Parameters[i].Value.CopyFrom(set.Floats($"init.{names[i]}"));
        for (int step = 0; step < steps; step++)
        {
            for (int i = 0; i < names.Length; i++)
            {
                var value = parameters.Parameters[i].Value;
                value.Grad!.CopyFrom(set.Floats($"grad.{names[i]}").AsSpan(step * value.Count, value.Count));
            }
            optimizer.Step(rates[step], decays[step], clip, cancelLastLayer: step / perEpoch < frozenEpochs);
            for (int i = 0; i < names.Length; i++)
            {
                var value = parameters.Parameters[i].Value;
                value.CopyTo(history[i].AsSpan(step * value.Count, value.Count));
            }
            norms.AddRange(optimizer.Norms.ToArray());
        }

        for (int i = 0; i < names.Length; i++)
            set.Check<float>($"{kind}.{names[i]}", history[i]);
        set.Check<float>("norms", norms.ToArray());
    }
}
