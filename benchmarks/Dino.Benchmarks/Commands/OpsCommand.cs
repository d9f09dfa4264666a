using System.CommandLine;

namespace Dino.Benchmarks.Commands;

/// <summary><c>ops</c>: single operators.</summary>
internal static class OpsCommand
{
    /// <summary>How long to call an operator.</summary>
    public static readonly Option<double> Seconds = SharedOptions.Seconds(1.5, "Time to spend on an operator.");

    public static Command Create() => new BenchmarkCommand(
        "ops", "Time single operators.", Run,
        SharedOptions.Threads, Seconds, SharedOptions.Only, SharedOptions.DeviceName, SharedOptions.Json);

    private static void Run(ParseResult parsed)
    {
        bool json = parsed.GetValue(SharedOptions.Json);
        Action<string> say = json ? _ => { } : Console.WriteLine;
        var report = OpBenchmark.Run(
            parsed.GetValue(SharedOptions.DeviceName)!, parsed.GetValue(SharedOptions.Threads), parsed.GetValue(Seconds),
            parsed.GetValue(SharedOptions.Only)!, say);
        if (json)
            Console.WriteLine(ReportJson.Write(report));
    }
}
