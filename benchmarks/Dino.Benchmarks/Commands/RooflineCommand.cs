using System.CommandLine;
using System.Globalization;
using Dino.Tensors;

namespace Dino.Benchmarks.Commands;

/// <summary><c>roofline</c>: parts of a step as shares of what a device can do.</summary>
internal static class RooflineCommand
{
    private static readonly Option<int> Side = SharedOptions.Number("--side", 4096, "Side of the large product.");
    private static readonly Option<double> Gflops = Roof("--roof-gflops", "GFLOP/s that count as the whole; 0 for the highest measured.");
    private static readonly Option<double> GbS = Roof("--roof-gb-s", "GB/s that count as the whole; 0 for the highest measured.");
    private static readonly Option<double> Seconds = SharedOptions.Seconds(0.5, "Time to spend on an operator.");

    public static Command Create() => new BenchmarkCommand(
        "roofline", "Time the parts of a step at sizes that fill a GPU.", Run,
        Side, SharedOptions.Batch, Gflops, GbS, Seconds, SharedOptions.Threads, SharedOptions.Precision, SharedOptions.Blas,
        SharedOptions.DeviceName, SharedOptions.Json);

    private static void Run(ParseResult parsed)
    {
        using var device = Device.Open(
            parsed.GetValue(SharedOptions.DeviceName)!, new DeviceOptions
            {
                Threads = parsed.GetValue(SharedOptions.Threads),
                Precision = parsed.GetValue(SharedOptions.Precision),
                Blas = parsed.GetValue(SharedOptions.Blas),
            });
        var report = RooflineBenchmark.Run(
            device, parsed.GetValue(Side), parsed.GetValue(SharedOptions.Batch), parsed.GetValue(Seconds), parsed.GetValue(Gflops),
            parsed.GetValue(GbS));
        if (parsed.GetValue(SharedOptions.Json))
            Console.WriteLine(ReportJson.Write(report));
        else
            Print(report);
    }

    /// <summary>Prints the table.</summary>
    public static void Print(RooflineReport report)
    {
        Console.WriteLine($"{report.Device}: the whole is {report.RoofGflops:F0} GFLOP/s, {report.RoofGbS:F0} GB/s");
        foreach (var row in report.Rows)
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  {row.Op,-40}{row.Ms,10:F3} ms [{row.Min:F3} - {row.Max:F3}]{row.Rate,10:F0} {row.Unit,-8}{row.Share,7:P0}"));
    }

    private static Option<double> Roof(string name, string description) => new(name) { Description = description };
}
