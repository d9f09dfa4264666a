using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class CentreUpdateTests
{
    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void Run_MovesTheCentreTowardsTheMean(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        var random = new System.Random(5);
        const int Rows = 7, K = 131;
        float[] c = [.. Enumerable.Range(0, K).Select(_ => random.NextSingle())],
            t = [.. Enumerable.Range(0, Rows * K).Select(_ => random.NextSingle())];
        var centre = Tensor.From(device, c, new Shape(1, K));
        CentreUpdate.Run(centre, Tensor.From(device, t, new Shape(Rows, K)), 0.9f);
        double[] expected = [.. c.Select((v, k) => 0.9 * v + 0.1 * Enumerable.Range(0, Rows).Average(i => (double)t[i * K + k]))];
        Tolerance.Balanced.Check<double>([.. centre.ToArray().Select(v => (double)v)], expected, "centre");
    }

    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void Norm_IsTheLength(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        float[] c = [.. Enumerable.Range(0, 9001).Select(i => i % 5 - 2f)];
        Assert.That(CentreUpdate.Norm(Tensor.From(device, c, new Shape(9001))).Item(),
            Is.EqualTo(Math.Sqrt(c.Sum(v => v * v))).Within(1e-3));
    }
}
