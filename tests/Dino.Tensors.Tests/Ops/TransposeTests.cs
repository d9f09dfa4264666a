using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class TransposeTests : OpTests<TransposeTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        new("Transpose", x => x[0].Transpose(),
            new Shape(5, 37)) { Truth = x => [.. Enumerable.Range(0, 185).Select(i => x[0][i % 5 * 37 + i / 5])] },
        .. OpCase.RowLengths.Select(n => Of(new Shape(3, n), 0, 1)),
        Of(new Shape(2, 3, 5), 1, 2), Of(new Shape(2, 3, 5), 0, 1), Of(new Shape(2, 3, 5), -1, 0), Of(new Shape(2, 3, 5), 1, 1),
        Of(new Shape(2, 3, 4, 5), 1, 2), Of(new Shape(2, 3, 4, 5), 0, 3), Of(new Shape(2, 3, 4, 5), 0, 2),
        Of(new Shape(2, 3, 4, 5), -1, -2), Of(new Shape(7), 0, 0), Of(new Shape(1, 9), 0, 1),
    ];

    [Test]
    public void Shapes_AreExchanged_AndOthersRefused()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        var x = Tensor.Zeros(device, new Shape(2, 3, 4));
        Assert.That(x.Transpose(0, -1).Shape, Is.EqualTo(new Shape(4, 3, 2)));
        Assert.That(() => x.Transpose(), Throws.ArgumentException.With.Message.Contains("(2, 3, 4)"));
        Assert.That(() => x.Transpose(0, 3), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    private static OpCase Of(Shape shape, int first, int second) =>
        new($"Transpose {first} and {second} of", x => x[0].Transpose(first, second), shape)
        {
            Truth = x => Transposed(
                x[0], shape.ToArray(), first < 0 ? first + shape.Rank : first, second < 0 ? second + shape.Rank : second),
            Tolerance = Tolerance.Exact,
        };

    private static double[] Transposed(double[] x, int[] shape, int first, int second)
    {
        int[] target = [.. shape];
        (target[first], target[second]) = (shape[second], shape[first]);
        double[] y = new double[x.Length];
        for (int i = 0; i < x.Length; i++)
        {
            int[] index = new int[shape.Length];
            for (int d = shape.Length - 1, rest = i; d >= 0; rest /= shape[d], d--)
                index[d] = rest % shape[d];
            (index[first], index[second]) = (index[second], index[first]);
            y[index.Select((k, d) => (k, d)).Aggregate(0, (at, k) => at * target[k.d] + k.k)] = x[i];
        }
        return y;
    }
}
