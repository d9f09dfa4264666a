using Dino.Tensors.Nn;
using Dino.Tensors.Optim;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Optim;

public class LarsTests : OptimizerTests
{
    /// <summary>A step depends on the gradient's direction alone.</summary>
    [TestCase(1e25f)]
    [TestCase(1e-25f)]
    public void Step_HasTheLengthOfTheParameter_TimesTrust(float size)
    {
        using var device = Device.Open("cpu", new DeviceOptions { Strict = true });
        using var parameters = Parameters(device, [("w", [2, 3000])]);
        using var optimizer = new Lars(parameters);
        parameters.CompleteGradients().CopyFrom([.. parameters.CompleteGradients().ToArray().Select(g => g * size)]);
        float[] before = parameters.Values.ToArray();

        optimizer.Step(0.1);

        double moved = Math.Sqrt(parameters.Values.ToArray().Zip(before, (a, b) => (double)a - b).Sum(d => d * d));
        Assert.That(moved, Is.EqualTo(0.1 * 0.001 * Math.Sqrt(before.Sum(p => (double)p * p))).Within(0.01).Percent);
    }

    protected override Optimizer Make(FlatParameters parameters, IReadOnlyList<ParameterGroup> groups) => new Lars(parameters, groups);
}
