using System.CommandLine;

namespace Dino.Benchmarks.Commands;

/// <summary><c>peak</c>: what the machine can do at most.</summary>
internal static class PeakCommand
{
    private static readonly Option<int> Repeats = SharedOptions.Number("--repeats", 15, "Measurements of each limit.");

    public static Command Create() => new BenchmarkCommand(
        "peak", "Measure the machine's fp32 multiply-add rate and memory bandwidth.", Run, SharedOptions.Threads, Repeats,
        SharedOptions.Json);

    private static void Run(ParseResult parsed)
    {
        int threads = parsed.GetValue(SharedOptions.Threads), repeats = parsed.GetValue(Repeats);
        var report = new PeakReport(
            "peak", threads, FmaPeak.Width, FmaPeak.Measure(threads, repeats), MemoryBandwidth.Measure(threads, repeats));
        if (parsed.GetValue(SharedOptions.Json))
        {
            Console.WriteLine(ReportJson.Write(report));
            return;
        }
        var (fma, triad) = (report.FmaGflops, report.TriadGbS);
        Console.WriteLine($"{threads} threads, {report.FloatsAVector} floats a vector");
        Console.WriteLine($"  FMA fp32       {fma.Median,8:F1} [{fma.Min:F1} - {fma.Max:F1}] GFLOP/s");
        Console.WriteLine($"  triad 3x64 MiB {triad.Median,8:F1} [{triad.Min:F1} - {triad.Max:F1}] GB/s");
    }
}
