using System.CommandLine;

namespace Dino.Benchmarks.Commands;

/// <summary>A command with its options and what it does.</summary>
internal sealed class BenchmarkCommand : Command
{
    public BenchmarkCommand(string name, string description, Action<ParseResult> run, params Option[] options) : base(name, description)
    {
        foreach (var option in options)
            Options.Add(option);
        SetAction(run);
    }
}
