using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class LinearTests : OpTests<LinearTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        .. OpCase.RowLengths.Select(n => Map(new Shape(3, 5), n, bias: true)),
        Map(new Shape(2, 3, 37), 6, bias: true),
        Map(new Shape(7, 9), 4, bias: false),
        Branch(new Shape(3, 5), 6, scaled: false),
        Branch(new Shape(2, 3, 37), 17, scaled: true),
    ];

    [Test]
    public void WrongShapes_AreNamed()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Tensor x = Tensor.Zeros(device, new Shape(2, 3)), weight = Tensor.Zeros(device, new Shape(5, 4)),
            bias = Tensor.Zeros(device, new Shape(4));
        Assert.That(() => x.Linear(weight, null), Throws.ArgumentException.With.Message.Contains("(2, 3)").And.Message.Contains("(5, 4)"));
        Assert.That(() => Tensor.Zeros(device, new Shape(2, 4)).Linear(weight, bias),
            Throws.ArgumentException.With.Message.Contains("(4)"));
    }

    private static OpCase Branch(Shape x, int outputs, bool scaled)
    {
        var map = Map(x, outputs, bias: true);
        int perSample = x.Rows / x[0] * outputs;
        Shape[] shapes = [.. map.Shapes, x.WithRowLength(outputs)];
        return new("Linear branch", t => t[0].Linear(t[1], t[2], t[3], scaled ? t[4] : null),
            scaled ? [.. shapes, new Shape(x[0])] : shapes)
        {
            Truth = t => [.. map.Truth!(t).Select((y, i) => t[3][i] + (scaled ? t[4][i / perSample] : 1) * y)],
            Constant = [4],
        };
    }

    private static OpCase Map(Shape x, int outputs, bool bias)
    {
        int inputs = x.RowLength;
        Shape[] shapes = bias ? [x, new Shape(outputs, inputs), new Shape(outputs)] : [x, new Shape(outputs, inputs)];
        return new("Linear", t => t[0].Linear(t[1], bias ? t[2] : null), shapes)
        {
            Truth = t => [.. from row in t[0].Chunk(inputs)
                             from j in Enumerable.Range(0, outputs)
                             select row.Select((value, i) => value * t[1][j * inputs + i]).Sum() + (bias ? t[2][j] : 0)],
        };
    }
}
