using System.ComponentModel;
using System.Diagnostics;

namespace Dino.Benchmarks;

/// <summary>One of the two programs that are compared, run as a process of its own.</summary>
/// <param name="name">Its name in messages.</param>
/// <param name="file">An assembly or a script.</param>
/// <param name="interpreter">What runs the file.</param>
/// <param name="needs">What to look for when it does not run.</param>
/// <param name="environment">Variables of its environment, NAME=VALUE each.</param>
internal sealed class MeasuredProgram(
    string name, string file, string interpreter = "dotnet", string needs = "", string[]? environment = null)
{
    /// <summary>This program.</summary>
    public static MeasuredProgram Ours { get; } = new("Dino.Benchmarks", typeof(MeasuredProgram).Assembly.Location);

    /// <summary>Runs it and reads the report on its last line of output.</summary>
    /// <exception cref="ProgramFailedException">It cannot run here, or it ended with an error.</exception>
    public T Run<T>(params string[] arguments) =>
        ReportJson.Read<T>(Output([.. arguments, "--json"]).Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]);

    /// <summary>Runs it, told to write its report to a file, and reads that.</summary>
    /// <inheritdoc cref="Run"/>
    public T RunToFile<T>(string option, params string[] arguments)
    {
        string path = Path.GetTempFileName();
        try
        {
            Output([.. arguments, option, path]);
            return ReportJson.Read<T>(File.ReadAllText(path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private string Output(string[] arguments)
    {
        if (!File.Exists(file))
            throw new ProgramFailedException($"{name} cannot run: there is no file '{file}'.");
        var start = new ProcessStartInfo(interpreter) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(file);
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        foreach (string[] variable in (environment ?? []).Select(text => text.Split('=', 2)))
            start.Environment[variable[0]] = variable[1];
        using var process = Start(start);
        var errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 && output.Length > 0
            ? output
            : throw new ProgramFailedException($"{name} cannot run here: exit code {process.ExitCode}.{needs}\n{Reason(errors.Result)}");
    }

    private Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start) ?? throw new ProgramFailedException($"{name} did not start.");
        }
        catch (Win32Exception e)
        {
            throw new ProgramFailedException($"{name} cannot run: '{interpreter}' does not start ({e.Message}).");
        }
    }

    // Messages without the stack traces between them; what the loader tried last says more than what it tried first.
    private static string Reason(string errors)
    {
        string[] lines = errors.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        string[] told = Array.FindAll(
            lines, line => line.Contains("xception:", StringComparison.Ordinal) || line.Contains("not found", StringComparison.Ordinal));
        return string.Join('\n', (told.Length > 0 ? told : lines).TakeLast(4));
    }
}

/// <summary>A program that was to be measured could not run.</summary>
internal sealed class ProgramFailedException(string message) : Exception(message);
