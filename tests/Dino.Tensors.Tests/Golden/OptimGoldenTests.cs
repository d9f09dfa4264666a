using Dino.Tensors.Nn;
using Dino.Tensors.Optim;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Golden;

/// <summary>The optimizers on given gradients: clipping, weight decay, the last layer frozen at first, schedules.</summary>
[Category("Golden")]
public class OptimGoldenTests
{
    public static IEnumerable<TestCaseData> Cases =>
        Devices.Names.SelectMany(device => new[] { "adamw", "sgd", "lars" }.Select(kind => Devices.Case(device, kind)));

    [TestCaseSource(nameof(Cases))]
    public void Optimizer_GoesWhereTheReferenceGoes(string kind, string deviceName)
    {
        var set = GoldenSet.Open("optim");
        string[] names = [.. set.Config.GetProperty("parameters").EnumerateArray().Select(name => name.GetString()!)];
        int steps = set.Config.GetProperty("steps").GetInt32(), perEpoch = set.Config.GetProperty("steps_per_epoch").GetInt32();
        int frozenEpochs = set.Config.GetProperty("freeze_last_layer").GetInt32();
        double clip = set.Config.GetProperty("clip").GetDouble();
        double[] rates = set.Doubles($"lr.{kind}"), decays = set.Doubles("wd");
        float[][] history = [.. names.Select(name => new float[set[$"{kind}.{name}"].Count])];
        var norms = new List<float>();

        var device = Devices.Open(deviceName);
        using var parameters = new FlatParameters(
            new NamedTree(names.Select(name => (name, set[$"init.{name}"].Shape))), device, trainable: true);
        var lastLayer = new ParameterGroup(parameters.Parameters.Where(
            p => p.Name.Contains("last_layer", StringComparison.Ordinal)))
        { Holdable = true };
        using Optimizer optimizer = kind switch
        {
            "adamw" => new AdamW(parameters, [lastLayer]),
            "sgd" => new Sgd(parameters, [lastLayer]),
            _ => new Lars(parameters, [lastLayer]),
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
            optimizer.Step(rates[step], decays[step], clip, step / perEpoch < frozenEpochs ? [lastLayer] : []);
            for (int i = 0; i < names.Length; i++)
            {
                var value = parameters.Parameters[i].Value;
                value.CopyTo(history[i].AsSpan(step * value.Count, value.Count));
            }
            norms.AddRange(optimizer.Norms.ToArray());
        }

        double scale = deviceName.StartsWith("cpu", StringComparison.Ordinal) ? 1 : 10; // GPUs divide approximately
        for (int i = 0; i < names.Length; i++)
            set.Check<float>($"{kind}.{names[i]}", history[i], scale);
        set.Check<float>("norms", norms.ToArray(), scale);
    }
}
