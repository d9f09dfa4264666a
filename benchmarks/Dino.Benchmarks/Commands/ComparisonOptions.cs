using System.CommandLine;

namespace Dino.Benchmarks.Commands;

/// <summary>What every comparison is told, and what it does with its result.</summary>
internal static class ComparisonOptions
{
    public static readonly Option<string> Peer = new("--peer") { Description = "The peer's assembly, TorchPeer.dll.", Required = true };
    public static readonly Option<string[]> PeerEnvironment = new("--peer-env")
    {
        Description = "An environment variable of the peer's process alone. May be given several times.",
        HelpName = "NAME=VALUE",
        Validators =
        {
            result =>
            {
                if (result.Tokens.FirstOrDefault(token => !token.Value.Contains('=', StringComparison.Ordinal)) is { } token)
                    result.AddError($"--peer-env '{token.Value}': write NAME=VALUE.");
            },
        },
    };

    public static readonly Option<int> Pairs = SharedOptions.Number("--pairs", 3, "How often each program runs.");
    public static readonly Option<string?> Csv = new("--csv") { Description = "A file of comma-separated values to add the rows to." };

    /// <summary>All of them.</summary>
    public static Option[] All => [Peer, PeerEnvironment, Pairs, Csv, SharedOptions.Json];

    /// <summary>The libtorch peer.</summary>
    public static MeasuredProgram Torch(ParseResult parsed) => new(
        "The peer", Path.GetFullPath(parsed.GetValue(Peer)!),
        needs: " It needs a C++ library with GLIBCXX_3.4.32 (GCC 13: Debian 13, Ubuntu 24.04).",
        environment: parsed.GetValue(PeerEnvironment));

    /// <summary>The options that change what is measured, as they were given.</summary>
    public static string Told(ParseResult parsed) => string.Join(
        " --peer-env ", [$"--pairs {parsed.GetValue(Pairs)}", .. parsed.GetValue(PeerEnvironment) ?? []]);

    /// <summary>Prints the comparison and keeps its rows, each as the options say.</summary>
    public static void Deliver(ParseResult parsed, Comparison comparison)
    {
        var report = comparison.Report();
        if (parsed.GetValue(SharedOptions.Json))
            Console.WriteLine(ReportJson.Write(report));
        else
            ComparisonTable.Print(report, Console.Out);
        if (parsed.GetValue(Csv) is { } path)
            ComparisonCsv.Append(report, path);
    }
}
