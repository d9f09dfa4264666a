using System.CommandLine;
using System.Globalization;

namespace Dino.Benchmarks;

/// <summary>Times the training step and its operators, alone or against the libtorch peer.</summary>
internal static class Program
{
    private static readonly Option<string> Arch = new("--arch")
    {
        Description = "vit_tiny, vit_small or vit_base.",
        DefaultValueFactory = _ => "vit_tiny",
    };

    private static readonly Option<int> Patch = Number("--patch", 16, "Pixels along the side of a patch.");
    private static readonly Option<int> Batch = Number("--batch", 8, "Pictures of a batch.");
    private static readonly Option<int> OutDim = Number("--out-dim", 65536, "Prototypes, K.");
    private static readonly Option<int> LocalCrops = Number("--local-crops", 8, "Local crops of a picture.");
    private static readonly Option<int> Iters = Number("--iters", 5, "Measured steps.");
    private static readonly Option<int> Warmup = Number("--warmup", 2, "Steps before them.");
    private static readonly Option<int> Threads = Number("--threads", 2, "Threads of either program.");
    private static readonly Option<int> Pairs = Number("--pairs", 3, "How often each program runs.");
    private static readonly Option<string> DeviceName = new("--device") { Description = "Where to compute.", DefaultValueFactory = _ => "cpu" };
    private static readonly Option<bool> Json = new("--json") { Description = "Print one line of JSON." };

    private static readonly Option<double> Seconds = new("--seconds")
    {
        Description = "Time to spend on an operator.",
        DefaultValueFactory = _ => 1.5,
    };

    private static readonly Option<string> Only = new("--only")
    {
        Description = "Only operators whose name holds this.",
        DefaultValueFactory = _ => "",
    };

    private static readonly Option<string> Peer = new("--peer") { Description = "The peer's assembly, TorchPeer.dll.", Required = true };
    private static readonly Option<string?> Csv = new("--csv") { Description = "A file of comma-separated values to add the rows to." };

    private static int Main(string[] arguments)
    {
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        var root = new RootCommand("Times the training step and its operators, alone or against libtorch.")
        {
            Build("step", "Time the training step.", Step, [.. Sizes, DeviceName, Json]),
            Build("ops", "Time single operators.", Ops, Threads, Seconds, Only, DeviceName, Json),
            Build("compare", "Run the step and the peer's alternately.", Compare, [.. Sizes, Peer, Pairs, Csv]),
            Build("compare-ops", "Run the operators and the peer's alternately.", CompareOps, Threads, Seconds, Only, Peer, Pairs, Csv),
        };
        try
        {
            return root.Parse(arguments).Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (Exception exception) when (exception is ProgramFailedException or ArgumentException or IOException)
        {
            Console.Error.WriteLine(exception.Message);
            return 1;
        }
    }

    private static Option[] Sizes => [Arch, Patch, Batch, OutDim, LocalCrops, Iters, Warmup, Threads];

    private static void Step(ParseResult parsed)
    {
        var settings = Settings(parsed);
        var report = StepBenchmark.Run(settings, parsed.GetValue(DeviceName)!);
        if (parsed.GetValue(Json))
        {
            Console.WriteLine(ReportJson.Write(report));
            return;
        }
        Console.WriteLine(settings);
        foreach (var (name, time) in report.PhasesMs)
            Console.WriteLine($"  {name,-16}{time.Median,10:F2}  [{time.Min:F2} - {time.Max:F2}] ms");
        Console.WriteLine($"  {report.ImagesPerS:F3} images/s  peak RSS {report.PeakRssMib:F0} MiB  loss {report.FirstLoss:F4} -> {report.LastLoss:F4}");
    }

    private static void Ops(ParseResult parsed)
    {
        bool json = parsed.GetValue(Json);
        var report = OpBenchmark.Run(
            parsed.GetValue(DeviceName)!, parsed.GetValue(Threads), parsed.GetValue(Seconds), parsed.GetValue(Only)!,
            json ? _ => { }
        : Console.WriteLine);
        if (json)
            Console.WriteLine(ReportJson.Write(report));
    }

    private static void Compare(ParseResult parsed)
    {
        var settings = Settings(parsed);
        int pairs = parsed.GetValue(Pairs);
        var peer = PeerOf(parsed);
        string[] arguments = ["step", .. settings.Arguments];
        var comparison = new Comparison($"compare {string.Join(' ', settings.Arguments)} --pairs {pairs}", settings.ToString(), pairs);
        StepReport? lastOurs = null, lastPeer = null;
        Comparison.Alternate(pairs, () => MeasuredProgram.Ours.Run<StepReport>(arguments), () => peer.Run<StepReport>(arguments), (ours, theirs) =>
        {
            foreach (string phase in StepBenchmark.Phases)
                comparison.Add(phase, ours.PhasesMs[phase].Median, theirs.PhasesMs[phase].Median);
            (lastOurs, lastPeer) = (ours, theirs);
        });
        comparison.Print(Console.Out);
        foreach (var (name, report) in new[] { ("ours", lastOurs), ("peer", lastPeer) })
            Console.WriteLine($"{name}: {report!.ImagesPerS:F2} images/s, peak RSS {report.PeakRssMib:F0} MiB, loss {report.FirstLoss:F4} -> {report.LastLoss:F4}");
        Keep(parsed, comparison);
    }

    private static void CompareOps(ParseResult parsed)
    {
        int pairs = parsed.GetValue(Pairs);
        var peer = PeerOf(parsed);
        string only = parsed.GetValue(Only)!;
        string[] arguments =
            ["ops", "--threads", $"{parsed.GetValue(Threads)}", "--seconds", $"{parsed.GetValue(Seconds)}", .. only.Length > 0 ? (string[])["--only", only] : []];
        var comparison = new Comparison($"compare-{string.Join(' ', arguments)} --pairs {pairs}", $"single operators, {parsed.GetValue(Threads)} threads", pairs);
        Comparison.Alternate(pairs, () => MeasuredProgram.Ours.Run<OpsReport>(arguments), () => peer.Run<OpsReport>(arguments), (ours, theirs) =>
        {
            var times = theirs.Rows.ToDictionary(row => row.Op, row => row.Ms);
            if (times.TryGetValue("adamw fused 21.67M params", out double adamW) && times.TryGetValue("clip per parameter 21.67M params", out double clip))
                times[OpTable.ClipAndAdamW] = adamW + clip;
            foreach (var row in ours.Rows)
                if (times.TryGetValue(row.Op, out double time))
                    comparison.Add(row.Op, row.Ms, time);
        });
        comparison.Print(Console.Out);
        Keep(parsed, comparison);
    }

    private static void Keep(ParseResult parsed, Comparison comparison)
    {
        if (parsed.GetValue(Csv) is { } path)
            comparison.Append(path);
    }

    private static MeasuredProgram PeerOf(ParseResult parsed) => new(
        "The peer", Path.GetFullPath(parsed.GetValue(Peer)!), " It needs a C++ library with GLIBCXX_3.4.32 (GCC 13: Debian 13, Ubuntu 24.04).");

    private static StepSettings Settings(ParseResult parsed) => new(
        parsed.GetValue(Arch)!, parsed.GetValue(Patch), parsed.GetValue(Batch), parsed.GetValue(OutDim), parsed.GetValue(LocalCrops),
        parsed.GetValue(Iters), parsed.GetValue(Warmup), parsed.GetValue(Threads));

    private static Option<int> Number(string name, int value, string description)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < (name is "--warmup" or "--local-crops" ? 0 : 1))
                result.AddError($"{name} must not be {result.GetValueOrDefault<int>()}.");
        });
        return option;
    }

    private static Command Build(string name, string description, Action<ParseResult> run, params Option[] options)
    {
        var command = new Command(name, description);
        foreach (var option in options)
            command.Options.Add(option);
        command.SetAction(run);
        return command;
    }
}
