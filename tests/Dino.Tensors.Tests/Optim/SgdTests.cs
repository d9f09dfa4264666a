using Dino.Tensors.Nn;
using Dino.Tensors.Optim;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Optim;

public class SgdTests : OptimizerTests
{
    [Test]
    public void HugeGradient_IsClippedToItsLength()
    {
        using var device = Device.Open("cpu", new DeviceOptions { Strict = true });
        using var parameters = Parameters(device, [("w", [2, 3000])]);
        using var optimizer = new Sgd(parameters);
        float[] gradients = [.. parameters.CompleteGradients().ToArray().Select(g => g * 1e25f)];
        parameters.CompleteGradients().CopyFrom(gradients);
        float[] before = parameters.Values.ToArray();
        double clip = Math.Sqrt(gradients.Sum(g => (double)g * g)) / 4;

        optimizer.Step(1 / clip, clip: clip);

        Assert.That(parameters.Values.ToArray().Zip(before, (a, b) => (double)a - b).Sum(d => d * d), Is.EqualTo(1).Within(1e-4));
    }

    protected override Optimizer Make(FlatParameters parameters, IReadOnlyList<ParameterGroup> groups) => new Sgd(parameters, groups);
}
