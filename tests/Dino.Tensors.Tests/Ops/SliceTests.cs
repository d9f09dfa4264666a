using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class SliceTests : OpTests<SliceTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        Of(new Shape(7), 0, 2, 4),
        Of(new Shape(5, 6), 0, 1, 3),
        Of(new Shape(5, 6), -2, 4, 1),
        Of(new Shape(5, 37), 1, 3, 20),
        Of(new Shape(3, 5, 7), 1, 0, 1), // the class token
        Of(new Shape(3, 5, 7), 1, 1, 4), // the patches
        Of(new Shape(3, 5, 7), -1, 6, 1),
        Of(new Shape(2, 3, 4, 5), 2, 1, 2),
        Of(new Shape(3, 5, 7), 1, 0, 5),
        Of(new Shape(2, 3, 5000), 1, 1, 2), // blocks of more than one piece
    ];

    [TestCase(1, 4, 2)]
    [TestCase(1, -1, 2)]
    [TestCase(1, 0, -1)]
    [TestCase(2, 0, 1)]
    [TestCase(0, int.MaxValue, 1)]
    public void RangeOutside_IsRefused(int dimension, int start, int length)
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        var x = Tensor.Zeros(device, new Shape(3, 5));
        Assert.That(() => x.Slice(dimension, start, length), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    private static OpCase Of(Shape shape, int dimension, int start, int length)
    {
        int d = dimension < 0 ? dimension + shape.Rank : dimension, inner = 1;
        for (int i = d + 1; i < shape.Rank; i++)
            inner *= shape[i];
        return new($"Slice {length} of dimension {dimension} from {start} of", x => x[0].Slice(dimension, start, length), shape)
        {
            Truth = x => [.. x[0].Where((_, i) => i / inner % shape[d] is int k && k >= start && k < start + length)],
            Tolerance = Tolerance.Exact,
        };
    }
}
