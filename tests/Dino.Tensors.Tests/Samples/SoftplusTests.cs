using Dino.Samples;
using Dino.Tensors.Tests.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Samples;

/// <summary>The elementwise op of the sample's assembly.</summary>
public class SoftplusTests : OpTests<SoftplusTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases => OpCase.RowLengths.Select(n => new OpCase("Softplus", x => x[0].Softplus(), new Shape(2, n))
    {
        Truth = x => Array.ConvertAll(x[0], v => Math.Log(1 + Math.Exp(v))),
    });

    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void FarFromZero_IsItsLimit(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        var y = Tensor.From(device, [200f, -200, float.NaN, float.PositiveInfinity, float.NegativeInfinity], new Shape(5)).Softplus();
        Assert.That(y.ToArray(), Is.EqualTo(new[] { 200, 0, float.NaN, float.PositiveInfinity, 0 }));
    }
}
