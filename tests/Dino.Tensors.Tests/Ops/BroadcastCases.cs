using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

/// <summary>Shapes for ops of two operands whose second may be the trailing dimensions of the first.</summary>
internal static class BroadcastCases
{
    public static IEnumerable<object[]> Unfit =>
    [
        [new Shape(2, 3), new Shape(2)],
        [new Shape(3), new Shape(2, 3)],
        [new Shape(2, 3), new Shape(2, 1)],
        [new Shape(4), new Shape(2)],
        [new Shape(2, 3, 4), new Shape(3, 3, 4)],
    ];

    public static IEnumerable<OpCase> All(string name, Func<Tensor[], Tensor> function, Func<double, double, double> formula)
    {
        foreach (int n in OpCase.RowLengths)
        {
            yield return Of(new Shape(n), new Shape(n));
            yield return Of(new Shape(5, n), new Shape(n));
        }
        yield return Of(new Shape(3, 5, 7), new Shape(3, 5, 7));
        yield return Of(new Shape(3, 5, 7), new Shape(1, 5, 7));
        yield return Of(new Shape(3, 5, 7), new Shape(5, 7));
        yield return Of(new Shape(3, 5, 7), new Shape(1, 1, 7));
        yield return Of(new Shape(2, 3, 2, 5), new Shape(3, 2, 5));
        yield return Of(new Shape(70, 19), new Shape(19)); // two passes in the sum of columns

        OpCase Of(Shape x, Shape y) => new(name, function, x, y)
        {
            Truth = v => [.. v[0].Select((a, i) => formula(a, v[1][i % v[1].Length]))],
        };
    }

    public static void CheckRefused(Shape x, Shape y, Func<Tensor, Tensor, Tensor> op)
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Assert.That(() => op(Tensor.Zeros(device, x), Tensor.Zeros(device, y)),
            Throws.ArgumentException.With.Message.Contains(x.ToString()).And.Message.Contains(y.ToString()));
    }
}
