using System.CommandLine;

namespace Dino.Cli.Commands.Eval;

/// <summary><c>dino eval</c>: the paper's evaluations, a command each.</summary>
internal static class EvalCommand
{
    public static Command Build()
    {
        var command = new Command("eval", "Judge a network by the paper's protocols.");
        foreach (var evaluation in (Command[])[KnnCommand.Build(), LinearCommand.Build(), SegmentCommand.Build(), VideoCommand.Build(),
            RetrieveCommand.Build(), CopyCommand.Build()])
            command.Subcommands.Add(evaluation);
        return command;
    }
}
