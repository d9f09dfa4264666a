using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using NUnit.Framework;

namespace Dino.Model.Tests;

/// <summary>
/// A Python script that does what the lines of its standard input say. It lives as long as the tests: loading PyTorch takes longer than
/// most of what it is asked.
/// </summary>
internal sealed class TorchProcess
{
    private readonly Process process;
    private readonly StringBuilder errors = new();

    private TorchProcess(Process process)
    {
        this.process = process;
        process.ErrorDataReceived += (_, line) =>
        {
            lock (errors)
                errors.AppendLine(line.Data);
        };
        process.BeginErrorReadLine();
    }

    /// <summary>Starts it and waits until it has loaded; null where there is no such program, or no PyTorch for it.</summary>
    public static TorchProcess? Start(string python, string script)
    {
        var start = new ProcessStartInfo(python, [script])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception)
        {
            return null;
        }
        // The end of the tests closes its input, which ends it.
        var started = new TorchProcess(process);
        if (process.StandardOutput.ReadLine() is not null)
            return started;
        string reason = started.End();
        return reason.Contains("ModuleNotFoundError", StringComparison.Ordinal) ? null : throw new AssertionException(reason);
    }

    /// <summary>Has the words of a call done; fails the test when they cannot be.</summary>
    public void Run(IReadOnlyList<string> words)
    {
        Assert.That(process.HasExited, Is.False, "PyTorch's process ended in an earlier test");
        process.StandardInput.WriteLine(string.Join('\t', words));
        process.StandardInput.Flush();
        if (process.StandardOutput.ReadLine() is null)
            Assert.Fail(End());
    }

    private string End()
    {
        process.WaitForExit();
        lock (errors)
            return errors.ToString();
    }
}
