using System.Globalization;
using Dino.Model;
using Dino.Tensors;

namespace Dino.Train.Evaluation.Features;

/// <summary>How much memory a network takes to look at pictures, from the sizes alone, and whether there is so much.</summary>
public static class ForwardMemory
{
    /// <summary>Bytes on the device at the height of a forward pass, beside the weights.</summary>
    /// <param name="config">The network.</param>
    /// <param name="images">B.</param>
    /// <param name="height">Of the pictures, in pixels.</param>
    /// <param name="width">Of the pictures, in pixels.</param>
    public static long Of(ViTConfig config, int images, int height, int width)
    {
        double patches = Math.Floor((double)height / config.Patch) * Math.Floor((double)width / config.Patch), tokens = images * (config.FirstPatch + patches);
        double pixels = (double)images * config.Channels * height * width, table = config.Rotary ? 0 : (1 + patches) * config.Dim;
        // First the patches' pixels are gathered and embedded. A block then holds its input, the norm of it, queries, keys and values, the
        // attention's result and its rows' sums, the sum, the norm of that, the hidden layer, and its own result; and what later networks add.
        double widths = 9 + (config.LayerScale ? 4 : 0) + (config.Rotary ? 3 : 0), hidden = (config.SwiGlu ? 3.0 : 1) * config.Hidden;
        double embedding = pixels + tokens * config.Dim, block = tokens * (widths * config.Dim + hidden + config.Heads);
        return (long)Math.Min(long.MaxValue / 2, 4 * (pixels + table + Math.Max(embedding, block)));
    }

    /// <summary>Refuses pictures that cannot fit, before anything is allocated.</summary>
    /// <param name="config">The network.</param>
    /// <param name="device">Where it would be.</param>
    /// <param name="images">B.</param>
    /// <param name="height">Of the pictures, in pixels.</param>
    /// <param name="width">Of the pictures, in pixels.</param>
    /// <param name="lower">What lowers the need: "a smaller --size".</param>
    /// <exception cref="UserErrorException">The message names both sizes and what lowers the need.</exception>
    public static void Check(ViTConfig config, Device device, int images, int height, int width, string lower)
    {
        long needed = Of(config, images, height, width), there = Math.Max(0, device.MemoryBytes - device.Pool.UsedBytes);
        // The pictures lie on the host first, and on the cpu device its memory is the host's.
        long host = 4L * images * config.Channels * height * width + (device.Name == "cpu" ? needed : 0), free = HostMemory.AvailableBytes;
        string what = $"{(images == 1 ? "A picture" : string.Create(CultureInfo.InvariantCulture, $"{images} pictures at a time"))} of {width} × {height} pixels";
        if (needed > there)
            throw TooMuch($"{what} would take about {Size(needed)} of {device.Name}, which has {Size(there)} left", lower);
        if (host > free)
            throw TooMuch($"{what} would take about {Size(host)} of memory, and the machine has {Size(free)} left", lower);
    }

    private static UserErrorException TooMuch(string what, string lower) => new($"{what}: {lower} needs less.");

    private static string Size(long bytes) => bytes >= 10L << 30
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 30):F1} GiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):F0} MiB");
}
