using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class ExpandTests : OpTests<ExpandTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        Of(new Shape(), new Shape(3)), Of(new Shape(1), new Shape(37)), Of(new Shape(3, 1), new Shape(3, 5)),
            Of(new Shape(1, 19), new Shape(7, 19)),
        Of(new Shape(5), new Shape(2, 3, 5)), Of(new Shape(2, 1, 3), new Shape(2, 4, 3)), Of(new Shape(2, 1, 3, 1), new Shape(2, 4, 3, 5)),
        Of(new Shape(1, 3, 1, 2), new Shape(2, 3, 4, 2)), Of(new Shape(3), new Shape(1, 1, 3)), Of(new Shape(2, 3), new Shape(2, 3)),
    ];

    [Test]
    public void WhatDoesNotRepeat_IsRefused()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        var x = Tensor.Zeros(device, new Shape(2, 3));
        foreach (var shape in (Shape[])[new(3), new(3, 3), new(2, 6), new(2, 3, 1)])
            Assert.That(() => x.Expand(shape), Throws.ArgumentException.With.Message.Contains("(2, 3)").And.Message.Contains($"{shape}"));
    }

    private static OpCase Of(Shape x, Shape shape) => new($"Expand to {shape} of", v => v[0].Expand(shape), x)
    {
        Truth = v => [.. Enumerable.Range(0, shape.Count).Select(i => v[0][BroadcastCases.At(x, shape.ToArray(), i)])],
    };
}
