using System.CommandLine;
using System.CommandLine.Help;
using System.Globalization;
using Dino.Cli.Commands;
using Dino.Cli.Terminal;

namespace Dino.Cli.Arguments;

/// <summary>The shell conventions that all commands of <c>dino</c> share: help, errors, exit codes, <c>--json</c>, Ctrl-C.</summary>
public static class CommandLine
{
    /// <summary>Most characters of a line on standard error: about a screen.</summary>
    private const int LongestErrorLine = 1500;

    private static readonly Option<bool> Json = new("--json")
    {
        Description = "Print the result alone on standard output, as one JSON object; all else, errors too, goes to standard error.",
        Recursive = true,
    };

    private static readonly Option<bool> Verbose = new("--verbose")
    {
        Description = "Say more; show where in the program an error arose.",
        Recursive = true,
    };

    /// <summary>Builds the root command from the commands.</summary>
    public static RootCommand Build(IEnumerable<Command> commands)
    {
        var root = new RootCommand(
            "Self-supervised vision transformers (DINO) from a folder of pictures: train, evaluate, and look at attention.");
        foreach (var command in commands)
        {
            OptionHelp.Complete(command);
            root.Subcommands.Add(command);
        }
        root.Options.Add(Json);
        root.Options.Add(Verbose);
        foreach (var option in root.Options)
        {
            if (option is HelpOption { Action: HelpAction library } help)
                help.Action = new HelpWithExamples(library);
        }
        root.SetAction(_ => ExitCode.Ok);
        return root;
    }

    /// <summary>Runs the program on the console; the first signal asks it to stop, the second ends it.</summary>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static int Run(string[] arguments, IEnumerable<Command> commands)
    {
        var (output, error) = StandardStreams.Open();
        CommandContext? running = null;
        using var signals = new StopSignals(() =>
        {
            if (running is not null)
                SayInterrupted(running);
        });
        int code = Run(arguments, commands, output, error, context => running = context, signals.Token);
        return code == ExitCode.Interrupted ? signals.Code : code;
    }

    /// <summary>Runs the program with the given streams. A stream that fails loses what it was to hold, and the work goes on.</summary>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static int Run(string[] arguments, IEnumerable<Command> commands, TextWriter output, TextWriter error,
        CancellationToken cancel = default) => Run(arguments, commands, output, error, _ => { }, cancel);

    private static int Run(
        string[] arguments, IEnumerable<Command> commands, TextWriter output, TextWriter error, Action<CommandContext> onStart,
        CancellationToken cancel)
    {
        // Numbers and dates are read and written in one way, whatever the country of the machine.
        var (culture, language) = (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture);
        CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;
        try
        {
            using SturdyWriter sturdyOutput = new(output), sturdyError = new(error);
            using var lines = new ScreenWriter(sturdyError, LongestErrorLine);
            int code = Run(arguments, commands, sturdyOutput, sturdyError, lines, onStart, cancel);
            sturdyOutput.Flush();
            if (sturdyOutput.Failure is not { } failure)
                return code;
            lines.WriteLine($"dino: standard output cannot be written: {failure.Message.TrimEnd('.')}. What it was to hold is lost; "
                + $"files are whole.");
            return code == ExitCode.Ok ? ExitCode.Failure : code;
        }
        finally
        {
            (CultureInfo.CurrentCulture, CultureInfo.CurrentUICulture) = (culture, language);
        }
    }

    private static int Run(
        string[] arguments, IEnumerable<Command> commands, SturdyWriter output, SturdyWriter error, ScreenWriter errorLines,
        Action<CommandContext> onStart, CancellationToken cancel)
    {
        var root = Build(commands);
        var parsed = Parse(root, arguments.Length == 0 ? ["--help"] : arguments);
        bool asksHelp = parsed.Action is HelpWithExamples;
        try
        {
            if (!asksHelp && FromFile(parsed) is { Count: > 0 } more)
                parsed = Parse(root, [.. arguments, .. more]);
        }
        catch (Exception e) when (LibraryErrors.Of(e) is var (line, code))
        {
            errorLines.WriteLine($"{UsageError.PathOf(parsed.CommandResult)}: {line}");
            return code;
        }
        if (!asksHelp && (parsed.Errors.Count > 0 || WordCheck.Fault(parsed.CommandResult) is not null))
        {
            errorLines.WriteLine(UsageError.Describe(parsed));
            return ExitCode.Usage;
        }
        if (parsed.CommandResult.Command is not ProgramCommand command || asksHelp || parsed.Action is not null && !IsOwn(parsed))
            return parsed.Invoke(new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false });

        var context = new CommandContext(parsed, output, error, errorLines, parsed.GetValue(Json), parsed.GetValue(Verbose), cancel)
        {
            Name = UsageError.PathOf(parsed.CommandResult),
        };
        onStart(context);
        try
        {
            command.Body(context);
            return ExitCode.Ok;
        }
        catch (Exception exception)
        {
            return Report(exception, context);
        }
    }

    // An @ before a name is a part of the name.
    private static ParseResult Parse(RootCommand root, IReadOnlyList<string> arguments) =>
        root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });

    /// <summary>What a file of options, if one is named, adds to the words of the command line.</summary>
    private static IReadOnlyList<string> FromFile(ParseResult parsed) =>
        parsed.CommandResult.Command is ProgramCommand { File: { } file } command
            && parsed.GetResult(file) is { Implicit: false, Tokens: [{ Value: var path }] } && !string.IsNullOrWhiteSpace(path)
            ? RunArguments.Words(path, command, parsed)
            : [];

    // Options such as --help and --version bring an action of their own, which goes before the command's.
    private static bool IsOwn(ParseResult parsed) => ReferenceEquals(parsed.Action, parsed.CommandResult.Command.Action);

    private static int Report(Exception exception, CommandContext context)
    {
        // Parallel loops wrap what they meet.
        while (exception is AggregateException { InnerExceptions: [var first, ..] })
            exception = first;
        if (exception is OperationCanceledException && context.Cancel.IsCancellationRequested)
        {
            SayInterrupted(context);
            return ExitCode.Interrupted;
        }
        var (line, code) = LibraryErrors.Of(exception) ?? (
            $"internal error: {LibraryErrors.OneLine(exception)} ({exception.GetType().Name})."
            + (context.Verbose ? "" : " Run again with --verbose to see where it arose."), ExitCode.Failure);
        context.Error.WriteLine($"{context.Name}: {line}");
        if (context.Verbose)
        {
            foreach (string step in exception.ToString().Split('\n'))
                context.Error.WriteLine(step.TrimEnd('\r'));
        }
        return code;
    }

    private static void SayInterrupted(CommandContext context)
    {
        string kept = context.Kept?.Invoke() is { } said ? " " + LibraryErrors.OneLine(said) : "";
        context.Error.WriteLine($"{context.Name}: interrupted.{kept}");
    }
}
