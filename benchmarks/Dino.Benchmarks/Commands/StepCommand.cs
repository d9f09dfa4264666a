using System.CommandLine;

namespace Dino.Benchmarks.Commands;

/// <summary><c>step</c>: the training step, phase by phase.</summary>
internal static class StepCommand
{
    public static Command Create() =>
        new BenchmarkCommand("step", "Time the training step.", Run,
            [.. SharedOptions.OfSteps, SharedOptions.Whole, SharedOptions.Precision, SharedOptions.Blas, SharedOptions.DeviceName,
            SharedOptions.Json]);

    private static void Run(ParseResult parsed)
    {
        var settings = SharedOptions.StepSettings(parsed);
        var report = StepBenchmark.Run(settings, parsed.GetValue(SharedOptions.DeviceName)!);
        if (parsed.GetValue(SharedOptions.Json))
        {
            Console.WriteLine(ReportJson.Write(report));
            return;
        }
        Console.WriteLine(settings);
        foreach (var (name, time) in report.PhasesMs)
            Console.WriteLine($"  {name,-16}{time.Median,10:F2}  [{time.Min:F2} - {time.Max:F2}] ms");
        Console.WriteLine($"  {report.ImagesPerS:F3} images/s, loss {report.FirstLoss:F4} -> {report.LastLoss:F4}");
        Console.WriteLine($"  peak RSS {report.PeakRssMib:F0} MiB, tensors {report.PeakPoolMib:F0} MiB");
        Console.WriteLine($"  {report.Gflop:F1} GFLOP, {report.ShareOfPeak:P1} of {report.FmaPeakGflops:F1} GFLOP/s");
    }
}
