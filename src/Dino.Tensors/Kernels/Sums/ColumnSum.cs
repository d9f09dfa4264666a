using Dino.Tensors.Kernels.Host;
using Dino.Tensors.Kernels.Simt;

namespace Dino.Tensors.Kernels.Sums;

/// <summary>tⱼ = Σᵢ xᵢⱼ over the rows of a matrix, how the gradients of biases gather; not differentiable itself.</summary>
/// <remarks>
/// Two passes: blocks of rows to partial sums, then the partial sums in order; of very many rows those in the same way. The blocks depend
/// on the shape alone, so the result does not
/// depend on the number of threads.
/// </remarks>
public static class ColumnSum
{
    private const int LeastRows = 32; // a block: reading and writing its partial sum costs little beside reading its rows
    private const int MostRows = 512; // a block: so long a sum is still exact
    private const int MostBlocks = 256, Elements = 1 << 16; // enough partial sums to fill a GPU
    private const int Tile = 1024; // columns whose sums stay in a core's first-level cache while the rows stream by

    /// <summary>
    /// Sums x: (rows, n) into <paramref name="target"/>, any shape of n elements; with <paramref name="accumulate"/> ≠ 0 adds.
    /// </summary>
    public static void Run(Tensor x, Tensor target, int accumulate)
    {
        Operands.Check(x, target, op: nameof(ColumnSum));
        int n = target.Count;
        if (n == 0 && x.Count == 0)
            return;
        if (n == 0 || x.Count % n != 0)
            throw new ArgumentException($"{x.Shape} does not fall into rows like {target.Shape}.");
        target.NoteWrite();
        int rows = x.Count / n;
        if (rows == 0)
        {
            if (accumulate == 0)
                target.Fill(0);
            return;
        }
        int blocks = Math.Clamp(Elements / n, 1, Math.Min(MostBlocks, (rows + LeastRows - 1) / LeastRows));
        blocks = Math.Max(blocks, (rows + MostRows - 1) / MostRows);
        int height = (rows + blocks - 1) / blocks;
        blocks = (rows + height - 1) / height; // none is empty
        if (blocks == 1)
        {
            Blocks(x, target, rows, n, height, blocks, accumulate);
            return;
        }
        using var scope = x.Device.BeginScope();
        var partial = x.Device.Rent(new Shape(blocks, n));
        Blocks(x, partial, rows, n, height, blocks, accumulate: 0);
        if (blocks <= MostBlocks)
            Blocks(partial, target, blocks, n, blocks, 1, accumulate);
        else
            Run(partial, target, accumulate);
    }

    private static void Blocks(Tensor x, Tensor sums, int rows, int n, int height, int blocks, int accumulate)
    {
        var device = x.Device;
        if (device.IsHost)
        {
            int tiles = (n + Tile - 1) / Tile;
            device.Team.Run(blocks * tiles, new HostBlock(HostMemory.Of(x), HostMemory.Of(sums), rows, n, height, tiles, accumulate));
        }
        else
            ElementLoop<Block>.OnAccelerator(
                device, blocks * n, new(ViewMemory.Of(x), ViewMemory.Of(sums), rows, n, height, accumulate));
    }

    /// <summary>Row after row into the sums of a tile of columns: memory is read in order.</summary>
    private readonly struct HostBlock(HostMemory x, HostMemory sums, int rows, int n, int height, int tiles, int accumulate) : IHostJob
    {
        private readonly HostMemory x = x, sums = sums;
        private readonly int rows = rows, n = n, height = height, tiles = tiles, accumulate = accumulate;

        public void Run(int item)
        {
            HostMemory x = this.x, sums = this.sums;
            int block = item / tiles, first = item % tiles * Tile, last = Math.Min(n, first + Tile);
            int row = block * height, end = Math.Min(rows, row + height), to = block * n;
            int add = accumulate;
            // Four rows at a time: one load and store of the sums for four loads of x.
            for (; row + 4 <= end; row += 4, add = 1)
            {
                int r0 = row * n, r1 = r0 + n, r2 = r1 + n, r3 = r2 + n;
                for (int j = first; j < last; j += Simd.Width)
                {
                    Simd sum = x.Load(r0 + j, r0 + last) + x.Load(r1 + j, r1 + last)
                        + (x.Load(r2 + j, r2 + last) + x.Load(r3 + j, r3 + last));
                    sums.Deliver(to + j, to + last, sum, add);
                }
            }
            for (; row < end; row++, add = 1)
            {
                int r = row * n;
                for (int j = first; j < last; j += Simd.Width)
                    sums.Deliver(to + j, to + last, x.Load(r + j, r + last), add);
            }
        }
    }

    /// <summary>A thread for each block and column: neighbours read neighbouring columns.</summary>
    internal readonly struct Block(ViewMemory x, ViewMemory sums, int rows, int n, int height, int accumulate) : IElementBody
    {
        private readonly ViewMemory x = x, sums = sums;
        private readonly int rows = rows, n = n, height = height, accumulate = accumulate;

        public void At(int i, int end)
        {
            int block = i / n, row = block * height, count = Math.Min(height, rows - row);
            int column = i - block * n;
            sums.Deliver(i, end, RowSum.OfColumn<Lane, ColumnElements<Lane, ViewMemory>>(new(x, row * n + column, n, column), 0, count),
                accumulate);
        }
    }
}
