using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class ReshapeTests : OpTests<ReshapeTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        new("Reshape", x => x[0].Reshape(new Shape(3, 4)), new Shape(2, 6)) { Truth = x => x[0] },
        new("Reshape", x => x[0].Reshape(new Shape(2, 3, 1, 2)), new Shape(12)) { Truth = x => x[0] },
        new("Reshape", x => x[0].Reshape(new Shape()), new Shape(1, 1)) { Truth = x => x[0] },
    ];

    [Test]
    public void Result_HasTheShapeAndTheMemory()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        var x = Tensor.Zeros(device, new Shape(2, 6));
        long used = device.Pool.UsedBytes;
        Assert.That(x.Reshape(new Shape(4, 3)).Shape, Is.EqualTo(new Shape(4, 3)));
        Assert.That(device.Pool.UsedBytes, Is.EqualTo(used));
    }

    [Test]
    public void AnotherNumberOfElements_IsRefused()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        var x = Tensor.Zeros(device, new Shape(2, 6));
        Assert.That(() => x.Reshape(new Shape(5)), Throws.ArgumentException.With.Message.Contains("(5)").And.Message.Contains("(2, 6)"));
    }
}
