using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class SqrtTests : OpTests<SqrtTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases => OpCase.RowLengths.Select(n => new OpCase("Sqrt", x => x[0].Sqrt(), new Shape(n))
    {
        Truth = x => Array.ConvertAll(x[0], v => Math.Sqrt(v)),
        Input = (_, v) => MathF.Abs(v) + 0.5f,
    });

    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void Limits_AreThoseOfPyTorch(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        float[] x = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0, -1];
        Assert.That(Tensor.From(device, x).Sqrt().ToArray(),
            Is.EqualTo(new[] { float.NaN, float.PositiveInfinity, float.NaN, 0, float.NaN }));
    }
}
