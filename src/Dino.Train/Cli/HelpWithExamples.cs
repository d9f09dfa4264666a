using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Dino.Train.Cli;

/// <summary>The library's help, followed by the command's examples.</summary>
internal sealed class HelpWithExamples(HelpAction library) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        int code = library.Invoke(parseResult);
        var output = parseResult.InvocationConfiguration.Output;
        if (parseResult.CommandResult.Command is ProgramCommand { Examples: { Count: > 0 } examples })
        {
            output.WriteLine("Examples:");
            foreach (var (line, meaning) in examples)
            {
                output.WriteLine($"  {line}");
                output.WriteLine($"      {meaning}");
            }
            output.WriteLine();
        }
        return code;
    }
}
