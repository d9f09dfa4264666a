using ILGPU;

namespace Dino.Tensors.Kernels.Gemm;

/// <summary>
/// The matrix product on any GPU, for large aligned operands: 256 threads for a tile of 128 × 128, 8 × 8 sums a thread, all memory in
/// accesses of 16 bytes.
/// </summary>
/// <remarks>
/// The limit is shared memory's bandwidth: a step of k reads 16 numbers for 64 multiply-adds. Without two groups asked for, the assembler
/// hoists every address and halves the number of groups that fit.
/// </remarks>
internal static class WideGemm<TLayoutA, TLayoutB, TFinish>
    where TLayoutA : struct, IOperandLayout
    where TLayoutB : struct, IOperandLayout
    where TFinish : struct, IFinish
{
    /// <summary>Threads of a group, and groups that must fit on a multiprocessor.</summary>
    public const int GroupSize = 256, Groups = 2;

    /// <summary>Rows and columns of a tile.</summary>
    public const int Edge = 128;

    /// <summary>Steps of k in a strip.</summary>
    public const int Depth = 8;

    // Float4 in a step of a strip: 4 floats more than needed, or threads that write neighbouring steps meet in one bank.
    private const int Pitch = Edge / 4 + 1;

    /// <summary>
    /// C = Alpha · op(A) · op(B) + Beta · C, and what follows it; see <see cref="OperandPlace"/> for what operands must be like.
    /// </summary>
    public static void Kernel(ArrayView<float> a, ArrayView<float> b, ArrayView<float> c, EpilogueViews follow, TiledGemmArguments s)
    {
        int thread = Group.IdxX, tx = thread % 16, ty = thread / 16;
        TileOfC tile = s.TileOf(Grid.IdxX);
        OperandPlace placeA = s.PlaceA(tile), placeB = s.PlaceB(tile);
        ArrayView<Float4> strips = SharedMemory.Allocate<Float4>(4 * Depth * Pitch);

        Float4x4 sum00 = default, sum01 = default, sum10 = default, sum11 = default;
        Float4 nextA = Read<TLayoutA>(a, placeA, tile.Row, tile.Step, thread),
            nextB = Read<TLayoutB>(b, placeB, tile.Column, tile.Step, thread);
        int stage = 0;
        for (int step = tile.Step; step < tile.EndStep; step += Depth)
        {
            ArrayView<Float4> stripA = strips.SubView(stage, Depth * Pitch), stripB = strips.SubView(stage + Depth * Pitch, Depth * Pitch);
            Write<TLayoutA>(stripA, thread, nextA);
            Write<TLayoutB>(stripB, thread, nextB);
            Group.Barrier();
            // Beyond the last strip these are 0, and nobody takes them.
            nextA = Read<TLayoutA>(a, placeA, tile.Row, step + Depth, thread);
            nextB = Read<TLayoutB>(b, placeB, tile.Column, step + Depth, thread);

            ArrayView<Float4> rows = stripA.SubView(ty, Depth * Pitch - ty), columns = stripB.SubView(tx, Depth * Pitch - tx);
            // Two steps a turn: with more the assembler keeps more operands at once than there are registers.
            for (int at = 0; at < Depth * Pitch; at += 2 * Pitch)
            {
                Multiply(rows, columns, at, ref sum00, ref sum01, ref sum10, ref sum11);
                Multiply(rows, columns, at + Pitch, ref sum00, ref sum01, ref sum10, ref sum11);
            }
            stage = 2 * Depth * Pitch - stage;
        }

        int row = tile.Row + 4 * ty, column = tile.Column + 4 * tx;
        StoreBlock(c, follow, s, tile, row, column, sum00);
        StoreBlock(c, follow, s, tile, row, column + Edge / 2, sum01);
        StoreBlock(c, follow, s, tile, row + Edge / 2, column, sum10);
        StoreBlock(c, follow, s, tile, row + Edge / 2, column + Edge / 2, sum11);
    }

    // A unit is four neighbours in memory: of 256, one a thread.
    private static Float4 Read<TLayout>(ArrayView<float> source, OperandPlace place, int row0, int step0, int thread)
        where TLayout : struct, IOperandLayout => TLayout.AlongSteps
        ? OperandPlace.Read<TLayout>(source, place, row0 + thread / 2, step0 + thread % 2 * 4)
        : OperandPlace.Read<TLayout>(source, place, row0 + thread % 32 * 4, step0 + thread / 32);

    // A strip is [step][row].
    private static void Write<TLayout>(ArrayView<Float4> strip, int thread, Float4 unit) where TLayout : struct, IOperandLayout
    {
        if (!TLayout.AlongSteps)
        {
            strip[thread / 32 * Pitch + thread % 32] = unit;
            return;
        }
        int at = thread % 2 * 4 * (4 * Pitch) + thread / 2;
        ArrayView<float> floats = strip.Cast<float>();
        floats[at] = unit.X;
        floats[at + 4 * Pitch] = unit.Y;
        floats[at + 8 * Pitch] = unit.Z;
        floats[at + 12 * Pitch] = unit.W;
    }

    private static void Multiply(
        ArrayView<Float4> rows, ArrayView<Float4> columns, int at, ref Float4x4 sum00, ref Float4x4 sum01, ref Float4x4 sum10,
        ref Float4x4 sum11)
    {
        Float4 upper = rows[at], lower = rows[at + Edge / 8], left = columns[at], right = columns[at + Edge / 8];
        sum00 = Float4x4.MultiplyAdd(upper, left, sum00);
        sum01 = Float4x4.MultiplyAdd(upper, right, sum01);
        sum10 = Float4x4.MultiplyAdd(lower, left, sum10);
        sum11 = Float4x4.MultiplyAdd(lower, right, sum11);
    }

    private static void StoreBlock(
        ArrayView<float> c, EpilogueViews follow, TiledGemmArguments s, TileOfC tile, int row, int column, Float4x4 sum)
    {
        StoreRow(c, follow, s, tile, row, column, sum.R0);
        StoreRow(c, follow, s, tile, row + 1, column, sum.R1);
        StoreRow(c, follow, s, tile, row + 2, column, sum.R2);
        StoreRow(c, follow, s, tile, row + 3, column, sum.R3);
    }

    private static void StoreRow(
        ArrayView<float> c, EpilogueViews follow, TiledGemmArguments s, TileOfC tile, int row, int column, Float4 sum)
    {
        s.StorePair<TFinish>(c, follow, tile, row, column, new Float2 { X = sum.X, Y = sum.Y });
        s.StorePair<TFinish>(c, follow, tile, row, column + 2, new Float2 { X = sum.Z, Y = sum.W });
    }
}
