using Dino.Tensors;
using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Simt;

namespace Dino.Pictures.Cutting;

/// <summary>
/// Pillow's Gaussian blur (three boxes along rows, then three along columns, each rounded to 8 bits, edges replicated), solarisation, and
/// normalisation to floats. A group does a tile of a crop: it reads what lies around the tile, too, and needs no other group.
/// </summary>
internal static class FinishKernel
{
    /// <summary>Side of a tile in pixels.</summary>
    public const int Tile = 32;

    /// <summary>The furthest neighbour that a box may reach, which bounds the shared memory.</summary>
    public const int MaxReach = 2;

    private const int Passes = 3, Pitch = Tile + 2 * Passes * MaxReach, Half = Pitch * Pitch;

    /// <summary>Tiles of a crop.</summary>
    public static int TilesOf(int size) => (size + Tile - 1) / Tile * ((size + Tile - 1) / Tile);

    /// <param name="device">An accelerator.</param>
    /// <param name="tiles">Tiles of all crops.</param>
    /// <param name="block">Pictures and tasks.</param>
    /// <param name="index">Entries of <see cref="CropIndex"/>.</param>
    /// <param name="pixels">The crops.</param>
    /// <param name="levels">The float of each of 256 values, for each of three channels.</param>
    /// <param name="target">Receives the crops, each (3, S, S).</param>
    /// <param name="crops">Number of entries.</param>
    public static void Run(
        Device device, int tiles, Tensor block, Tensor index, Tensor pixels, Tensor levels, Tensor target, int crops) =>
        device.LaunchGroups(tiles, new Body(
            ViewMemory.Of(block), ViewMemory.Of(index), ViewMemory.Of(pixels), ViewMemory.Of(levels), ViewMemory.Of(target), crops));

    private static void Run(
        ThreadGroup work, ViewMemory block, ViewMemory index, ViewMemory pixels, ViewMemory levels, ViewMemory target, int crops)
    {
        int thread = work.Thread, threads = work.Threads, group = work.Id;
        var shared = ThreadGroup.Share<int>(2 * Half, id: 0);
        int entry = CropIndex.Find(index, crops, CropIndex.FirstTileAt, group);
        int task = index.Int(entry + CropIndex.TaskAt), size = block.Int(task + CropTask.SizeAt);
        int tile = group - index.Int(entry + CropIndex.FirstTileAt), across = (size + Tile - 1) / Tile;
        int reach = block.Int(task + CropTask.WholeAt) + 1, halo = Passes * reach, width = Tile + 2 * halo;
        int left = tile % across * Tile - halo, top = tile / across * Tile - halo;
        int first = index.Int(entry + CropIndex.PixelsAt);
        for (int i = thread; i < width * width; i += threads)
        {
            int row = i / width, column = i - row * width, y = top + row, x = left + column;
            if (x >= 0 && x < size && y >= 0 && y < size)
                shared[row * Pitch + column] = pixels.Int(first + y * size + x);
        }
        ThreadGroup.Barrier();
        int from = 0;
        if (reach > 0)
        {
            uint full = (uint)block.Int(task + CropTask.FullAt), edge = (uint)block.Int(task + CropTask.EdgeAt);
            for (int pass = 1; pass <= Passes; pass++)
            {
                Blur(shared, from, 0, width, reach * pass, width - 2 * reach * pass, 1, left, top, size, reach, full, edge, thread,
                    threads);
                ThreadGroup.Barrier();
                from = Half - from;
            }
            for (int pass = 1; pass <= Passes; pass++)
            {
                Blur(shared, from, reach * pass, width - 2 * reach * pass, halo, Tile, Pitch, left, top, size, reach, full, edge, thread,
                    threads);
                ThreadGroup.Barrier();
                from = Half - from;
            }
        }
        int solarize = block.Int(task + CropTask.SolarizeAt), plane = size * size;
        int output = index.Int(entry + CropIndex.OutputAt);
        for (int i = thread; i < Tile * Tile; i += threads)
        {
            int row = halo + i / Tile, column = halo + i % Tile, y = top + row, x = left + column;
            if (x >= size || y >= size)
                continue;
            int pixel = shared[from + row * Pitch + column], at = output + y * size + x;
            target[at] = levels[Final(PackedPixel.Red(pixel), solarize)];
            target[at + plane] = levels[256 + Final(PackedPixel.Green(pixel), solarize)];
            target[at + 2 * plane] = levels[512 + Final(PackedPixel.Blue(pixel), solarize)];
        }
    }

    /// <summary>One tile a group.</summary>
    internal readonly struct Body(
        ViewMemory block, ViewMemory index, ViewMemory pixels, ViewMemory levels, ViewMemory target, int crops) : IGroupBody
    {
        private readonly ViewMemory block = block, index = index, pixels = pixels, levels = levels, target = target;
        private readonly int crops = crops;

        public void Run(ThreadGroup group) => FinishKernel.Run(group, block, index, pixels, levels, target, crops);
    }

    private static int Final(int v, int threshold) => v >= threshold ? 255 - v : v;

    /// <summary>
    /// One box over a part of the tile, from one half of the shared memory to the other; neighbours are a row or a column away.
    /// </summary>
    private static void Blur(
        SharedBlock<int> shared, int from, int firstRow, int rows, int firstColumn, int columns, int step, int left, int top, int size,
        int reach, uint full, uint edge, int thread, int threads)
    {
        for (int i = thread; i < rows * columns; i += threads)
        {
            int row = firstRow + i / columns, column = firstColumn + i % columns, y = top + row, x = left + column;
            if (x < 0 || x >= size || y < 0 || y >= size)
                continue;
            int place = step == 1 ? x : y, at = row * Pitch + column, source = from + at;
            // Red and blue share a sum: five values of 8 bits do not meet in 16.
            int centre = shared[source];
            int redBlue = centre & 0xff00ff, green = (centre >> 8) & 255;
            for (int k = 1; k < reach; k++)
            {
                int before = shared[source - step * Near(k, place)], after = shared[source + step * Near(k, size - 1 - place)];
                redBlue += (before & 0xff00ff) + (after & 0xff00ff);
                green += ((before >> 8) & 255) + ((after >> 8) & 255);
            }
            int low = shared[source - step * Near(reach, place)], high = shared[source + step * Near(reach, size - 1 - place)];
            int outer = (low & 0xff00ff) + (high & 0xff00ff), outerGreen = ((low >> 8) & 255) + ((high >> 8) & 255);
            shared[Half - from + at] = PackedPixel.Pack(
                Weigh(redBlue & 0xffff, outer & 0xffff, full, edge), Weigh(green, outerGreen, full, edge),
                Weigh(redBlue >> 16, outer >> 16, full, edge));
        }
    }

    /// <summary>How far the neighbour is: at the edge of the crop, the last pixel stands for those beyond.</summary>
    private static int Near(int distance, int room) => distance < room ? distance : room;

    private static int Weigh(int sum, int outer, uint full, uint edge) => (int)(((uint)sum * full + (uint)outer * edge + (1u << 23)) >> 24);
}
