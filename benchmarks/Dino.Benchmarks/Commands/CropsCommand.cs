using System.CommandLine;
using Dino.Pictures.Decoding;

namespace Dino.Benchmarks.Commands;

/// <summary><c>crops</c>: the data pipeline.</summary>
internal static class CropsCommand
{
    /// <summary>How long to load.</summary>
    public static readonly Option<double> Seconds = SharedOptions.Seconds(5, "Time to load for.");

    /// <summary>Which library reads the pictures.</summary>
    private static readonly Option<DecodeMode> Decode =
        new("--decode") { Description = "fast or exact: which library reads the pictures.", DefaultValueFactory = _ => DecodeMode.Fast };

    public static Command Create() => new BenchmarkCommand(
        "crops", "Time decoding and cutting pictures, in one thread.", Run, SharedOptions.Data, Seconds, Decode,
        SharedOptions.Json);

    private static void Run(ParseResult parsed)
    {
        var report = CropsBenchmark.Run(parsed.GetValue(SharedOptions.Data)!, parsed.GetValue(Seconds), parsed.GetValue(Decode));
        Console.WriteLine(parsed.GetValue(SharedOptions.Json)
            ? ReportJson.Write(report)
            : $"{report.ImagesPerS:F1} images/s, {report.ImagesPerCpuS:F1} per CPU-second; {report.BytesPerImage:F0} bytes allocated for "
                + $"each; "
                + $"peak RSS {report.PeakRssMib:F0} MiB");
    }
}
