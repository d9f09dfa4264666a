using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class ResizeGridTests : OpTests<ResizeGridTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        .. OpCase.RowLengths.Select(d => Grid(3, 2, 5, d)),
        Grid(1, 2, 2, 3),
        Grid(4, 4, 4, 5),
        Grid(6, 3, 2, 300),
    ];

    [Test]
    public void Weights_SumToOne_WhateverTheSizes()
    {
        foreach ((int from, int to) in ((int, int)[])[(14, 6), (1, 5), (2, 7), (28, 12), (14, 14), (5, 1)])
            foreach (double[] row in ResizeGridOp.Weights(from, to).Chunk(from))
                Assert.That(row.Sum(), Is.EqualTo(1).Within(1e-12), $"{from} to {to}");
    }

    [TestCase(2, 6, 3)] // 5 patches are no square
    [TestCase(1, 6, 3)]
    public void NoSquareGrid_IsNamed(int first, int tokens, int d)
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        var pos = Tensor.Zeros(device, new Shape(first, tokens, d));
        Assert.That(() => pos.ResizeGrid(2, 2), Throws.ArgumentException.With.Message.Contains($"({first}, {tokens}, {d})"));
    }

    private static OpCase Grid(int side, int rows, int columns, int d) => new(
        "ResizeGrid", x => x[0].ResizeGrid(rows, columns), new Shape(1, 1 + side * side, d))
    {
        Truth = x =>
        {
            double[] vertical = ResizeGridOp.Weights(side, rows), horizontal = ResizeGridOp.Weights(side, columns);
            double[] y = new double[(1 + rows * columns) * d];
            x[0].AsSpan(0, d).CopyTo(y);
            for (int r = 0; r < rows; r++)
                for (int c = 0; c < columns; c++)
                    for (int i = 0; i < side; i++)
                        for (int j = 0; j < side; j++)
                            for (int k = 0; k < d; k++)
                                y[(1 + r * columns + c) * d + k] +=
                                    vertical[r * side + i] * horizontal[c * side + j] * x[0][(1 + i * side + j) * d + k];
            return y;
        },
    };
}
