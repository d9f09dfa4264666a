using System.CommandLine;
using System.CommandLine.Parsing;

namespace Dino.Cli.Arguments;

/// <summary>Turns what the parser has to say about a wrong command line into one line that says what to type instead.</summary>
internal static class UsageError
{
    public static string Describe(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        string path = PathOf(parsed.CommandResult);
        return $"{path}: {Reason(parsed, command)} See '{path} --help'.";
    }

    private static string Reason(ParseResult parsed, Command command)
    {
        if (parsed.UnmatchedTokens.Count > 0)
            return Unknown(parsed.UnmatchedTokens[0], parsed);
        if (WordCheck.Fault(parsed.CommandResult) is { } fault)
            return fault;
        // What was typed and is wrong goes before what was not typed.
        var error = parsed.Errors.FirstOrDefault(error => !error.Message.EndsWith("is required.", StringComparison.Ordinal))
            ?? parsed.Errors[0];
        string name = NameOf(error.SymbolResult);
        string[] lines = [.. error.Message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)];
        return (error.SymbolResult, lines) switch
        {
            // The library tells these apart by their wording alone.
            (OptionResult { Tokens: [] }, [var first]) when first.StartsWith("Required argument", StringComparison.Ordinal) =>
                $"{name} needs a value.",
            (OptionResult { Tokens.Count: var count } option, [var first]) when first.StartsWith(
                "Required argument", StringComparison.Ordinal) =>
                $"{name} needs {option.Option.Arity.MinimumNumberOfValues} values, not {count}.",
            (ArgumentResult { Tokens: [] }, [var first]) when first.StartsWith("Required argument", StringComparison.Ordinal) =>
                $"{name} is missing.",
            (OptionResult { Tokens: { Count: > 1 } words } option, [var first]) when first.Contains(
                "expects a single argument", StringComparison.Ordinal) =>
                $"{name} was given {words.Count} times ({string.Join(", ", words.Select(word => word.Value))}): give it once.",
            ({ Tokens: [.., var last] }, [var first, .. var choices]) when choices.Length > 0
                && first.Contains("not recognized", StringComparison.Ordinal) =>
                $"{name} needs one of {string.Join(", ", choices.Select(choice => choice.Trim('\'')))}, not '{last.Value}'.",
            (_, [var first, ..]) when first.StartsWith("Required command", StringComparison.Ordinal) =>
                $"a command is missing: one of {string.Join(", ", command.Subcommands.Select(sub => sub.Name))}.",
            _ => string.Join(' ', lines).TrimEnd('.') + ".",
        };
    }

    private static string NameOf(SymbolResult? result) => result switch
    {
        OptionResult option => option.Option.Name,
        ArgumentResult { Parent: OptionResult option } => option.Option.Name,
        ArgumentResult argument => $"<{argument.Argument.Name}>",
        _ => "",
    };

    private static string Unknown(string token, ParseResult parsed)
    {
        bool option = token.StartsWith('-');
        string typed = option ? token.Split('=', ':')[0] : token;
        bool group = parsed.CommandResult.Command.Subcommands.Count > 0;
        string what = option ? "unknown option" : group ? "unknown command" : "unexpected argument";
        var known = option ? Options(parsed.CommandResult) : parsed.CommandResult.Command.Subcommands.Select(command => command.Name);
        string? nearest = Nearest(typed, known);
        return $"{what} '{typed}'.{(nearest is null ? "" : $" Did you mean '{nearest}'?")}";
    }

    private static IEnumerable<string> Options(CommandResult result)
    {
        foreach (var option in result.Command.Options)
            yield return option.Name;
        for (var parent = result.Parent as CommandResult; parent is not null; parent = parent.Parent as CommandResult)
        {
            foreach (var option in parent.Command.Options.Where(option => option.Recursive))
                yield return option.Name;
        }
    }

    /// <summary>The known word that fewest edits turn the typed one into, if at most a third of its letters must change.</summary>
    internal static string? Nearest(string typed, IEnumerable<string> known) =>
        known.Select(word => (Word: word, Edits: Distance(typed, word)))
            .Where(pair => pair.Edits <= Math.Max(1, typed.Length / 3))
            .OrderBy(pair => pair.Edits).ThenBy(pair => pair.Word, StringComparer.Ordinal)
            .Select(pair => pair.Word).FirstOrDefault();

    /// <summary>Levenshtein's distance: insertions, deletions and replacements of one letter.</summary>
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int above = row[j];
                row[j] = Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[b.Length];
    }

    /// <summary>The command as it is typed: <c>dino eval knn</c>.</summary>
    internal static string PathOf(CommandResult result) =>
        result.Parent is CommandResult parent ? $"{PathOf(parent)} {result.Command.Name}" : "dino";
}
