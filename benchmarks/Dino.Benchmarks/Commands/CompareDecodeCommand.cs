using System.CommandLine;
using Dino.Pictures.Decoding;

namespace Dino.Benchmarks.Commands;

/// <summary><c>compare-decode</c>: the quick reading of pictures beside the one that is Pillow's to the bit.</summary>
internal static class CompareDecodeCommand
{
    private static readonly Option<double> Seconds = SharedOptions.Seconds(1, "Processor time that each reads for, in each pair.");
    private static readonly Option<int> Pairs = SharedOptions.Number("--pairs", 15, "How often each reads the folder.");

    public static Command Create() => new BenchmarkCommand(
        "compare-decode", "Decode a folder's pictures fast and exactly, alternately, in one thread; exact stands as the peer.", Run,
        SharedOptions.Data, Seconds, Pairs, ComparisonOptions.Csv, SharedOptions.Json);

    private static void Run(ParseResult parsed)
    {
        double seconds = parsed.GetValue(Seconds);
        int pairs = parsed.GetValue(Pairs);
        using var decoding = new DecodeBenchmark(parsed.GetValue(SharedOptions.Data)!);
        if (decoding.Refused > 0)
            Console.Error.WriteLine($"{decoding.Refused} pictures are left out: not both can read them.");
        decoding.Milliseconds(DecodeMode.Fast, seconds);
        decoding.Milliseconds(DecodeMode.Exact, seconds);
        var comparison = new Comparison(
            FormattableString.Invariant($"compare-decode --seconds {seconds} --pairs {pairs}"),
            $"decode {decoding.Count} pictures from memory; fast beside exact, 1 thread", pairs);
        comparison.Alternate(
            () => decoding.Milliseconds(DecodeMode.Fast, seconds), () => decoding.Milliseconds(DecodeMode.Exact, seconds),
            (fast, exact) => comparison.Add("decoding of a picture", "CPU-ms", fast, exact));
        ComparisonOptions.Deliver(parsed, comparison);
    }
}
