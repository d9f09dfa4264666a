using System.Diagnostics;
using Dino.Cli.Arguments;
using Dino.Cli.Tests.Commands;
using Dino.Testing.Runs;
using Dino.Train.Runs;
using NUnit.Framework;

namespace Dino.Cli.Tests.Terminal;

/// <summary>Streams that are full, closed or gone, on processes of their own where the platform has such streams.</summary>
public class StandardStreamsTests
{
    private PictureFolder pictures = null!;

    [OneTimeSetUp]
    public void MakePictures() => pictures = TinyRun.MakePictures();

    [OneTimeTearDown]
    public void DeletePictures() => pictures.Dispose();

    [TestCase("2>/dev/full", ExitCode.Ok)]
    [TestCase("2>&-", ExitCode.Ok)]
    [TestCase(">&- 2>&- <&-", ExitCode.Failure)]
    public void TrainingGoesOn_ToItsEnd(string streams, int code)
    {
        string output = Path.Combine(pictures.Root, "run" + TestContext.CurrentContext.Test.ID);
        // A file that is skipped is said on standard error.
        pictures.Write("odd/broken.png", "no picture"u8);
        var (found, _) = Shell($"train --data '{pictures.Root}' --output-dir '{output}' {string.Join(' ', DinoProcess.TinyOptions)} "
            + $"{streams}");

        Assert.That(found, Is.EqualTo(code));
        Assert.That(Checkpoint.ReadInfo(Path.Combine(output, "latest.safetensors")).Epoch, Is.EqualTo(2));
        Assert.That(File.ReadLines(Path.Combine(output, "log.jsonl")), Has.All.StartsWith("{"), "what was said stands in no file");
    }

    [TestCase("devices >/dev/full", "No space left on device")]
    [TestCase("devices >&-", "it is closed")]
    [TestCase("--help >/dev/full", "No space left on device")]
    public void AStandardOutputThatCannotBeWritten_IsNamed(string words, string reason)
    {
        var (code, said) = Shell(words + " 2>&3");

        Assert.That(code, Is.EqualTo(ExitCode.Failure));
        Assert.That(said, Is.EqualTo($"dino: standard output cannot be written: {reason}. What it was to hold is lost; files are "
            + $"whole.\n"));
    }

    [Test]
    public void AReaderThatHasSeenEnough_IsNoError()
    {
        var (code, said) = Shell("train --help 2>&3 | head -1 >&3");

        Assert.That((code, said), Is.EqualTo((ExitCode.Ok, "Description:\n")));
    }

    [Test]
    public void InTheProcessToo_AnErrorThatCannotBeSaid_KeepsItsExitCode()
    {
        using SturdyWriterTests.BrokenWriter output = new(), error = new();

        Assert.That(CommandLine.Run(["train", "--lr", "0,5"], Program.Commands, output, error), Is.EqualTo(ExitCode.Usage));
        Assert.That(CommandLine.Run(["inspect", "nothing"], Program.Commands, output, error), Is.EqualTo(ExitCode.Failure));
        Assert.That(CommandLine.Run(["devices"], Program.Commands, output, error), Is.EqualTo(ExitCode.Failure));
    }

    /// <summary>Runs the program from a shell; what goes to its stream 3 is read.</summary>
    private static (int Code, string Said) Shell(string words)
    {
        if (!File.Exists("/dev/full") || !File.Exists("/bin/sh"))
            Assert.Inconclusive("This platform has no /dev/full.");
        string program = typeof(Program).Assembly.Location;
        // Standard output of the shell is this test's pipe; the program is given what the words say.
        var start = new ProcessStartInfo("/bin/sh", ["-c", $"exec 3>&1; '{Environment.ProcessPath ?? "dotnet"}' '{program}' {words}"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) != "dotnet")
            Assert.Inconclusive("The tests do not run under dotnet.");
        using var shell = Process.Start(start)!;
        var errors = shell.StandardError.ReadToEndAsync();
        string said = shell.StandardOutput.ReadToEnd();
        if (!shell.WaitForExit(TimeSpan.FromMinutes(2)))
            shell.Kill(entireProcessTree: true);
        Assert.That(errors.Result, Does.Not.Contain("Unhandled exception"));
        return (shell.ExitCode, said);
    }
}
