using System.CommandLine;
using Dino.Pictures.Decoding;

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

    private static readonly Option<DecodeMode[]> Decode = new("--decode")
    {
        Description = "fast or exact: which library reads our pictures. Both, unless one is given.",
        DefaultValueFactory = _ => [DecodeMode.Fast, DecodeMode.Exact],
    };

    public static Command Create() => new BenchmarkCommand(
        "compare-crops", "Run the data pipeline and the peer's alternately, each in one thread.", Run,
        Script, Python, SharedOptions.Data, Decode, CropsCommand.Seconds, Pairs, ComparisonOptions.Csv, SharedOptions.Json);

    private static void Run(ParseResult parsed)
    {
        string script = Path.GetFullPath(parsed.GetValue(Script)!), data = parsed.GetValue(SharedOptions.Data)!;
        string seconds = $"{parsed.GetValue(CropsCommand.Seconds)}";
        DecodeMode[] modes = [.. parsed.GetValue(Decode)!.Distinct()];
        int pairs = parsed.GetValue(Pairs);
        var pillow = new MeasuredProgram(
            "The peer", Path.Combine(AppContext.BaseDirectory, "crops_peer.py"), parsed.GetValue(Python)!,
            " It needs torch, torchvision, Pillow and NumPy.");
        if (!Directory.Exists(data))
            pillow.Run<CropsReport>(script, data, "--seconds", "0.1");
        var comparison = new Comparison(
            $"compare-crops --seconds {seconds} --pairs {pairs}", "decode 500x375 + crops 2x224 + 8x96, 1 thread", pairs);
        // Ours in each mode and the peer are neighbours: a drift of the machine's speed cancels in the quotients of both.
        comparison.Alternate(
            () => modes.Select(mode => MeasuredProgram.Ours.Run<CropsReport>(
                "crops", "--data", data, "--seconds", seconds, "--decode", Word(mode))).ToArray(),
            () => [pillow.Run<CropsReport>(script, data, "--seconds", seconds)],
            (ours, peer) => Add(comparison, [.. modes.Zip(ours)], peer[0]));
        ComparisonOptions.Deliver(parsed, comparison);
    }

    /// <summary>One pair: a row of each quantity for each mode.</summary>
    internal static void Add(Comparison comparison, IReadOnlyList<(DecodeMode Mode, CropsReport Report)> ours, CropsReport peer)
    {
        foreach (var (mode, report) in ours)
        {
            string suffix = $" ({Word(mode)})";
            comparison.Add("rate" + suffix, "images/s", report.ImagesPerS, peer.ImagesPerS);
            comparison.Add("rate of a core" + suffix, "images/CPU-s", report.ImagesPerCpuS, peer.ImagesPerCpuS);
            comparison.Add("peak RSS" + suffix, "MiB", report.PeakRssMib, peer.PeakRssMib);
            comparison.Add("managed memory of a picture" + suffix, "bytes", report.BytesPerImage, double.NaN);
        }
    }

    private static string Word(DecodeMode mode) => mode.ToString().ToLowerInvariant();
}
