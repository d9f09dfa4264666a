using System.CommandLine;
using System.CommandLine.Parsing;

namespace Dino.Train.Cli;

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
        var error = parsed.Errors[0];
        if (error.SymbolResult is OptionResult { Tokens.Count: > 0 } result && IsConversion(error))
            return $"{result.Option.Name} needs {Expected(result.Option.ValueType)}, not '{result.Tokens[^1].Value}'.";
        if (error.SymbolResult is ArgumentResult { Tokens.Count: > 0 } argument && IsConversion(error))
        {
            string name = argument.Parent is OptionResult option ? option.Option.Name : $"<{argument.Argument.Name}>";
            return $"{name} needs {Expected(argument.Argument.ValueType)}, not '{argument.Tokens[^1].Value}'.";
        }
        string first = error.Message.Split('\n')[0].Trim();
        return first.EndsWith('.') ? first : first + ".";
    }

    // The library marks a failed conversion by its wording alone.
    private static bool IsConversion(ParseError error) => error.Message.StartsWith("Cannot parse argument", StringComparison.Ordinal);

    private static string Expected(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type.IsArray)
            type = type.GetElementType()!;
        if (type.IsEnum)
            return "one of " + string.Join(", ", Enum.GetNames(type).Select(name => name.ToLowerInvariant()));
        return Type.GetTypeCode(type) switch
        {
            TypeCode.Int32 or TypeCode.Int64 or TypeCode.UInt32 or TypeCode.UInt64 => "a whole number",
            TypeCode.Single or TypeCode.Double or TypeCode.Decimal => "a number",
            TypeCode.Boolean => "true or false",
            _ => "another kind of value",
        };
    }

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
