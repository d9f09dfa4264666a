using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class NonFiniteTests
{
    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void Count_FindsNaNsAndInfinities_AndNothingElse(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        foreach (int n in (int[])[1, 7, 4096, 4097, 10_001])
        {
            float[] x = [.. Enumerable.Range(0, n).Select(i => i % 3 == 0 ? float.MaxValue : i % 3 == 1 ? -0f : float.Epsilon)];
            Assert.That(NonFinite.Count(Tensor.From(device, x, new Shape(n))).Item(), Is.Zero, $"{n} finite elements");
            x[0] = float.NaN;
            x[n / 2] = float.NegativeInfinity;
            x[n - 1] = float.PositiveInfinity;
            Assert.That(NonFinite.Count(Tensor.From(device, x, new Shape(n))).Item(), Is.EqualTo(Math.Min(n, 3)),
                $"{n} elements, three not finite");
        }
    }
}
