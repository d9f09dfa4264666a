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
        var command = parseResult.CommandResult.Command as ProgramCommand;
        string options = command?.Group is { } group
            ? Apart(text.ToString(), group.Heading, group.Options, output.NewLine)
            : text.ToString();
        output.Write(Default().Replace(options, match => match.Value.ToLowerInvariant().Replace('|', ' ')));
        if (command is null)
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

    /// <summary>The help with the lines of some options behind the others. The library knows no groups.</summary>
    private static string Apart(string text, string heading, IReadOnlyCollection<Option> options, string newLine)
    {
        List<string> before = [], group = [];
        bool isOfGroup = false;
        foreach (string line in text.TrimEnd().Split(newLine))
        {
            // A line of an option begins with its name; one that begins further to the right goes on with it.
            if (line.TrimStart() is ['-', ..] or "" || !line.StartsWith("   ", StringComparison.Ordinal))
                isOfGroup = options.Any(option => line.TrimStart().StartsWith(option.Name + " ", StringComparison.Ordinal));
            (isOfGroup ? group : before).Add(line);
        }
        return string.Join(newLine, [.. before, "", heading, .. group, "", ""]);
    }

    // The library writes AdamW, 1E-06 and 10|20, which are adamw, 1e-06 and 10 20 on a command line.
    [GeneratedRegex(@"\[default: [A-Za-z0-9.|+-]+\]", RegexOptions.CultureInvariant)]
    private static partial Regex Default();
}
