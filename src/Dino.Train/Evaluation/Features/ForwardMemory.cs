using System.Globalization;
using Dino.Model;
using Dino.Tensors;

namespace Dino.Train.Evaluation.Features;

/// <summary>Whether there is the memory that a network takes to look at pictures.</summary>
internal static class ForwardMemory
{
    /// <summary>Refuses pictures that cannot fit, before anything is allocated.</summary>
    /// <param name="backbone">The network.</param>
    /// <param name="device">Where it would be.</param>
    /// <param name="images">B.</param>
    /// <param name="height">Of the pictures, in pixels.</param>
    /// <param name="width">Of the pictures, in pixels.</param>
    /// <param name="lower">What lowers the need: "a smaller `Video.Size`".</param>
    /// <exception cref="EvaluationException">The message names both sizes and what lowers the need.</exception>
    public static void Check(Backbone backbone, Device device, int images, int height, int width, string lower)
    {
        long needed = backbone.ForwardBytes(images, height, width), there = Math.Max(0, device.MemoryBytes - device.Pool.UsedBytes);
        // The pictures lie on the host first, and on the cpu device its memory is the host's.
        long host = 4L * images * backbone.Channels * height * width + (device.IsHost ? needed : 0), free = HostMemory.AvailableBytes;
        string what = $"{(images == 1 ? "A picture" : string.Create(
            CultureInfo.InvariantCulture, $"{images} pictures at a time"))} of {width} × {height} pixels";
        if (needed > there)
            throw TooMuch($"{what} would take about {Size(needed)} of {device.Name}, which has {Size(there)} left", lower);
        if (host > free)
            throw TooMuch($"{what} would take about {Size(host)} of memory, and the machine has {Size(free)} left", lower);
    }

    private static EvaluationException TooMuch(string what, string lower) => new($"{what}: {lower} needs less.");

    private static string Size(long bytes) => bytes >= 10L << 30
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 30):F1} GiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):F0} MiB");
}
