using Dino.Tensors;
using Dino.Tensors.Kernels;

namespace Dino.Pictures.Cutting;

/// <summary>
/// Pillow's resize in two passes, each rounded to 8 bits: along the rows of the box, then along its columns. A thread a pixel.
/// </summary>
internal static class ResizeKernels
{
    /// <param name="device">An accelerator.</param>
    /// <param name="groups">What the index shares out.</param>
    /// <param name="block">Pictures and tasks.</param>
    /// <param name="index">Entries of <see cref="CropIndex"/>.</param>
    /// <param name="columnsDone">Receives, for each crop, the rows that it reads, each as wide as the crop.</param>
    /// <param name="crops">Number of entries.</param>
    public static void RunColumns(Device device, int groups, Tensor block, Tensor index, Tensor columnsDone, int crops) =>
        device.LaunchGroups(groups, new ColumnsBody(ViewMemory.Of(block), ViewMemory.Of(index), ViewMemory.Of(columnsDone), crops));

    /// <inheritdoc cref="RunColumns"/>
    public static void RunRows(Device device, int groups, Tensor block, Tensor index, Tensor columnsDone, Tensor pixels, int crops) =>
        device.LaunchGroups(
            groups, new RowsBody(ViewMemory.Of(block), ViewMemory.Of(index), ViewMemory.Of(columnsDone), ViewMemory.Of(pixels), crops));

    internal readonly struct ColumnsBody(ViewMemory block, ViewMemory index, ViewMemory columnsDone, int crops) : IGroupBody
    {
        private readonly ViewMemory block = block, index = index, columnsDone = columnsDone;
        private readonly int crops = crops;

        public void Run(ThreadGroup group) => Columns(group, block, index, columnsDone, crops);
    }

    internal readonly struct RowsBody(ViewMemory block, ViewMemory index, ViewMemory columnsDone, ViewMemory pixels, int crops) : IGroupBody
    {
        private readonly ViewMemory block = block, index = index, columnsDone = columnsDone, pixels = pixels;
        private readonly int crops = crops;

        public void Run(ThreadGroup group) => Rows(group, block, index, columnsDone, pixels, crops);
    }

    private static void Columns(ThreadGroup work, ViewMemory block, ViewMemory index, ViewMemory columnsDone, int crops)
    {
        int group = work.Id;
        int entry = CropIndex.Find(index, crops, CropIndex.FirstColumnGroupAt, group);
        int task = index.Int(entry + CropIndex.TaskAt), size = block.Int(task + CropTask.SizeAt);
        int element = (group - index.Int(entry + CropIndex.FirstColumnGroupAt)) * work.Threads + work.Thread;
        if (element >= block.Int(task + CropTask.RowsAt) * size)
            return;
        int y = element / size, x = element - y * size;
        int taps = block.Int(task + CropTask.ColumnTapsAt);
        int weight = taps + 2 * size + x * block.Int(task + CropTask.ColumnReachAt), end = weight + block.Int(taps + size + x);
        int picture = block.Int(task + CropTask.PictureAt);
        int at = block.Int(task + CropTask.FirstByteAt) + y * block.Int(task + CropTask.StrideAt) + 3 * block.Int(taps + x);
        int r = PackedPixel.Half, g = r, b = r;
        for (; weight < end; weight++)
        {
            int w = block.Int(weight), pixel = PackedPixel.At(block, picture, at);
            r += w * PackedPixel.Red(pixel);
            g += w * PackedPixel.Green(pixel);
            b += w * PackedPixel.Blue(pixel);
            at += 3;
        }
        columnsDone.SetInt(index.Int(entry + CropIndex.ColumnsDoneAt) + element, PackedPixel.FromSums(r, g, b));
    }

    private static void Rows(ThreadGroup work, ViewMemory block, ViewMemory index, ViewMemory columnsDone, ViewMemory pixels, int crops)
    {
        int group = work.Id;
        int entry = CropIndex.Find(index, crops, CropIndex.FirstRowGroupAt, group);
        int task = index.Int(entry + CropIndex.TaskAt), size = block.Int(task + CropTask.SizeAt);
        int element = (group - index.Int(entry + CropIndex.FirstRowGroupAt)) * work.Threads + work.Thread;
        if (element >= size * size)
            return;
        int y = element / size, x = element - y * size;
        int taps = block.Int(task + CropTask.RowTapsAt);
        int weight = taps + 2 * size + y * block.Int(task + CropTask.RowReachAt), end = weight + block.Int(taps + size + y);
        int at = index.Int(entry + CropIndex.ColumnsDoneAt) + block.Int(taps + y) * size + x;
        int r = PackedPixel.Half, g = r, b = r;
        for (; weight < end; weight++)
        {
            int w = block.Int(weight), pixel = columnsDone.Int(at);
            r += w * PackedPixel.Red(pixel);
            g += w * PackedPixel.Green(pixel);
            b += w * PackedPixel.Blue(pixel);
            at += size;
        }
        int column = block.Int(task + CropTask.FlipAt) != 0 ? size - 1 - x : x;
        int row = block.Int(task + CropTask.VerticalFlipAt) != 0 ? size - 1 - y : y;
        pixels.SetInt(index.Int(entry + CropIndex.PixelsAt) + row * size + column, PackedPixel.FromSums(r, g, b));
    }
}
