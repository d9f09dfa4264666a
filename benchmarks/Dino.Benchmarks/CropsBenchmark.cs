using System.Diagnostics;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Pictures.Transforms;

namespace Dino.Benchmarks;

/// <summary>
/// The data pipeline of a training run: the loader with its default crops (2 of 224 pixels, 8 of 96) and one worker thread, which reads,
/// decodes and cuts; nothing is kept from one reading of a picture to the next.
/// </summary>
internal static class CropsBenchmark
{
    private const double WarmupSeconds = 2;
    private const int BatchSize = 4;

    /// <summary>Loads batches for so many seconds.</summary>
    public static CropsReport Run(string data, double seconds, DecodeMode decode)
    {
        var options = new CropLoaderOptions
        {
            BatchSize = BatchSize,
            Views = new MultiCropOptions().Views,
            Preprocessing = new Preprocessing { Decode = decode },
            Prefetch = new PrefetchOptions { Workers = 1 },
        };
        using var loader = new CropLoader(ImageFolder.Scan(data), options);
        Load(loader, WarmupSeconds);
        using var process = Process.GetCurrentProcess();
        var busy = process.TotalProcessorTime;
        long bytes = GC.GetTotalAllocatedBytes(precise: true);
        var (images, elapsed) = Load(loader, seconds);
        bytes = GC.GetTotalAllocatedBytes(precise: true) - bytes;
        process.Refresh();
        busy = process.TotalProcessorTime - busy;
        return new CropsReport(
            "crops", images, elapsed, images / elapsed, images / busy.TotalSeconds, Machine.PeakResidentMiB(), (double)bytes / images);
    }

    private static (int Images, double Seconds) Load(CropLoader loader, double seconds)
    {
        int images = 0;
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
        {
            using var batch = loader.Next();
            images += batch.Count;
        }
        return (images, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }
}
