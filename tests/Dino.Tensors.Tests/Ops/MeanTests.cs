using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class MeanTests : OpTests<MeanTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases => ReductionCases.All("Mean", x => x.Mean(), (x, d) => x.Mean(d), values => values.Average());

    [Test]
    public void MeanOfNothing_IsRefused()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        var x = Tensor.Zeros(device, new Shape(2, 0));
        Assert.That(() => x.Mean(), Throws.ArgumentException);
        Assert.That(() => x.Mean(1), Throws.ArgumentException);
    }
}
