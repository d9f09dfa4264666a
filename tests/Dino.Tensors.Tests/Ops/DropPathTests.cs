using Dino.Tensors.Ops;
using Dino.Tensors.Random;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class DropPathTests
{
    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void KeepMask_IsPhiloxOfItsArguments(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        const ulong Seed = 0x0123456789abcdef;
        float[] keep = DropPath.KeepMask(device, 37, 0.3f, Seed, step: 70000, layer: 11, branch: 1).ToArray();
        float[] expected = [.. Enumerable.Range(0, 37).Select(sample =>
            Philox.ToUnit(Philox.Block((uint)sample, 70000, 11, 1, 0x89abcdef, 0x01234567).X0) < 0.3f ? 0 : 1 / 0.7f)];
        Assert.That(keep, Is.EqualTo(expected));
    }

    [Test]
    public void KeepMask_DropsAtTheRate_AndKeepsTheMean()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        float[] keep = DropPath.KeepMask(device, 100_000, 0.1f, seed: 1, step: 2, layer: 3, branch: 0).ToArray();
        // Five standard deviations of a binomial share: 5 · √(0.1 · 0.9 / 100,000).
        Assert.That(keep.Count(k => k == 0) / 100_000.0, Is.EqualTo(0.1).Within(0.005));
        Assert.That(keep.Average(), Is.EqualTo(1).Within(0.006));
    }

    [Test]
    public void KeepMask_DiffersByStepLayerAndBranch_AndRateZeroKeepsAll()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        float[] Mask(float rate, uint step, uint layer, uint branch) =>
            DropPath.KeepMask(device, 64, rate, 5, step, layer, branch).ToArray();
        float[][] masks = [Mask(0.5f, 0, 0, 0), Mask(0.5f, 1, 0, 0), Mask(0.5f, 0, 1, 0), Mask(0.5f, 0, 0, 1)];
        Assert.That(masks.Select(m => string.Join(',', m)), Is.Unique);
        Assert.That(Mask(0, 0, 0, 0), Has.All.EqualTo(1));
        Assert.That(() => Mask(1, 0, 0, 0), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void KeepMask_OfGivenDecisions_IsScaled()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Assert.That(DropPath.KeepMask(device, [1, 0, 1], 0.75f).ToArray(), Is.EqualTo(new float[] { 4, 0, 4 }));
    }
}
