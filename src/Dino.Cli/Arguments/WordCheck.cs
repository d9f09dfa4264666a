using System.CommandLine.Parsing;
using Dino.Tensors.Io;

namespace Dino.Cli.Arguments;

/// <summary>
/// The words of a command line against what their options take: one rule for every option and argument of every command, and not the
/// parsing library's, which reads numbers as the machine's country writes them and takes 0,0005 for 5.
/// </summary>
internal static class WordCheck
{
    // What is written, by functions of .NET, which would write it under another name.
    private static readonly HashSet<string> written = ["--output-dir", "--output", "<OUTPUT>"];

    /// <summary>The first word that is wrong, as one sentence; null when none is.</summary>
    public static string? Fault(CommandResult command) =>
        command.Children.Select(FaultOf).FirstOrDefault(fault => fault is not null)
            ?? (command.Parent is CommandResult parent ? Fault(parent) : null);

    /// <summary>The words of an enumeration, as they are typed.</summary>
    public static IEnumerable<string> Choices(Type type) =>
        Enum.GetValues(type).Cast<object>().Select(value => value.ToString()!.ToLowerInvariant());

    private static string? FaultOf(SymbolResult result) => result switch
    {
        OptionResult { Implicit: false } option => SwallowedOption(option)
            ?? FaultOf(option.Option.Name, option.Option.ValueType, option.Tokens),
        ArgumentResult argument => FaultOf($"<{argument.Argument.Name}>", argument.Argument.ValueType, argument.Tokens),
        _ => null,
    };

    /// <summary>An option that was left without its values takes the next option for one, and all that follows.</summary>
    private static string? SwallowedOption(OptionResult option)
    {
        if (option.Option.ValueType != typeof(string[]) || option.Tokens is not [var first, ..]
            || option.Parent is not CommandResult parent || parent.Command.Options.All(other => other.Name != first.Value))
            return null;
        string rest = option.Tokens.Count > 1 ? $"; unexpected argument '{option.Tokens[1].Value}'" : "";
        return $"{option.Option.Name} needs a value before {first.Value}{rest}.";
    }

    private static string? FaultOf(string name, Type type, IReadOnlyList<Token> words)
    {
        bool isList = type.IsArray;
        if (isList)
            type = type.GetElementType()!;
        type = Nullable.GetUnderlyingType(type) ?? type;
        foreach (string word in words.Select(token => token.Value))
        {
            string? fault = type == typeof(string) ? string.IsNullOrWhiteSpace(word)
                ? $"needs a value, not {(word.Length == 0 ? "an empty one" : "spaces alone")}."
                    : written.Contains(name) && !RawName.IsPlain(word) ? $"needs a name in UTF-8, not '{RawName.Shown(word)}'." : null
                : type.IsEnum ? Choices(type).Contains(word.ToLowerInvariant()) ? null
                    : $"needs one of {string.Join(", ", Choices(type))}, not '{word}'."
                : NumberWord.IsNumber(type) ? NumberWord.Fault(word, type, isList) is not null && isList && Path.Exists(word)
                    ? $"takes numbers, and '{RawName.Shown(word)}' is a file or folder: give those before the options."
                    : NumberWord.Fault(word, type, isList)
                : null;
            if (fault is not null)
                return $"{name} {fault}";
        }
        return null;
    }
}
