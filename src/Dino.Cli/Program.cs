using System.CommandLine;
using Dino.Cli.Arguments;
using Dino.Cli.Commands;
using Dino.Cli.Commands.Eval;

namespace Dino.Cli;

internal static class Program
{
    /// <summary>
    /// The commands of <c>dino</c>; each is built in its own file of Commands. They are built once: an option keeps every command that it
    /// was added to, and is slower with each.
    /// </summary>
    internal static IReadOnlyList<Command> Commands { get; } =
        [DemoCommand.Build(), TrainCommand.Build(), EvalCommand.Build(), FeaturesCommand.Build(), AttendCommand.Build(),
            AugmentCommand.Build(), InspectCommand.Build(), ExportCommand.Build(), DevicesCommand.Build()];

    private static int Main(string[] arguments) => CommandLine.Run(RawArguments.Of(arguments), Commands);
}
