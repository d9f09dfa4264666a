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
        Grid(7, 3, 4, 9, GridResampling.Antialiased),
        Grid(2, 3, 2, 5, GridResampling.Antialiased),
        Grid(1, 2, 1, 3, GridResampling.Antialiased),
    ];

    /// <summary>Against Pillow's way of counting: taps from a rounded bound on, at distances of half a cell, normalised.</summary>
    [TestCase(37, 16), TestCase(37, 7), TestCase(5, 5), TestCase(3, 8), TestCase(1, 4), TestCase(9, 1)]
    public void Antialiased_IsPillowsBicubic(int from, int to)
    {
        double[] weights = ResizeGridOp.Weights(from, to, GridResampling.Antialiased);
        double scale = (double)from / to, filterScale = Math.Max(scale, 1), support = 2 * filterScale;
        for (int i = 0; i < to; i++)
        {
            double centre = (i + 0.5) * scale;
            int first = Math.Max((int)(centre - support + 0.5), 0), end = Math.Min((int)(centre + support + 0.5), from);
            double[] taps = [.. Enumerable.Range(first, end - first).Select(tap => Keys((tap - centre + 0.5) / filterScale))];
            for (int tap = 0; tap < from; tap++)
                Assert.That(weights[i * from + tap],
                    Is.EqualTo(tap < first || tap >= end ? 0 : taps[tap - first] / taps.Sum()).Within(1e-12), $"{i}, {tap}");
        }

        // Keys (1981), equation 15
        static double Keys(double x) => Math.Abs(x) switch
        {
            < 1 and var t => 1.5 * t * t * t - 2.5 * t * t + 1,
            < 2 and var t => -0.5 * t * t * t + 2.5 * t * t - 4 * t + 2,
            _ => 0,
        };
    }

    [Test]
    public void AntialiasedToItself_ChangesNothing()
    {
        float[] pos = [.. Enumerable.Range(0, 10 * 3).Select(i => (float)Math.Sin(i))];
        Assert.That(ResizeGridOp.Resized(pos, 10, 10, 3, GridResampling.Antialiased), Is.EqualTo(pos));
    }

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

    private static OpCase Grid(int side, int rows, int columns, int d, GridResampling way = GridResampling.Shifted) => new(
        $"ResizeGrid {way}", x => x[0].ResizeGrid(rows, columns, way), new Shape(1, 1 + side * side, d))
    {
        Truth = x =>
        {
            double[] vertical = ResizeGridOp.Weights(side, rows, way), horizontal = ResizeGridOp.Weights(side, columns, way);
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
