using ILGPU;

namespace Dino.Tensors.Kernels;

/// <summary>A <see cref="GemmShape"/> as a kernel argument, and the grid that covers C with tiles.</summary>
internal readonly struct SimtGemmArguments
{
    public readonly int M, N, K, RowStrideA, StepStrideA, ColumnStrideB, StepStrideB, LdC, StrideA, StrideB, StrideC, TileRows, TileColumns;
    public readonly int HasBias;
    public readonly float Alpha, Beta;

    public SimtGemmArguments(in GemmShape shape, bool bias, int tileEdge)
    {
        (M, N, K) = shape;
        (RowStrideA, StepStrideA) = shape.TransposeA ? (1, shape.LdA) : (shape.LdA, 1);
        (ColumnStrideB, StepStrideB) = shape.TransposeB ? (shape.LdB, 1) : (1, shape.LdB);
        LdC = shape.LdC;
        (StrideA, StrideB, StrideC) = (checked((int)shape.StrideA), checked((int)shape.StrideB), checked((int)shape.StrideC));
        TileRows = (M + tileEdge - 1) / tileEdge;
        TileColumns = (N + tileEdge - 1) / tileEdge;
        HasBias = bias ? 1 : 0;
        (Alpha, Beta) = (shape.Alpha, shape.Beta);
    }
}

/// <summary>The matrix product on an accelerator: one group for each tile of C, operands staged in shared memory.</summary>
internal static class SimtGemm<TTile> where TTile : struct, ISimtTile
{
    /// <summary>Threads of a group.</summary>
    public static int GroupSize => TTile.Side * TTile.Side;

    public static SimtGemmArguments Arguments(in GemmShape shape, bool bias) => new(shape, bias, SimtStrip<TTile>.Edge);

    /// <summary>Groups of a launch.</summary>
    public static int GridSize(in SimtGemmArguments s, int batch) => s.TileRows * s.TileColumns * batch;

    /// <summary>C = Alpha · op(A) · op(B) + Beta · C (+ bias); without a bias, any view may stand in its place.</summary>
    public static void Kernel(ArrayView<float> a, ArrayView<float> b, ArrayView<float> c, ArrayView<float> bias, SimtGemmArguments s)
    {
        int side = TTile.Side, edge = SimtStrip<TTile>.Edge;
        int thread = Group.IdxX, tx = thread % side, ty = thread / side;
        int tiles = s.TileRows * s.TileColumns, group = Grid.IdxX, batch = group / tiles, tile = group % tiles;
        int row0 = tile / s.TileColumns * edge, column0 = tile % s.TileColumns * edge;

        ArrayView<Float4> stripA = SharedMemory.Allocate<Float4>(SimtStrip<TTile>.Depth * SimtStrip<TTile>.Pitch);
        ArrayView<Float4> stripB = SharedMemory.Allocate<Float4>(SimtStrip<TTile>.Depth * SimtStrip<TTile>.Pitch);
        ArrayView<float> fillA = stripA.Cast<float>(), fillB = stripB.Cast<float>();

        Float4x4 sum = default;
        for (int k0 = 0; k0 < s.K; k0 += SimtStrip<TTile>.Depth)
        {
            SimtStrip<TTile>.Load(a, batch * s.StrideA, s.RowStrideA, s.StepStrideA, row0, s.M, k0, s.K, fillA, thread);
            SimtStrip<TTile>.Load(b, batch * s.StrideB, s.ColumnStrideB, s.StepStrideB, column0, s.N, k0, s.K, fillB, thread);
            Group.Barrier();
            sum = SimtStrip<TTile>.Multiply(stripA, stripB, ty, tx, sum);
            Group.Barrier();
        }

        int row = row0 + 4 * ty, column = column0 + 4 * tx, target = batch * s.StrideC + row * s.LdC + column;
        StoreRow(c, bias, s, row, column, target, sum.R0);
        StoreRow(c, bias, s, row + 1, column, target + s.LdC, sum.R1);
        StoreRow(c, bias, s, row + 2, column, target + 2 * s.LdC, sum.R2);
        StoreRow(c, bias, s, row + 3, column, target + 3 * s.LdC, sum.R3);
    }

    private static void StoreRow(
        ArrayView<float> c, ArrayView<float> bias, SimtGemmArguments s, int row, int column, int target, Float4 value)
    {
        if (row >= s.M)
            return;
        Store(c, bias, s, column, target, value.X);
        Store(c, bias, s, column + 1, target + 1, value.Y);
        Store(c, bias, s, column + 2, target + 2, value.Z);
        Store(c, bias, s, column + 3, target + 3, value.W);
    }

    private static void Store(ArrayView<float> c, ArrayView<float> bias, SimtGemmArguments s, int column, int target, float value)
    {
        if (column >= s.N)
            return;
        value *= s.Alpha;
        if (s.Beta != 0)
            value += s.Beta * c.Read(target);
        if (s.HasBias != 0)
            value += bias.Read(column);
        c.Write(target, value);
    }
}
