using System.CommandLine;

namespace Dino.Benchmarks.Commands;

/// <summary><c>compare-ops</c>: single operators beside libtorch's.</summary>
internal static class CompareOpsCommand
{
    public static Command Create() => new BenchmarkCommand(
        "compare-ops", "Run the operators and the peer's alternately.", Run,
        [SharedOptions.Threads, OpsCommand.Seconds, SharedOptions.Only, .. ComparisonOptions.All]);

    private static void Run(ParseResult parsed)
    {
        int pairs = parsed.GetValue(ComparisonOptions.Pairs), threads = parsed.GetValue(SharedOptions.Threads);
        var torch = ComparisonOptions.Torch(parsed);
        string only = parsed.GetValue(SharedOptions.Only)!;
        string[] filter = only.Length > 0 ? ["--only", only] : [];
        string[] arguments = ["ops", "--threads", $"{threads}", "--seconds", $"{parsed.GetValue(OpsCommand.Seconds)}", .. filter];
        var comparison = new Comparison(
            $"compare-{string.Join(' ', arguments)} {ComparisonOptions.Told(parsed)}", $"single operators, {threads} threads", pairs);
        comparison.Alternate(() => MeasuredProgram.Ours.Run<OpsReport>(arguments), () => torch.Run<OpsReport>(arguments), (ours, peer) =>
        {
            var times = TimesOf(peer);
            foreach (var row in ours.Rows)
                if (times.TryGetValue(row.Op, out double time))
                    comparison.Add(row.Op, "ms", row.Ms, time);
        });
        ComparisonOptions.Deliver(parsed, comparison);
    }

    // What is one call of ours and two of the peer's stands against their sum.
    private static Dictionary<string, double> TimesOf(OpsReport peer)
    {
        var times = peer.Rows.ToDictionary(row => row.Op, row => row.Ms);
        if (times.TryGetValue("adamw fused 21.67M params", out double adamW)
            && times.TryGetValue("clip per parameter 21.67M params", out double clip))
            times[OpTable.ClipAndAdamW] = adamW + clip;
        if (times.TryGetValue("linear fwd fc1 3152x384->1536", out double fc1) && times.TryGetValue("gelu fwd 3152x1536", out double gelu))
            times[OpTable.Fc1WithGelu] = fc1 + gelu;
        return times;
    }
}
