using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class SumTests : OpTests<SumTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        .. ReductionCases.All("Sum", x => x.Sum(), (x, d) => x.Sum(d), values => values.Sum()),
        new("Sum-kept", x => x[0].Sum(1, keepDim: true), new Shape(3, 7)) { Truth = x => [.. x[0].Chunk(7).Select(row => row.Sum())] },
    ];

    [Test]
    public void NoSuchDimension_IsRefused()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Assert.That(() => Tensor.Zeros(device, new Shape(2, 3)).Sum(2), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void Dimension_IsDropped()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        var x = Tensor.Zeros(device, new Shape(2, 3, 4, 5));
        Assert.That(x.Sum().Shape, Is.EqualTo(new Shape()));
        Assert.That(x.Sum(0).Shape, Is.EqualTo(new Shape(3, 4, 5)));
        Assert.That(x.Sum(1).Shape, Is.EqualTo(new Shape(2, 4, 5)));
        Assert.That(x.Sum(-2).Shape, Is.EqualTo(new Shape(2, 3, 5)));
        Assert.That(x.Sum(-1).Shape, Is.EqualTo(new Shape(2, 3, 4)));
        Assert.That(x.Sum(-2, keepDim: true).Shape, Is.EqualTo(new Shape(2, 3, 1, 5)));
        Assert.That(x.Mean(0, keepDim: true).Shape, Is.EqualTo(new Shape(1, 3, 4, 5)));
    }
}
