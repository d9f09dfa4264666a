using Dino.Tensors;
using Dino.Tensors.Kernels;

namespace Dino.Pictures.Cutting;

/// <summary>
/// Brightness, contrast, saturation and hue in a drawn order, then grey. Contrast turns around the mean grey of the whole crop as the
/// operations before it left it, so one group does a crop: once over it up to there, a sum, and once over it from there on.
/// </summary>
internal static class ColourKernel
{
    private const int Brightness = 0, Contrast = 1, Saturation = 2, Hue = 3;
    private const int Operations = 4;
    private const int MostThreads = 256;

    /// <param name="device">An accelerator.</param>
    /// <param name="crops">Number of entries of the index.</param>
    /// <param name="block">Pictures and tasks.</param>
    /// <param name="index">Entries of <see cref="CropIndex"/>.</param>
    /// <param name="tables">The words of <see cref="HueTables"/>.</param>
    /// <param name="pixels">The crops, changed in place.</param>
    public static void Run(Device device, int crops, Tensor block, Tensor index, Tensor tables, Tensor pixels) =>
        device.LaunchGroups(crops, new Body(ViewMemory.Of(block), ViewMemory.Of(index), ViewMemory.Of(tables), ViewMemory.Of(pixels)));

    private static void Run(ThreadGroup group, ViewMemory block, ViewMemory index, ViewMemory tables, ViewMemory pixels)
    {
        int thread = group.Thread, threads = group.Threads;
        var sums = ThreadGroup.Share<long>(MostThreads, id: 0);
        int entry = group.Id * CropIndex.Words;
        int task = index.Int(entry + CropIndex.TaskAt), size = block.Int(task + CropTask.SizeAt), count = size * size;
        int first = index.Int(entry + CropIndex.PixelsAt);
        int order = block.Int(task + CropTask.OrderAt), grayscale = block.Int(task + CropTask.GrayscaleAt);
        int mean = 0, next = Operations;
        if (order >= 0)
        {
            next = 0;
            while (Operation(order, next) != Contrast)
                next++;
            int before = next;
            long sum = 0;
            for (int i = thread; i < count; i += threads)
            {
                int pixel = pixels.Int(first + i);
                for (int k = 0; k < before; k++)
                    pixel = Apply(block, task, tables, Operation(order, k), pixel, 0);
                pixels.SetInt(first + i, pixel);
                sum += PackedPixel.Luma(pixel);
            }
            sums[thread] = sum;
            ThreadGroup.Barrier();
            for (int half = threads >> 1; half > 0; half >>= 1)
            {
                if (thread < half)
                    sums[thread] += sums[thread + half];
                ThreadGroup.Barrier();
            }
            mean = RoundedQuotient(sums[0], count);
        }
        if (order < 0 && grayscale == 0)
            return;
        for (int i = thread; i < count; i += threads)
        {
            int pixel = pixels.Int(first + i);
            for (int k = next; k < Operations; k++)
                pixel = Apply(block, task, tables, Operation(order, k), pixel, mean);
            if (grayscale != 0)
                pixel = PackedPixel.Luma(pixel) * 0x10101;
            pixels.SetInt(first + i, pixel);
        }
    }

    /// <summary>One crop a group.</summary>
    internal readonly struct Body(ViewMemory block, ViewMemory index, ViewMemory tables, ViewMemory pixels) : IGroupBody
    {
        private readonly ViewMemory block = block, index = index, tables = tables, pixels = pixels;

        public void Run(ThreadGroup group) => ColourKernel.Run(group, block, index, tables, pixels);
    }

    private static int Operation(int order, int place) => (order >> (2 * place)) & 3;

    private static int Apply(ViewMemory block, int task, ViewMemory tables, int operation, int pixel, int mean)
    {
        if (operation == Hue)
            return HueTables.Turn(tables, pixel, block.Int(task + CropTask.HueAt));
        int level = operation == Brightness ? 0 : operation == Contrast ? mean : PackedPixel.Luma(pixel);
        float factor = block[task + (operation == Brightness ? CropTask.BrightnessAt : operation == Contrast ? CropTask.ContrastAt
            : CropTask.SaturationAt)];
        return PackedPixel.Pack(
            Blend(level, PackedPixel.Red(pixel), factor), Blend(level, PackedPixel.Green(pixel), factor),
            Blend(level, PackedPixel.Blue(pixel), factor));
    }

    /// <summary>level + factor · (v − level), cut off to a whole number and kept within 8 bits, as Pillow's <c>Image.blend</c>.</summary>
    private static int Blend(int level, int v, float factor)
    {
        int value = (int)(level + Real.Product(factor, v - level));
        return value < 0 ? 0 : value > 255 ? 255 : value;
    }

    /// <summary>sum / count of numbers up to 255, halves rounded up, without the division that GPUs lack.</summary>
    private static int RoundedQuotient(long sum, int count)
    {
        long twice = 2L * count, rest = 2 * sum + count;
        int quotient = 0;
        for (int bit = 128; bit > 0; bit >>= 1)
        {
            if ((quotient + bit) * twice <= rest)
                quotient += bit;
        }
        return quotient;
    }
}
