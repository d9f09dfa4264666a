using Dino.Tensors.Kernels.Gemm;
using ILGPU;

namespace Dino.Tensors.Kernels.TensorCores;

/// <summary>The matrix product on tensor cores: 256 threads for a tile of 128 × 128, two strips of each operand in shared memory.</summary>
/// <remarks>While a warp multiplies one pair of strips, the next is on its way from memory to registers; one barrier a pair.</remarks>
internal static class MmaGemm<TNumber, TLayoutA, TLayoutB, TFinish>
    where TNumber : struct, IMmaNumber
    where TLayoutA : struct, IOperandLayout
    where TLayoutB : struct, IOperandLayout
    where TFinish : struct, IFinish
{
    /// <summary>Threads of a group: 2 × 4 warps.</summary>
    public const int GroupSize = 256;

    /// <summary>Rows and columns of a tile.</summary>
    public const int Edge = MmaStrip<TNumber, TLayoutA>.Rows;

    /// <summary>
    /// C = Alpha · op(A) · op(B) + Beta · C and what follows it; see <see cref="TiledGemmArguments"/> for what operands must be like.
    /// </summary>
    public static void Kernel(
        ArrayView<float> a, ArrayView<float> b, ArrayView<float> c, EpilogueViews follow, TiledGemmArguments s)
    {
        int thread = Group.IdxX, lane = thread % TensorCore.Lanes, warp = thread / TensorCore.Lanes,
            steps = MmaStrip<TNumber, TLayoutA>.Steps;
        TileOfC tile = s.TileOf(Grid.IdxX);
        OperandPlace placeA = s.PlaceA(tile), placeB = s.PlaceB(tile);

        ArrayView<Word4> strips = SharedMemory.Allocate<Word4>(
            2 * (MmaStrip<TNumber, TLayoutA>.Length + MmaStrip<TNumber, TLayoutB>.Length));
        int lengthA = MmaStrip<TNumber, TLayoutA>.Length, lengthB = MmaStrip<TNumber, TLayoutB>.Length, half = lengthA + lengthB;
        int rowInWarp = warp / 4 * 64 + lane / 4, columnInWarp = warp % 4 * 32 + lane / 4, word = lane % 4;
        int fromA = MmaStrip<TNumber, TLayoutA>.At(rowInWarp, word);
        int fromB = 4 * lengthA + MmaStrip<TNumber, TLayoutB>.At(columnInWarp, word);

        MmaTile<TNumber> sum = default;
        Word4 a0 = MmaStrip<TNumber, TLayoutA>.Read(a, placeA, tile.Row, tile.Step, thread);
        Word4 a1 = MmaStrip<TNumber, TLayoutA>.Read(a, placeA, tile.Row, tile.Step, thread + GroupSize);
        Word4 b0 = MmaStrip<TNumber, TLayoutB>.Read(b, placeB, tile.Column, tile.Step, thread);
        Word4 b1 = MmaStrip<TNumber, TLayoutB>.Read(b, placeB, tile.Column, tile.Step, thread + GroupSize);
        int stage = 0;
        for (int step = tile.Step; step < tile.EndStep; step += steps)
        {
            ArrayView<Word4> stripA = strips.SubView(stage, lengthA), stripB = strips.SubView(stage + lengthA, lengthB);
            MmaStrip<TNumber, TLayoutA>.Write(stripA, thread, a0);
            MmaStrip<TNumber, TLayoutA>.Write(stripA, thread + GroupSize, a1);
            MmaStrip<TNumber, TLayoutB>.Write(stripB, thread, b0);
            MmaStrip<TNumber, TLayoutB>.Write(stripB, thread + GroupSize, b1);
            Group.Barrier();
            // Beyond the last strip these are 0, and nobody takes them.
            a0 = MmaStrip<TNumber, TLayoutA>.Read(a, placeA, tile.Row, step + steps, thread);
            a1 = MmaStrip<TNumber, TLayoutA>.Read(a, placeA, tile.Row, step + steps, thread + GroupSize);
            b0 = MmaStrip<TNumber, TLayoutB>.Read(b, placeB, tile.Column, step + steps, thread);
            b1 = MmaStrip<TNumber, TLayoutB>.Read(b, placeB, tile.Column, step + steps, thread + GroupSize);

            ArrayView<uint> words = strips.Cast<uint>();
            ArrayView<uint> lineA = words.SubView(4 * stage + fromA, 4 * lengthA - fromA),
                lineB = words.SubView(4 * stage + fromB, 4 * half - fromB);
            sum.Add<TLayoutA, TLayoutB>(lineA, lineB, 0);
            sum.Add<TLayoutA, TLayoutB>(lineA, lineB, 8);
            stage = half - stage;
        }

        int row = tile.Row + warp / 4 * 64 + lane / 4, column = tile.Column + warp % 4 * 32 + lane % 4 * 2;
        StoreRows(c, follow, s, tile, row, column, sum.R0);
        StoreRows(c, follow, s, tile, row + 16, column, sum.R1);
        StoreRows(c, follow, s, tile, row + 32, column, sum.R2);
        StoreRows(c, follow, s, tile, row + 48, column, sum.R3);
    }

    private static void StoreRows(
        ArrayView<float> c, EpilogueViews follow, TiledGemmArguments s, TileOfC tile, int row, int column, Float4x4 sum)
    {
        StoreFragment(c, follow, s, tile, row, column, sum.R0);
        StoreFragment(c, follow, s, tile, row, column + 8, sum.R1);
        StoreFragment(c, follow, s, tile, row, column + 16, sum.R2);
        StoreFragment(c, follow, s, tile, row, column + 24, sum.R3);
    }

    private static void StoreFragment(
        ArrayView<float> c, EpilogueViews follow, TiledGemmArguments s, TileOfC tile, int row, int column, Float4 sum)
    {
        s.StorePair<TFinish>(c, follow, tile, row, column, new Float2 { X = sum.X, Y = sum.Y });
        s.StorePair<TFinish>(c, follow, tile, row + 8, column, new Float2 { X = sum.Z, Y = sum.W });
    }
}
