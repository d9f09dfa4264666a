using Dino.Samples;
using Dino.Tensors.Nn;
using Dino.Tensors.Optim;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Samples;

/// <summary>The optimizer of the sample's assembly.</summary>
public class LionTests : OptimizerTests
{
    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void Steps_FollowTheFormula(string name)
    {
        var device = Devices.Open(name);
        var module = new Linear(5, 1000, bias: false);
        using var parameters = module.On(device, seed: 3);
        using var optimizer = new Lion(parameters, beta1: 0.9f, beta2: 0.99f);
        double[] p = Array.ConvertAll(module.Weight.Value.ToArray(), v => (double)v), m = new double[p.Length];
        var random = new System.Random(4);
        for (int step = 0; step < 3; step++)
        {
            float[] g = [.. p.Select(_ => random.NextSingle() - 0.5f)];
            parameters.ZeroGrad();
            parameters.CompleteGradients().CopyFrom([.. g, .. new float[parameters.ParameterLength - g.Length]]);
            optimizer.Step(0.01, weightDecay: 0.1);
            for (int i = 0; i < p.Length; i++)
            {
                p[i] -= 0.01 * (Math.Sign(0.9 * m[i] + 0.1 * g[i]) + 0.1 * p[i]);
                m[i] = 0.99 * m[i] + 0.01 * g[i];
            }
        }
        Tolerance.Balanced.Check<double>([.. module.Weight.Value.ToArray().Select(v => (double)v)], p, $"Lion on {name}");
    }

    protected override Optimizer Make(FlatParameters parameters, IReadOnlyList<ParameterGroup> groups) => new Lion(parameters, groups);
}
