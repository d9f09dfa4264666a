using System.CommandLine;
using System.Reflection;
using System.Text;
using System.Text.Json;
using Dino.Cli.Terminal;
using Dino.Train.Log;

namespace Dino.Cli.Arguments;

/// <summary>What the body of a command works with: its options, where to write, and when to stop.</summary>
public sealed class CommandContext
{
    private static readonly JsonWriterOptions JsonOptions = new() { Indented = true, NewLine = "\n" };
    private readonly ParseResult parsed;
    private readonly SturdyWriter output;

    internal CommandContext(
        ParseResult parsed, SturdyWriter output, SturdyWriter error, ScreenWriter errorLines, bool json, bool verbose,
        CancellationToken cancel)
    {
        (this.parsed, this.output) = (parsed, output);
        (Output, Error, Json, Verbose, Cancel) = (new ScreenWriter(output), errorLines, json, verbose, cancel);
        Progress = new OptionNamedDisplay(ScreenDisplay.For(json ? error : output));
    }

    /// <summary>
    /// Standard output for lines of text. With <c>--json</c> it belongs to the result alone: use <see cref="Say"/> for anything else.
    /// </summary>
    public TextWriter Output { get; }

    /// <summary>Standard error, for lines of text; the middle of a very long one is left out.</summary>
    public TextWriter Error { get; }

    /// <summary>Whether the result is wanted as one JSON object.</summary>
    public bool Json { get; }

    /// <summary>Whether details are wanted.</summary>
    public bool Verbose { get; }

    /// <summary>The words that name the command.</summary>
    public string Name { get; internal init; } = "dino";

    /// <summary>Set by Ctrl-C or a request to end; a body that stops for it throws <see cref="OperationCanceledException"/>.</summary>
    public CancellationToken Cancel { get; }

    /// <summary>
    /// What a person who has stopped the command should know: what was kept, and how it goes on. Asked at any moment, from any thread.
    /// </summary>
    public Func<string>? Kept { get; set; }

    /// <summary>Says, if the command is stopped, that nothing is left of it.</summary>
    public void KeepsNothing() => Kept = () => "Nothing is kept of it; the same command begins again.";

    /// <summary>Shows how far the work is: on standard error when <see cref="Json"/>, else on standard output.</summary>
    public ProgressDisplay Progress { get; }

    /// <summary>The value of an option of this command.</summary>
    public T? Get<T>(Option<T> option) => parsed.GetValue(option);

    /// <summary>The value of an argument of this command.</summary>
    public T? Get<T>(Argument<T> argument) => parsed.GetValue(argument);

    private T? ValueOf<T>(Option option) => parsed.GetValue((Option<T>)option);

    /// <summary>Whether the option stands on the command line (false when its value is the default).</summary>
    public bool IsGiven(Option option) => parsed.GetResult(option) is { Implicit: false };

    /// <summary>The options of the command itself, each with its value, given or by default.</summary>
    internal IEnumerable<(Option Option, object? Value)> Values => parsed.CommandResult.Command.Options.Select(option => (option,
        typeof(CommandContext).GetMethod(nameof(ValueOf), BindingFlags.NonPublic | BindingFlags.Instance)!
            .MakeGenericMethod(option.ValueType).Invoke(this, [option])));

    /// <summary>Writes a line to the person who waits: to standard error when <see cref="Json"/>, else to standard output.</summary>
    public void Say(string line) => (Json ? Error : Output).WriteLine(OptionNames.InText(line));

    /// <summary>Writes the result: the fields of one JSON object with <c>--json</c>, else text.</summary>
    /// <param name="json">Writes the properties of the object, without its braces.</param>
    /// <param name="text">Writes lines for a person.</param>
    public void Result(Action<Utf8JsonWriter> json, Action<TextWriter> text)
    {
        if (!Json)
        {
            text(Output);
            return;
        }
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, JsonOptions))
        {
            writer.WriteStartObject();
            json(writer);
            writer.WriteEndObject();
        }
        output.WriteLine(Encoding.UTF8.GetString(buffer.ToArray()));
    }
}
