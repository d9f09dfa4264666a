using System.Diagnostics;
using System.Globalization;
using Dino.Tensors;

namespace Dino.Benchmarks;

/// <summary>What was measured on a GPU; what could not be has a reason in its place.</summary>
internal sealed record GpuReport(string Device, RoofReport? Roof, IReadOnlyList<GpuStep> Steps, IReadOnlyList<GpuRoofline> Rooflines);

/// <summary>The parts of a step in one precision.</summary>
internal sealed record GpuRoofline(Precision Precision, RooflineReport Report);

/// <summary>A step of ours or of the peer; <see cref="Error"/> says why there are no times.</summary>
internal sealed record GpuStep(
    string Program, StepSettings Sizes, double Ms, double Min, double Max, double ImagesPerS, double MemoryMib, string? Error);

/// <summary>
/// Runs a <see cref="GpuPlan"/>, each measurement in a process of its own, so that one that fails takes no other with it.
/// </summary>
internal sealed class GpuBenchmark(GpuPlan plan, string? peer, string python, TimeSpan budget, Action<string> say)
{
    private readonly Stopwatch watch = Stopwatch.StartNew();

    public GpuReport Run()
    {
        // Small before large, and what only we can measure before what fills the rest of the time.
        var roof = peer is null ? null : Try("roof", () => new MeasuredProgram(
            "PyTorch", Path.Combine(AppContext.BaseDirectory, "gpu_roof.py"), python, " It needs PyTorch.")
            .Run<RoofReport>("--device", plan.PeerDevice, "--side", Text(plan.Side)), out _);
        var rooflines = new List<GpuRoofline>();
        foreach (var precision in plan.Precisions)
        {
            double gflops = roof is null ? 0 : precision switch
            {
                Precision.Tf32 => roof.Tf32Gflops,
                Precision.Bf16 => roof.Bf16Gflops,
                _ => roof.Fp32Gflops,
            };
            var report = Try($"roofline {Text(precision)}", () => MeasuredProgram.Ours.Run<RooflineReport>(
                "roofline", "--device", plan.Device, "--precision", Text(precision), "--side", Text(plan.Side), "--batch",
                Text(plan.Pictures), "--seconds", Text(plan.SecondsAnOp), "--roof-gflops", Text(gflops), "--roof-gb-s",
                Text(roof?.CopyGbS ?? 0)), out _);
            if (report is null)
                continue;
            rooflines.Add(new GpuRoofline(precision, report));
            Commands.RooflineCommand.Print(report);
        }
        var steps = new List<GpuStep>();
        foreach (var precision in plan.Precisions)
            foreach (var sizes in plan.Steps)
            {
                Add(steps, Ours(sizes with { Precision = precision }));
                if (peer is not null)
                    Add(steps, Peer(sizes with { Precision = precision }));
            }
        return new GpuReport(rooflines.FirstOrDefault()?.Report.Device ?? plan.Device, roof, steps, rooflines);
    }

    private GpuStep Ours(StepSettings sizes)
    {
        var report = Try($"ours {Text(sizes.Precision)} {sizes}",
            () => MeasuredProgram.Ours.Run<StepReport>(["step", .. sizes.OwnArguments, "--device", plan.Device]), out string? error);
        if (report is null)
            return new("ours", sizes, 0, 0, 0, 0, 0, error);
        var total = report.PhasesMs["total"];
        return new("ours", sizes, total.Median, total.Min, total.Max, report.ImagesPerS, report.PeakPoolMib, null);
    }

    private GpuStep Peer(StepSettings sizes)
    {
        string mode = Text(sizes.Precision);
        var report = Try($"peer {mode} {sizes}",
            () => new MeasuredProgram("The peer", peer!, python, " It needs PyTorch.").RunToFile<PeerSteps>(
            "--json-out", "--device", plan.PeerDevice, "--archs", $"{sizes.Arch}/{sizes.Patch}", "--batches", Text(sizes.Batch), "--modes",
            mode, "--out-dim", Text(sizes.OutDim), "--local-crops", Text(sizes.LocalCrops), "--iters", Text(sizes.Iters), "--warmup",
            Text(sizes.Warmup)), out string? error);
        var step = report?.Results[0];
        return step is not { Ok: true }
            ? new("peer", sizes, 0, 0, 0, 0, 0, error ?? step!.Error)
            : new("peer", sizes, step.TotalMs, step.MinMs, step.MaxMs, step.ImagesPerS, step.PeakAllocMib ?? 0, null);
    }

    private void Add(List<GpuStep> steps, GpuStep step)
    {
        steps.Add(step);
        string measured = step.Error ?? string.Create(
            CultureInfo.InvariantCulture, $"{step.Ms:F1} ms [{step.Min:F1} - {step.Max:F1}], {step.ImagesPerS:F1} images/s, "
                + $"{step.MemoryMib:F0} MiB");
        say($"{step.Program} {Text(step.Sizes.Precision)} {step.Sizes}: {measured}");
    }

    private T? Try<T>(string what, Func<T> measure, out string? error) where T : class
    {
        error = null;
        if (watch.Elapsed > budget)
            error = $"not measured: {budget.TotalSeconds:F0} s were over";
        try
        {
            if (error is null)
                return measure();
        }
        catch (ProgramFailedException e)
        {
            error = e.Message.Split('\n')[^1].Trim();
        }
        say($"{what}: {error}");
        return null;
    }

    private static string Text(Precision precision) => precision.ToString().ToLowerInvariant();

    private static string Text(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);
}
