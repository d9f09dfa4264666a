using Dino.Tensors.Kernels.Gemm;
using Dino.Tensors.Kernels.Simt;
using ILGPU;

namespace Dino.Tensors.Kernels.Attention;

/// <summary>The tile steps that the attention kernels share; every thread of a group runs them together.</summary>
internal static partial class SimtAttention<TTile>
{
    /// <summary>
    /// The 4 × 4 dot products of a thread: rows from row0 of one matrix with rows from column0 of another, over the head's
    /// d dimensions. Starts after a barrier of the caller (or at the kernel's beginning), ends with one.
    /// </summary>
    private static Float4x4 Scores(
        ArrayView<float> rows, int rowStart, int rowLd, int row0, ArrayView<float> columns, int columnStart, int columnLd, int column0,
        int n, int d, ArrayView<Float4> strips, int thread, int ty, int tx)
    {
        ArrayView<Float4> second = strips.SubView(Depth * Pitch, Depth * Pitch);
        ArrayView<float> fillFirst = strips.Cast<float>(), fillSecond = second.Cast<float>();
        Float4x4 sum = default;
        for (int k0 = 0; k0 < d; k0 += Depth)
        {
            SimtStrip<TTile>.Load(rows, rowStart, rowLd, 1, row0, n, k0, d, fillFirst, thread);
            SimtStrip<TTile>.Load(columns, columnStart, columnLd, 1, column0, n, k0, d, fillSecond, thread);
            Group.Barrier();
            sum = SimtStrip<TTile>.Multiply(strips, second, ty, tx, sum);
            Group.Barrier();
        }
        return sum;
    }

    /// <summary>Puts a thread's 4 × 4 into the group's tile as [column][row], in which order a product over columns reads it.</summary>
    private static void StoreTile(ArrayView<Float4> tile, Float4x4 value, int ty, int tx)
    {
        Float4x4 t = Float4x4.Transpose(value);
        int at = 4 * tx * Pitch + ty;
        tile[at] = t.R0;
        tile[at + Pitch] = t.R1;
        tile[at + 2 * Pitch] = t.R2;
        tile[at + 3 * Pitch] = t.R3;
    }

    /// <summary>Fills [16][2 · Edge] from 16 tokens and the group's columns; beyond the edges 0.</summary>
    private static void LoadSlab(
        ArrayView<float> source, int start, int ld, int token0, int n, int column0, int d, ArrayView<float> slab, int thread)
    {
        int threads = TTile.Side * TTile.Side, columns = 2 * Edge, count = Depth * columns / threads;
        for (int i = 0; i < count; i++)
        {
            int e = thread + i * threads, column = e % columns, token = e / columns;
            float value = 0;
            if (token0 + token < n && column0 + column < d)
                value = source.Read(start + (token0 + token) * ld + column0 + column);
            slab[e] = value;
        }
    }

    /// <summary>Adds 16 columns of the group's tile, from <paramref name="step"/>, times the slab.</summary>
    private static void MultiplySlab(
        ArrayView<Float4> tile, int step, ArrayView<Float4> slab, int ty, int tx, ref Float4x4 left, ref Float4x4 right)
    {
        int side = TTile.Side, i = step * Pitch + ty, j = tx;
        for (int k = 0; k < Depth; k += 2, i += 2 * Pitch, j += 4 * side)
        {
            Float4 rows = tile[i];
            left = Float4x4.MultiplyAdd(rows, slab[j], left);
            right = Float4x4.MultiplyAdd(rows, slab[j + side], right);
            rows = tile[i + Pitch];
            left = Float4x4.MultiplyAdd(rows, slab[j + 2 * side], left);
            right = Float4x4.MultiplyAdd(rows, slab[j + 3 * side], right);
        }
    }

    private static Float4 LoadRows(ArrayView<float> source, int start, int row, int n)
    {
        Float4 value = default;
        if (row < n)
            value.X = source.Read(start + row);
        if (row + 1 < n)
            value.Y = source.Read(start + row + 1);
        if (row + 2 < n)
            value.Z = source.Read(start + row + 2);
        if (row + 3 < n)
            value.W = source.Read(start + row + 3);
        return value;
    }

    private static void StoreColumns(
        ArrayView<float> target, int start, int ld, int row, int n, int column, int d, Float4x4 value, int accumulate)
    {
        int at = start + row * ld + column;
        if (row < n)
            StoreFour(target, at, column, d, value.R0, accumulate);
        if (row + 1 < n)
            StoreFour(target, at + ld, column, d, value.R1, accumulate);
        if (row + 2 < n)
            StoreFour(target, at + 2 * ld, column, d, value.R2, accumulate);
        if (row + 3 < n)
            StoreFour(target, at + 3 * ld, column, d, value.R3, accumulate);
    }

    private static void StoreFour(ArrayView<float> target, int at, int column, int d, Float4 value, int accumulate)
    {
        if (column < d)
            target.Write(at, accumulate != 0 ? target.Read(at) + value.X : value.X);
        if (column + 1 < d)
            target.Write(at + 1, accumulate != 0 ? target.Read(at + 1) + value.Y : value.Y);
        if (column + 2 < d)
            target.Write(at + 2, accumulate != 0 ? target.Read(at + 2) + value.Z : value.Z);
        if (column + 3 < d)
            target.Write(at + 3, accumulate != 0 ? target.Read(at + 3) + value.W : value.W);
    }

    // Apart: in the sum of both the logarithm would lose its digits to a large score.
    private static void StoreStats(ArrayView<float> stats, int start, int row, int n, float max, float sum)
    {
        if (row >= n)
            return;
        stats.Write(2 * (start + row), max);
        stats.Write(2 * (start + row) + 1, MathF.Log(sum));
    }

    /// <summary>The maxima (part 0) of four rows, or the logarithms of their sums (part 1).</summary>
    private static Float4 LoadStats(ArrayView<float> stats, int start, int row, int n, int part)
    {
        Float4 value = default;
        int at = 2 * (start + row) + part;
        if (row < n)
            value.X = stats.Read(at);
        if (row + 1 < n)
            value.Y = stats.Read(at + 2);
        if (row + 2 < n)
            value.Z = stats.Read(at + 4);
        if (row + 3 < n)
            value.W = stats.Read(at + 6);
        return value;
    }

    /// <summary>
    /// Scores, rounded by themselves: the backward pass finds the same bits again, so that none is above the maximum that was kept.
    /// </summary>
    private static Float4 Scaled(Float4 value, float scale) => new()
    {
        X = Intrinsics.Product(value.X, scale),
        Y = Intrinsics.Product(value.Y, scale),
        Z = Intrinsics.Product(value.Z, scale),
        W = Intrinsics.Product(value.W, scale),
    };

    private static Float4 Mask(Float4 value, int count) => new()
    {
        X = count > 0 ? value.X : Nothing,
        Y = count > 1 ? value.Y : Nothing,
        Z = count > 2 ? value.Z : Nothing,
        W = count > 3 ? value.W : Nothing,
    };

    private static Float4 Exp(Float4 value, float shift) => new()
    {
        X = MathF.Exp(value.X - shift),
        Y = MathF.Exp(value.Y - shift),
        Z = MathF.Exp(value.Z - shift),
        W = MathF.Exp(value.W - shift),
    };

    private static Float4 Exp(Float4 value, float max, float log) => new()
    {
        X = MathF.Exp(value.X - max - log),
        Y = MathF.Exp(value.Y - max - log),
        Z = MathF.Exp(value.Z - max - log),
        W = MathF.Exp(value.W - max - log),
    };

    private static Float4 Max(Float4 a, Float4 b)
        => new() { X = MathF.Max(a.X, b.X), Y = MathF.Max(a.Y, b.Y), Z = MathF.Max(a.Z, b.Z), W = MathF.Max(a.W, b.W) };

    private static float Largest(Float4 a) => MathF.Max(MathF.Max(a.X, a.Y), MathF.Max(a.Z, a.W));

    private static float Total(Float4 a) => a.X + a.Y + (a.Z + a.W);
}
