using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

/// <summary>Shapes for ops of two operands that fit as in NumPy.</summary>
internal static class BroadcastCases
{
    public static IEnumerable<object[]> Unfit =>
    [
        [new Shape(2, 3), new Shape(2)],
        [new Shape(2, 3), new Shape(3, 2)],
        [new Shape(2, 3), new Shape(2, 2)],
        [new Shape(4), new Shape(2)],
        [new Shape(2, 3, 4), new Shape(3, 3, 4)],
    ];

    /// <param name="name">The op's.</param>
    /// <param name="function">The op.</param>
    /// <param name="formula">What it gives of two numbers.</param>
    /// <param name="input">As <see cref="OpCase.Input"/>.</param>
    public static IEnumerable<OpCase> All(
        string name, Func<Tensor[], Tensor> function, Func<double, double, double> formula, Func<int, float, float>? input = null)
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
        foreach (var c in Wide())
            yield return c;

        // What is repeated in the middle, at the end, or in both.
        IEnumerable<OpCase> Wide() =>
        [
            Of(new Shape(3), new Shape(2, 3)), Of(new Shape(2, 3), new Shape(2, 1)), Of(new Shape(2, 1), new Shape(1, 3)),
            Of(new Shape(3, 1, 7), new Shape(5, 1)), Of(new Shape(2, 3, 4, 5), new Shape(2, 1, 4, 1)), Of(new Shape(2, 3), new Shape()),
            Of(new Shape(), new Shape(2, 3)), Of(new Shape(3), new Shape(1, 3)), Of(new Shape(1), new Shape(37)),
        ];

        OpCase Of(Shape x, Shape y) => new(name, function, x, y)
        {
            Truth = v =>
            {
                int[] shape = Common(x, y);
                return [.. Enumerable.Range(0, shape.Aggregate(1, (a, b) => a * b))
                    .Select(i => formula(v[0][At(x, shape, i)], v[1][At(y, shape, i)]))];
            },
            Input = input,
        };
    }

    public static void CheckRefused(Shape x, Shape y, Func<Tensor, Tensor, Tensor> op)
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Assert.That(() => op(Tensor.Zeros(device, x), Tensor.Zeros(device, y)),
            Throws.ArgumentException.With.Message.Contains(x.ToString()).And.Message.Contains(y.ToString()));
    }

    /// <summary>Where the element i of a shape lies in an operand that is repeated to it.</summary>
    public static int At(Shape operand, int[] shape, int i)
    {
        int at = 0, stride = 1;
        for (int d = 1; d <= shape.Length; d++)
        {
            int index = i % shape[^d];
            i /= shape[^d];
            if (d > operand.Rank)
                continue;
            at += operand[-d] == 1 ? 0 : index * stride;
            stride *= operand[-d];
        }
        return at;
    }

    private static int[] Common(Shape x, Shape y) =>
    [
        .. Enumerable.Range(0, Math.Max(x.Rank, y.Rank)).Reverse()
            .Select(d => Math.Max(d < x.Rank ? x[-1 - d] : 1, d < y.Rank ? y[-1 - d] : 1)),
    ];
}
