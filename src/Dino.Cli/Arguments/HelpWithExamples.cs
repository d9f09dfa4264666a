using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Text.RegularExpressions;

namespace Dino.Cli.Arguments;

/// <summary>The library's help, with defaults as they are typed, followed by the command's notes and examples.</summary>
internal sealed partial class HelpWithExamples(HelpAction library) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        var configuration = parseResult.InvocationConfiguration;
        var output = configuration.Output;
        using var text = new StringWriter { NewLine = output.NewLine };
        configuration.Output = text;
        int code = library.Invoke(parseResult);
        configuration.Output = output;
        output.Write(Default().Replace(text.ToString(), match => match.Value.ToLowerInvariant().Replace('|', ' ')));
        if (parseResult.CommandResult.Command is not ProgramCommand command)
            return code;
        if (command.Notes is { } notes)
        {
            notes(output);
            output.WriteLine();
        }
        if (command.Examples.Count > 0)
        {
            output.WriteLine("Examples:");
            foreach (var (line, meaning) in command.Examples)
            {
                output.WriteLine($"  {line}");
                output.WriteLine($"      {meaning}");
            }
            output.WriteLine();
        }
        return code;
    }

    // The library writes AdamW, 1E-06 and 10|20, which are adamw, 1e-06 and 10 20 on a command line.
    [GeneratedRegex(@"\[default: [A-Za-z0-9.|+-]+\]", RegexOptions.CultureInvariant)]
    private static partial Regex Default();
}
