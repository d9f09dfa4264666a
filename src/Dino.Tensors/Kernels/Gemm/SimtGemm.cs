using ILGPU;

namespace Dino.Tensors.Kernels.Gemm;

/// <summary>
/// The matrix product on any accelerator, for operands of any kind: one group for each tile of C, strips of the operands in shared memory.
/// </summary>
internal static class SimtGemm<TTile, TFinish>
    where TTile : struct, ISimtTile
    where TFinish : struct, IFinish
{
    /// <summary>Threads of a group.</summary>
    public static int GroupSize => TTile.Side * TTile.Side;

    /// <summary>Rows and columns of a tile.</summary>
    public static int Edge => SimtStrip<TTile>.Edge;

    /// <summary>C = Alpha · op(A) · op(B) + Beta · C, and what follows it.</summary>
    public static void Kernel(ArrayView<float> a, ArrayView<float> b, ArrayView<float> c, EpilogueViews follow, TiledGemmArguments s)
    {
        int side = TTile.Side, thread = Group.IdxX, tx = thread % side, ty = thread / side;
        TileOfC tile = s.TileOf(Grid.IdxX);
        int rowStrideA = s.TransposeA != 0 ? 1 : s.LdA, stepStrideA = s.TransposeA != 0 ? s.LdA : 1;
        int columnStrideB = s.TransposeB != 0 ? s.LdB : 1, stepStrideB = s.TransposeB != 0 ? 1 : s.LdB;

        ArrayView<Float4> stripA = SharedMemory.Allocate<Float4>(SimtStrip<TTile>.Depth * SimtStrip<TTile>.Pitch);
        ArrayView<Float4> stripB = SharedMemory.Allocate<Float4>(SimtStrip<TTile>.Depth * SimtStrip<TTile>.Pitch);
        ArrayView<float> fillA = stripA.Cast<float>(), fillB = stripB.Cast<float>();

        Float4x4 sum = default;
        for (int k0 = tile.Step; k0 < tile.EndStep; k0 += SimtStrip<TTile>.Depth)
        {
            SimtStrip<TTile>.Load(a, tile.Batch * s.StrideA, rowStrideA, stepStrideA, tile.Row, s.M, k0, tile.EndStep, fillA, thread);
            SimtStrip<TTile>.Load(b, tile.Batch * s.StrideB, columnStrideB, stepStrideB, tile.Column, s.N, k0, tile.EndStep, fillB, thread);
            Group.Barrier();
            sum = SimtStrip<TTile>.Multiply(stripA, stripB, ty, tx, sum);
            Group.Barrier();
        }

        int row = tile.Row + 4 * ty, column = tile.Column + 4 * tx;
        StoreRow(c, follow, s, tile, row, column, sum.R0);
        StoreRow(c, follow, s, tile, row + 1, column, sum.R1);
        StoreRow(c, follow, s, tile, row + 2, column, sum.R2);
        StoreRow(c, follow, s, tile, row + 3, column, sum.R3);
    }

    private static void StoreRow(
        ArrayView<float> c, EpilogueViews follow, TiledGemmArguments s, TileOfC tile, int row, int column, Float4 sum)
    {
        s.Store<TFinish>(c, follow, tile, row, column, sum.X);
        s.Store<TFinish>(c, follow, tile, row, column + 1, sum.Y);
        s.Store<TFinish>(c, follow, tile, row, column + 2, sum.Z);
        s.Store<TFinish>(c, follow, tile, row, column + 3, sum.W);
    }
}
