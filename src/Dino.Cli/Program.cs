using System.CommandLine;
using Dino.Cli.Arguments;
using Dino.Cli.Commands;
using Dino.Cli.Commands.Eval;

namespace Dino.Cli;

internal static class Program
{
    /// <summary>The commands of <c>dino</c>; each is built in its own file of Commands.</summary>
    internal static IEnumerable<Command> Commands =>
        [DemoCommand.Build(), TrainCommand.Build(), EvalCommand.Build(), FeaturesCommand.Build(), AttendCommand.Build(),
            AugmentCommand.Build(), InspectCommand.Build(), ExportCommand.Build(), DevicesCommand.Build()];

    private static int Main(string[] arguments) => CommandLine.Run(RawArguments.Of(arguments), Commands);
}
