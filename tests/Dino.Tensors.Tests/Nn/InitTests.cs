using Dino.Tensors.Nn;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Nn;

/// <summary>First values, against the bounds and deviations of the papers.</summary>
public class InitTests
{
    private Device device = null!;

    [OneTimeSetUp]
    public void Open() => device = Device.Open("cpu", new DeviceOptions { Strict = true });

    [OneTimeTearDown]
    public void Close() => device.Dispose();

    /// <summary>PyTorch's linear layer: weights and bias uniform within ±1/√in.</summary>
    [Test]
    public void Linear_StartsAsInPyTorch()
    {
        const int In = 400;
        var linear = new Linear(In, 300);
        using var parameters = linear.On(device, seed: 1);
        foreach (var parameter in linear.Parameters)
            AssertUniform(parameter.Value.ToArray(), 1 / Math.Sqrt(In));
    }

    [Test]
    public void Linear_StartsAsIsSaid()
    {
        Linear first = new(20, 30, init: Init.Constant(2)), second = new(20, 30, init: Init.Ones, biasInit: Init.Constant(3));
        using FlatParameters a = first.On(device), b = second.On(device);
        Assert.That(first.Weight.Value.ToArray(), Is.All.EqualTo(2));
        Assert.That(first.Bias!.Value.ToArray(), Is.All.Zero);
        Assert.That(second.Bias!.Value.ToArray(), Is.All.EqualTo(3));
    }

    [Test]
    public void Kaiming_Xavier_Normal()
    {
        AssertUniform(Draw(Init.KaimingUniform(50)), 1 / Math.Sqrt(50));
        AssertUniform(Draw(Init.KaimingUniform(50, a: 0)), Math.Sqrt(6.0 / 50));
        AssertUniform(Draw(Init.XavierUniform(30, 120)), Math.Sqrt(6.0 / 150));
        AssertNormal(Draw(Init.KaimingNormal(50)), Math.Sqrt(2.0 / 50));
        AssertNormal(Draw(Init.Normal(3)), 3); // beyond ±2 too
        Assert.That(Draw(Init.Normal(3)).Max(), Is.GreaterThan(8));
        foreach (Action wrong in (Action[])[() => Init.KaimingUniform(0), () => Init.XavierUniform(0, 1), () => Init.Normal(0),
            () => Init.Uniform(float.NaN),
            () => Init.KaimingNormal(3, double.NaN)])
            Assert.That(wrong, Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    private float[] Draw(Init init)
    {
        using var parameters = new NamedTree([("w", [100, 200])], init: init).On(device, seed: 9, trainable: false);
        return parameters.Parameters[0].Value.ToArray();
    }

    private static void AssertUniform(float[] values, double bound)
    {
        Assert.That(values.Select(Math.Abs).Max(), Is.LessThanOrEqualTo(bound * 1.000001));
        if (values.Length >= 20_000)
            Assert.That(Math.Sqrt(values.Average(v => (double)v * v)), Is.EqualTo(bound / Math.Sqrt(3)).Within(2).Percent);
        Assert.That(values.Min(), Is.LessThan(-0.9 * bound));
    }

    private static void AssertNormal(float[] values, double deviation)
    {
        Assert.That(Math.Sqrt(values.Average(v => (double)v * v)), Is.EqualTo(deviation).Within(3).Percent);
        Assert.That(values.Average(), Is.EqualTo(0).Within(0.05 * deviation));
    }
}
