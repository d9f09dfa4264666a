using System.CommandLine;

namespace Dino.Benchmarks.Commands;

/// <summary><c>infer</c>: feature extraction.</summary>
internal static class InferCommand
{
    public static Command Create() => new BenchmarkCommand(
        "infer", "Time feature extraction.", Run, [.. SharedOptions.OfInference, SharedOptions.DeviceName, SharedOptions.Json]);

    private static void Run(ParseResult parsed)
    {
        var settings = SharedOptions.InferSettings(parsed);
        var report = InferBenchmark.Run(settings, parsed.GetValue(SharedOptions.DeviceName)!);
        if (parsed.GetValue(SharedOptions.Json))
        {
            Console.WriteLine(ReportJson.Write(report));
            return;
        }
        Console.WriteLine($"{settings}: {report.Ms.Median:F2} ms [{report.Ms.Min:F2} - {report.Ms.Max:F2}], {report.ImagesPerS:F2} "
            + $"images/s");
        Console.WriteLine($"  peak RSS {report.PeakRssMib:F0} MiB");
        Console.WriteLine($"  {report.Gflop:F1} GFLOP, {report.ShareOfPeak:P1} of {report.FmaPeakGflops:F1} GFLOP/s");
    }
}
