using System.CommandLine;

namespace Dino.Benchmarks.Commands;

/// <summary><c>compare</c>: the training step beside libtorch's.</summary>
internal static class CompareCommand
{
    public static Command Create() => new BenchmarkCommand(
        "compare", "Run the step and the peer's alternately.", Run, [.. SharedOptions.OfSteps, .. ComparisonOptions.All]);

    private static void Run(ParseResult parsed)
    {
        var settings = SharedOptions.StepSettings(parsed);
        int pairs = parsed.GetValue(ComparisonOptions.Pairs);
        var torch = ComparisonOptions.Torch(parsed);
        var comparison = new Comparison($"compare {string.Join(' ', settings.OwnArguments)} {ComparisonOptions.Told(parsed)}",
            settings.ToString(), pairs);
        StepReport RunOurs() => MeasuredProgram.Ours.Run<StepReport>(["step", .. settings.OwnArguments]);
        StepReport RunPeer() => torch.Run<StepReport>(["step", .. settings.Arguments]);
        comparison.Alternate(RunOurs, RunPeer, (ours, peer) =>
        {
            foreach (string phase in StepBenchmark.Phases)
                comparison.Add(phase, "ms", ours.PhasesMs[phase].Median, peer.PhasesMs[phase].Median);
            comparison.AddWhole(
                (ours.ImagesPerS, peer.ImagesPerS), (ours.PeakRssMib, peer.PeakRssMib), ours.Gflop,
                (ours.PhasesMs["total"].Median, peer.PhasesMs["total"].Median), ours.FmaPeakGflops);
            // Both learn the same: their losses differ as the random first values do.
            comparison.Add("loss after the last step", "nats", ours.LastLoss, peer.LastLoss);
        });
        ComparisonOptions.Deliver(parsed, comparison);
    }
}
