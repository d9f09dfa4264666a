using System.CommandLine;

namespace Dino.Benchmarks.Commands;

/// <summary><c>gpu</c>: everything that is measured on a GPU, in one go.</summary>
internal static class GpuCommand
{
    private static readonly Option<string> DeviceName = SharedOptions.Text("--device", "cuda:0", "Where our steps compute.");
    private static readonly Option<string?> Peer =
        new("--peer") { Description = "The peer's script of the step (PyTorch); without it ours alone.", HelpName = "FILE" };
    private static readonly Option<string> Python = SharedOptions.Text("--python", "python3", "What runs the peer.");
    private static readonly Option<string> Output =
        new("--output") { Description = "The folder of the tables.", DefaultValueFactory = _ => ".", HelpName = "FOLDER" };
    private static readonly Option<int> Budget =
        SharedOptions.Number("--budget", 420, "Seconds after which no further measurement begins.");
    private static readonly Option<bool> Dry = new("--dry") { Description = "Tiny sizes on the host, to see that all of it runs." };

    public static Command Create() => new BenchmarkCommand(
        "gpu", "Time steps beside PyTorch's on the same GPU, and the parts of a step beside what the GPU can do.", Run,
        DeviceName, Peer, Python, Output, Budget, Dry);

    private static void Run(ParseResult parsed)
    {
        var plan = parsed.GetValue(Dry) ? GpuPlan.Dry : GpuPlan.Full(parsed.GetValue(DeviceName)!);
        var measured = new GpuBenchmark(
            plan, parsed.GetValue(Peer), parsed.GetValue(Python)!, TimeSpan.FromSeconds(parsed.GetValue(Budget)), Console.WriteLine).Run();
        Directory.CreateDirectory(parsed.GetValue(Output)!);
        GpuCsv.WriteSteps(measured, Path.Combine(parsed.GetValue(Output)!, "gpu-steps.csv"));
        GpuCsv.WriteRoofline(measured, Path.Combine(parsed.GetValue(Output)!, "gpu-roofline.csv"));
    }
}
