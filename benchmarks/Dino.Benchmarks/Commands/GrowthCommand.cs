using System.CommandLine;

namespace Dino.Benchmarks.Commands;

/// <summary><c>growth</c>: time and memory of the step over its size.</summary>
internal static class GrowthCommand
{
    private static readonly Option<int[]> Patches = Numbers("--patches", [16, 8], "Sizes of a patch in pixels.");
    private static readonly Option<int[]> Batches = Numbers("--batches", [1, 2, 4, 8], "Pictures of a batch.");
    private static readonly Option<int> OutDim = SharedOptions.Number("--out-dim", 4096, "Prototypes, K.");
    private static readonly Option<string?> Csv = new("--csv") { Description = "A file of comma-separated values to write." };
    private static readonly Option<string?> Plot = new("--plot") { Description = "A PNG picture to draw." };

    public static Command Create() => new BenchmarkCommand(
        "growth", "Time the step at several sizes, each in a process of its own.", Run, SharedOptions.Arch, Patches, Batches, OutDim,
        SharedOptions.LocalCrops, SharedOptions.Iters, SharedOptions.Warmup, SharedOptions.Threads, Csv, Plot);

    private static void Run(ParseResult parsed)
    {
        var settings = new StepSettings(
            parsed.GetValue(SharedOptions.Arch)!, Patch: 0, Batch: 0, parsed.GetValue(OutDim), parsed.GetValue(SharedOptions.LocalCrops),
            parsed.GetValue(SharedOptions.Iters), parsed.GetValue(SharedOptions.Warmup), parsed.GetValue(SharedOptions.Threads));
        var rows = Growth.Measure(settings, parsed.GetValue(Patches)!, parsed.GetValue(Batches)!, row => Console.WriteLine(
            $"{row.Settings}: {row.Tokens} tokens, {row.Ms.Median:F0} ms [{row.Ms.Min:F0} - {row.Ms.Max:F0}], "
            + $"peak RSS {row.PeakRssMib:F0} MiB, tensors {row.PeakPoolMib:F0} MiB"));
        foreach (var (name, line) in Growth.Fits(rows))
            Console.WriteLine($"{name,-32} {line.Intercept,10:F2} + {line.Slope:G4} x, R² {line.RSquared:F5}");
        if (parsed.GetValue(Csv) is { } csv)
            GrowthCsv.Write(rows, csv);
        if (parsed.GetValue(Plot) is { } plot)
            GrowthPlot.Write(rows, plot);
    }

    private static Option<int[]> Numbers(string name, int[] values, string description)
    {
        var option = new Option<int[]>(name)
        {
            Description = description,
            DefaultValueFactory = _ => values,
            AllowMultipleArgumentsPerToken = true,
        };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int[]>() is not { Length: > 0 } given || given.Min() < 1)
                result.AddError($"{name} needs numbers from 1 on.");
        });
        return option;
    }
}
