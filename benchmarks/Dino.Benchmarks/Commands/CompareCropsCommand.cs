using System.CommandLine;

namespace Dino.Benchmarks.Commands;

/// <summary><c>compare-crops</c>: the data pipeline beside torchvision's with Pillow, on the same files.</summary>
internal static class CompareCropsCommand
{
    private static readonly Option<string> Script = new("--peer")
    {
        Description = "The peer's script, multicrop_pil.py. It fills a --data folder that does not exist.",
        Required = true,
    };

    private static readonly Option<string> Python = SharedOptions.Text("--python", "python3", "What runs it; with torchvision and Pillow.");
    private static readonly Option<int> Pairs = SharedOptions.Number("--pairs", 5, "How often each program runs.");

    public static Command Create() => new BenchmarkCommand(
        "compare-crops", "Run the data pipeline and the peer's alternately, each in one thread.", Run,
        Script, Python, SharedOptions.Data, CropsCommand.Seconds, Pairs, ComparisonOptions.Csv, SharedOptions.Json);

    private static void Run(ParseResult parsed)
    {
        string script = Path.GetFullPath(parsed.GetValue(Script)!), data = parsed.GetValue(SharedOptions.Data)!;
        string seconds = $"{parsed.GetValue(CropsCommand.Seconds)}";
        int pairs = parsed.GetValue(Pairs);
        var pillow = new MeasuredProgram(
            "The peer", Path.Combine(AppContext.BaseDirectory, "crops_peer.py"), parsed.GetValue(Python)!,
            " It needs torch, torchvision, Pillow and NumPy.");
        if (!Directory.Exists(data))
            pillow.Run<CropsReport>(script, data, "--seconds", "0.1");
        var comparison = new Comparison(
            $"compare-crops --seconds {seconds} --pairs {pairs}", "decode 500x375 + crops 2x224 + 8x96, 1 thread", pairs);
        comparison.Alternate(
            () => MeasuredProgram.Ours.Run<CropsReport>("crops", "--data", data, "--seconds", seconds),
            () => pillow.Run<CropsReport>(script, data, "--seconds", seconds),
            (ours, peer) =>
            {
                comparison.Add("rate", "images/s", ours.ImagesPerS, peer.ImagesPerS);
                comparison.Add("rate of a core", "images/CPU-s", ours.ImagesPerCpuS, peer.ImagesPerCpuS);
                comparison.Add("peak RSS", "MiB", ours.PeakRssMib, peer.PeakRssMib);
                comparison.Add("managed memory of a picture", "bytes", ours.BytesPerImage, double.NaN);
            });
        ComparisonOptions.Deliver(parsed, comparison);
    }
}
