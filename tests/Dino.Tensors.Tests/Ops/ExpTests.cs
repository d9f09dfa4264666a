using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class ExpTests : OpTests<ExpTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases => OpCase.RowLengths.Select(n => new OpCase("Exp", x => x[0].Exp(), new Shape(n))
    {
        Truth = x => Array.ConvertAll(x[0], v => Math.Exp(v)),
    });

    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void Limits_AreThoseOfPyTorch(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        float[] x = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0, -1];
        Assert.That(Tensor.From(device, x).Exp().ToArray()[..4], Is.EqualTo(new[] { float.NaN, float.PositiveInfinity, 0, 1 }));
    }
}
