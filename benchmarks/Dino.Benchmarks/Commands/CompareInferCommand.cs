using System.CommandLine;

namespace Dino.Benchmarks.Commands;

/// <summary><c>compare-infer</c>: feature extraction beside libtorch's.</summary>
internal static class CompareInferCommand
{
    public static Command Create() => new BenchmarkCommand(
        "compare-infer", "Run feature extraction and the peer's alternately.", Run,
        [.. SharedOptions.OfInference, .. ComparisonOptions.All]);

    private static void Run(ParseResult parsed)
    {
        var settings = SharedOptions.InferSettings(parsed);
        int pairs = parsed.GetValue(ComparisonOptions.Pairs);
        var torch = ComparisonOptions.Torch(parsed);
        string[] arguments = ["infer", .. settings.Arguments];
        var comparison = new Comparison($"compare-{string.Join(' ', arguments)} {ComparisonOptions.Told(parsed)}", settings.ToString(),
            pairs);
        comparison.Alternate(() => MeasuredProgram.Ours.Run<InferReport>(arguments), () => torch.Run<InferReport>(arguments),
            (ours, peer) =>
        {
            comparison.Add("features of a batch", "ms", ours.Ms.Median, peer.Ms.Median);
            comparison.AddWhole(
                (ours.ImagesPerS, peer.ImagesPerS), (ours.PeakRssMib, peer.PeakRssMib), ours.Gflop, (ours.Ms.Median, peer.Ms.Median),
                ours.FmaPeakGflops);
        });
        ComparisonOptions.Deliver(parsed, comparison);
    }
}
