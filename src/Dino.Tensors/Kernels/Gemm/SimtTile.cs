using System.Runtime.InteropServices;
using Dino.Tensors.Kernels.Simt;
using ILGPU;

namespace Dino.Tensors.Kernels.Gemm;

/// <summary>
/// The size of a group's tile on an accelerator: Side × Side threads, each with 4 × 4 elements of a (4·Side)² tile.
/// A struct parameter of the kernels, hence a constant in their code.
/// </summary>
internal interface ISimtTile
{
    static abstract int Side { get; }
}

/// <summary>16 threads, 16 × 16: for the debugging accelerator, whose threads are the operating system's.</summary>
internal readonly struct SimtTile4 : ISimtTile
{
    public static int Side => 4;
}

/// <summary>64 threads, 32 × 32: for small matrices, of which larger tiles would be mostly empty.</summary>
internal readonly struct SimtTile8 : ISimtTile
{
    public static int Side => 8;
}

/// <summary>256 threads, 64 × 64.</summary>
internal readonly struct SimtTile16 : ISimtTile
{
    public static int Side => 16;
}

/// <summary>Two floats that move as one 8-byte access.</summary>
[StructLayout(LayoutKind.Sequential, Size = 8)]
internal struct Float2
{
    public float X, Y;
}

/// <summary>Four floats that move as one 16-byte access.</summary>
[StructLayout(LayoutKind.Sequential, Size = 16)]
internal struct Float4
{
    public float X, Y, Z, W;

    /// <summary>a · b + c for a number a.</summary>
    public static Float4 MultiplyAdd(float a, Float4 b, Float4 c)
        => new()
        {
            X = Intrinsics.Fma(a, b.X, c.X),
            Y = Intrinsics.Fma(a, b.Y, c.Y),
            Z = Intrinsics.Fma(a, b.Z, c.Z),
            W = Intrinsics.Fma(a, b.W, c.W)
        };

    public static Float4 Scale(float a, Float4 b) => new() { X = a * b.X, Y = a * b.Y, Z = a * b.Z, W = a * b.W };
}

/// <summary>A thread's 4 × 4 sums, in registers: rows R0 … R3.</summary>
internal struct Float4x4
{
    public Float4 R0, R1, R2, R3;

    /// <summary>Adds the outer product of four row values and four column values.</summary>
    public static Float4x4 MultiplyAdd(Float4 rows, Float4 columns, Float4x4 sum) => new()
    {
        R0 = Float4.MultiplyAdd(rows.X, columns, sum.R0),
        R1 = Float4.MultiplyAdd(rows.Y, columns, sum.R1),
        R2 = Float4.MultiplyAdd(rows.Z, columns, sum.R2),
        R3 = Float4.MultiplyAdd(rows.W, columns, sum.R3),
    };

    /// <summary>Each row times its factor.</summary>
    public static Float4x4 ScaleRows(Float4 factors, Float4x4 a) => new()
    {
        R0 = Float4.Scale(factors.X, a.R0),
        R1 = Float4.Scale(factors.Y, a.R1),
        R2 = Float4.Scale(factors.Z, a.R2),
        R3 = Float4.Scale(factors.W, a.R3),
    };

    public static Float4x4 Transpose(Float4x4 a) => new()
    {
        R0 = new Float4 { X = a.R0.X, Y = a.R1.X, Z = a.R2.X, W = a.R3.X },
        R1 = new Float4 { X = a.R0.Y, Y = a.R1.Y, Z = a.R2.Y, W = a.R3.Y },
        R2 = new Float4 { X = a.R0.Z, Y = a.R1.Z, Z = a.R2.Z, W = a.R3.Z },
        R3 = new Float4 { X = a.R0.W, Y = a.R1.W, Z = a.R2.W, W = a.R3.W },
    };
}

/// <summary>The pieces of a tiled product in shared memory, for one thread of a Side² group.</summary>
/// <remarks>
/// A strip holds 16 steps of k for 4·Side rows, as [k][row], its rows 4 floats longer than needed: still 16-byte
/// aligned, and neighbouring k start in different banks. Trip counts are the same for all threads of a group.
/// </remarks>
internal static class SimtStrip<TTile> where TTile : struct, ISimtTile
{
    /// <summary>Steps of k in a strip.</summary>
    public const int Depth = 16;

    /// <summary>Rows of a tile.</summary>
    public static int Edge => 4 * TTile.Side;

    /// <summary>Float4 in a row of a strip.</summary>
    public static int Pitch => TTile.Side + 1;

    /// <summary>
    /// Fills a strip from rows first … first + Edge of a matrix whose element (row, k) lies at
    /// <paramref name="start"/> + row · rowStride + k · stepStride; what is beyond <paramref name="rows"/> or
    /// <paramref name="depth"/> becomes 0. Neighbouring threads take neighbouring elements of memory.
    /// </summary>
    public static void Load(
        ArrayView<float> source, int start, int rowStride, int stepStride, int first, int rows, int k0, int depth,
        ArrayView<float> strip, int thread)
    {
        int threads = TTile.Side * TTile.Side, count = Edge * Depth / threads;
        bool alongSteps = stepStride == 1;
        for (int i = 0; i < count; i++)
        {
            int e = thread + i * threads;
            int row = alongSteps ? e / Depth : e % Edge, step = alongSteps ? e % Depth : e / Edge;
            float value = 0;
            if (first + row < rows && k0 + step < depth)
                value = source.Read(start + (first + row) * rowStride + (k0 + step) * stepStride);
            strip[step * (4 * Pitch) + row] = value;
        }
    }

    /// <summary>Adds the product of two strips to a thread's 4 × 4 sums.</summary>
    public static Float4x4 Multiply(ArrayView<Float4> rows, ArrayView<Float4> columns, int ty, int tx, Float4x4 sum)
    {
        int i = ty, j = tx;
        for (int step = 0; step < Depth; step += 4, i += 4 * Pitch, j += 4 * Pitch)
        {
            sum = Float4x4.MultiplyAdd(rows[i], columns[j], sum);
            sum = Float4x4.MultiplyAdd(rows[i + Pitch], columns[j + Pitch], sum);
            sum = Float4x4.MultiplyAdd(rows[i + 2 * Pitch], columns[j + 2 * Pitch], sum);
            sum = Float4x4.MultiplyAdd(rows[i + 3 * Pitch], columns[j + 3 * Pitch], sum);
        }
        return sum;
    }
}
