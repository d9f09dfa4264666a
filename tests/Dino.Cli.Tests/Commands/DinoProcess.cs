using Dino.Cli.Arguments;
using Dino.Testing.Runs;

namespace Dino.Cli.Tests.Commands;

/// <summary>The whole program on a command line, inside the test's process.</summary>
internal static class DinoProcess
{
    /// <summary>The sizes of the smallest run, as options of <c>dino train</c>.</summary>
    public static string[] TinyOptions { get; } =
    [
        "--device", "cpu", "--threads", "2", "--num-workers", "1", "--embed-dim", "16", "--depth", "1", "--num-heads", "2", "--patch-size",
            "8",
        "--global-crops-size", "16", "--local-crops-size", "8", "--local-crops-number", "2", "--hidden-dim", "16", "--bottleneck-dim", "8",
        "--out-dim", "32", "--batch-size", "4", "--epochs", "2", "--warmup-epochs", "0",
    ];

    public static (int Code, string Output, string Error) Run(params string[] arguments)
    {
        using StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
        // As on the console, worker threads may write too.
        int code = CommandLine.Run(arguments, Program.Commands, TextWriter.Synchronized(output), TextWriter.Synchronized(error));
        return (code, output.ToString(), error.ToString());
    }

    /// <summary>A finished run of <see cref="TinyOptions"/>; the path of its checkpoint.</summary>
    public static string Train(PictureFolder pictures, string output, params string[] more)
    {
        var run = Run(["train", "--data", pictures.Root, "--output-dir", output, .. TinyOptions, .. more]);
        return run.Code == ExitCode.Ok ? Path.Combine(output, "latest.safetensors") : throw new InvalidOperationException(run.Error);
    }
}
