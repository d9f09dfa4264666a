using Dino.Tensors;
using Dino.Testing.Runs;
using Dino.Train.Methods.Dino;
using NUnit.Framework;

namespace Dino.Train.Tests.Training;

/// <summary>What is said of a step whose weights have been overwritten since, as on a GPU that is read every few steps.</summary>
public class NonFiniteSearchTests
{
    [Test]
    public void AfterUpdate_NamesTheGradientThatTheBackwardPassReachesFirst()
    {
        using var device = Device.Open("cpu", new DeviceOptions { Strict = true });
        using var state = new Distillation(TinyRun.Options, device, stepsPerEpoch: 6);
        float[] norms = new float[state.Optimizer.Parameters.Count];
        norms[2] = float.NaN;
        norms[^4] = float.PositiveInfinity;

        Assert.That(
            NonFiniteSearch.AfterUpdate(state, 2.5f, norms),
            Does.StartWith($"the gradient of {state.Optimizer.Parameters[^4].Name} has the norm ").And.EndsWith("at a loss of 2.5"));
        Assert.That(NonFiniteSearch.AfterUpdate(state, float.NaN, norms), Does.StartWith("the loss is NaN"));
    }
}
