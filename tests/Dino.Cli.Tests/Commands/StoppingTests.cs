using System.CommandLine;
using System.Diagnostics;
using Dino.Cli.Arguments;
using Dino.Testing.Runs;
using Dino.Train.Runs;
using NUnit.Framework;

namespace Dino.Cli.Tests.Commands;

/// <summary>Every command ends when it is asked to, and says what is left of it.</summary>
public class StoppingTests
{
    private static readonly Dictionary<string, string> lines = new()
    {
        ["demo"] = "demo --output-dir {scratch}/demo --device cpu",
        ["train"] = "train --data {pictures} --output-dir {scratch}/other --device cpu",
        ["augment"] = "augment {pictures}/even/000.png --output {scratch}/views.png",
        ["features"] = "features {checkpoint} {pictures} --output-dir {scratch}/features --device cpu",
        ["attend"] = "attend {checkpoint} {pictures} --output-dir {scratch}/attend --device cpu",
        ["inspect"] = "inspect {checkpoint}",
        ["export"] = "export {checkpoint} {scratch}/out.pth --format pth",
        ["devices"] = "devices",
        ["eval knn"] = "eval knn {checkpoint} --train {pictures} --val {pictures} --device cpu",
        ["eval linear"] = "eval linear {checkpoint} --train {pictures} --val {pictures} --device cpu",
        ["eval segment"] = "eval segment {checkpoint} --images {pictures}/even --masks {pictures}/even --mask-kind ids --device cpu",
        ["eval video"] = "eval video {checkpoint} --data {video} --device cpu",
        ["eval retrieve"] = "eval retrieve {checkpoint} --data {retrieval} --imsize 32 --device cpu",
        ["eval copy"] = "eval copy {checkpoint} --data {copies} --imsize 32 --device cpu",
    };

    private PictureFolder pictures = null!, sets = null!;
    private string scratch = null!, checkpoint = null!;

    private static IEnumerable<string> Commands => Program.Commands.SelectMany(command => Leaves("", command));

    [OneTimeSetUp]
    public void TrainOnce()
    {
        (pictures, sets) = (TinyRun.MakePictures(8), new PictureFolder());
        scratch = Directory.CreateTempSubdirectory("dino-stop-").FullName;
        checkpoint = DinoProcess.Train(pictures, Path.Combine(scratch, "run"));
        foreach (int i in Enumerable.Range(0, 3))
        {
            sets.WritePicture($"video/JPEGImages/480p/still/{i:D5}.jpg", 1);
            sets.WritePicture($"retrieval/jpg/p{i}.jpg", 40 * i);
            sets.WritePicture($"copies/original/20{i}000.png", 30 * i);
            sets.WritePicture($"copies/strong/20{i}001.png", 30 * i);
        }
        sets.Write("video/Annotations/480p/still/00000.png", PictureFolder.Png(40, 30, 8, 0, new byte[30 * 41]));
        sets.Write("retrieval/gnd_small.json", """
            {"imlist": ["p0", "p1", "p2"], "qimlist": ["p1"],
             "gnd": [{"bbx": [0, 0, 20, 20], "easy": [1], "hard": [], "junk": []}]}
            """u8);
    }

    [OneTimeTearDown]
    public void Delete()
    {
        pictures.Dispose();
        sets.Dispose();
        Directory.Delete(scratch, recursive: true);
    }

    [TestCaseSource(nameof(Commands))]
    public void ACommandThatIsAskedToStop_Stops_AndSaysWhatIsKept(string command)
    {
        Assert.That(lines, Does.ContainKey(command), "a new command needs a line here");
        string[] words = [.. lines[command].Split(' ').Select(word => word.Replace("{checkpoint}", checkpoint, StringComparison.Ordinal)
            .Replace("{pictures}", pictures.Root, StringComparison.Ordinal).Replace("{scratch}", scratch, StringComparison.Ordinal)
            .Replace("{video}", sets.PathOf("video/x")[..^2], StringComparison.Ordinal)
                .Replace("{copies}", sets.PathOf("copies/x")[..^2], StringComparison.Ordinal)
            .Replace("{retrieval}", sets.PathOf("retrieval/x")[..^2], StringComparison.Ordinal))];
        using StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };

        int code = CommandLine.Run(words, Program.Commands, TextWriter.Synchronized(output), TextWriter.Synchronized(error),
            new CancellationToken(canceled: true));

        Assert.That(code, Is.EqualTo(ExitCode.Interrupted), output + error.ToString());
        Assert.That(error.ToString().TrimEnd('\n').Split('\n')[^1],
            Does.StartWith($"dino {command}: interrupted. ").And.Contains("the same command"));
        Assert.That(File.Exists(Path.Combine(scratch, "out.pth")), Is.False);
    }

    [TestCase("INT", ExitCode.Interrupted)]
    [TestCase("TERM", ExitCode.Terminated)]
    [TestCase("HUP", ExitCode.HungUp)]
    [Platform("Linux,MacOsX")]
    public void ASignal_StopsTraining_WithItsOwnExitCode_AndTheRunGoesOn(string signal, int expected)
    {
        string output = Path.Combine(scratch, "signal-" + signal);
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] words = [typeof(Program).Assembly.Location, "train", "--data", pictures.Root, "--output-dir", output,
            .. DinoProcess.TinyOptions];
        // No end in sight: the signal is what ends it.
        Array.ForEach([.. words[..^4], "--epochs", "1000000", "--warmup-epochs", "0", "--saveckp-freq", "1000000"], start.ArgumentList.Add);
        using var process = Process.Start(start)!;
        while (process.StandardOutput.ReadLine() is { } line && !line.StartsWith("starting", StringComparison.Ordinal))
        {
        }
        // The handlers are in place long before the first checkpoint is.
        while (!process.HasExited && !File.Exists(Path.Combine(output, "latest.json")))
            Thread.Yield();

        using (var kill = Process.Start("kill", ["-" + signal, process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
            kill.WaitForExit();
        var rest = process.StandardOutput.ReadToEndAsync();
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        rest.Wait();

        Assert.That(process.ExitCode, Is.EqualTo(expected), error);
        Assert.That(error, Does.Match(@"^dino train: interrupted\. The run is saved up to step \d+ of 2000000: .*The same command goes "
            + @"on from there\.\n$"));
        long step = Checkpoint.ReadInfo(Path.Combine(output, "latest.safetensors")).Step;
        Assert.That(error, Does.Contain($"step {step} of"));
        Assert.That(Directory.GetFiles(output, ".*"), Is.Empty);
    }

    private static IEnumerable<string> Leaves(string prefix, Command command) => command.Subcommands.Count == 0
        ? [prefix + command.Name]
        : command.Subcommands.SelectMany(child => Leaves(prefix + command.Name + " ", child));
}
