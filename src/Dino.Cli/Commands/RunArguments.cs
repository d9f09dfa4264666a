using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dino.Cli.Arguments;
using Dino.Pictures.DataSets;
using Dino.Pictures.Transforms;
using Dino.Tensors.Io;
using Dino.Train.Options;

namespace Dino.Cli.Commands;

/// <summary>
/// The options of a run as JSON: <c>args.json</c> of its folder, and what <c>--args</c> takes. A key is an option's name without dashes,
/// as the reference's program has it: <c>global_crops_size</c>.
/// </summary>
internal static class RunArguments
{
    private const int LongestFile = 1 << 20;

    // A list, a number or a word.
    private static readonly JsonDocumentOptions strict = new() { AllowDuplicateProperties = false, MaxDepth = 3 };

    /// <summary>The key of an option.</summary>
    public static string KeyOf(Option option) => option.Name.TrimStart('-').Replace('-', '_');

    /// <summary>The options and their values.</summary>
    public static JsonObject Of(IEnumerable<(Option Option, object? Value)> values) =>
        new(values.Select(pair => KeyValuePair.Create(KeyOf(pair.Option), Node(PlaceOf(pair.Option, pair.Value)))));

    /// <summary>The value of a hyperparameter as its option takes it; null for what no option says.</summary>
    public static object? ValueOf(Hyperparameter one, TrainOptions options) => !one.Applies(options) ? null : one switch
    {
        Hyperparameter<string> word => word.Get(options) is var text && one.Choices?.Contains(text) == false ? null : text,
        Hyperparameter<bool> flag => flag.Get(options),
        Hyperparameter<int> whole => whole.Get(options),
        Hyperparameter<ulong> whole => whole.Get(options),
        Hyperparameter<float> real => real.Get(options),
        Hyperparameter<double> real => real.Get(options),
        Hyperparameter<OptimizerKind> kind => kind.Get(options),
        Hyperparameter<CropScale> or Hyperparameter<CropRatio> or Hyperparameter<double[]> => one.Numbers(options).ToArray(),
        Hyperparameter<int[]> wholes => wholes.Get(options),
        _ => throw new InvalidOperationException($"{one.Property} has a type that {nameof(RunArguments)} does not write."),
    };

    /// <summary>A file of options as the words of a command line, one option a word; those that stand there already are left out.</summary>
    /// <param name="path">The file.</param>
    /// <param name="command">What it is for.</param>
    /// <param name="parsed">The command line, whose options go before the file's.</param>
    /// <exception cref="UserErrorException">It says what is no option, or not what the option takes.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static IReadOnlyList<string> Words(string path, ProgramCommand command, ParseResult parsed)
    {
        using var document = Parse(path);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
            throw Wrong(path, "it is no JSON object of options, as {\"epochs\": 100, \"jitter_prob\": 0}");
        var known = command.Options.Where(command.IsOfFile).ToDictionary(KeyOf);
        var words = new List<string>();
        foreach (var (key, value) in document.RootElement.EnumerateObject().Select(property => (property.Name, property.Value)))
        {
            if (!known.TryGetValue(key, out var option))
            {
                if (command.IsPassedOver(key))
                    continue;
                string? nearest = UsageError.Nearest(key.Replace('-', '_'), known.Keys);
                throw Wrong(path, $"'{key}' is no option{(nearest is null ? "" : $"; did you mean '{nearest}'")}");
            }
            if (parsed.GetResult(option) is { Implicit: false } given)
            {
                ThrowIfOtherPreset(path, key, value, given);
                continue;
            }
            if (value.ValueKind == JsonValueKind.Null)
                continue;
            bool isList = option.ValueType.IsArray && value.ValueKind == JsonValueKind.Array;
            foreach (var item in isList ? [.. value.EnumerateArray()] : (JsonElement[])[value])
                words.Add($"{option.Name}={Word(path, key, option, item)}");
        }
        return words;
    }

    private static JsonDocument Parse(string path)
    {
        try
        {
            using var stream = RegularFile.OpenStream(path);
            if (stream.Length > LongestFile)
                throw Wrong(path, "it is too long for a file of options");
            return JsonDocument.Parse(stream, strict);
        }
        catch (JsonException e)
        {
            throw Wrong(path, $"it is no JSON: {e.Message.TrimEnd('.')}");
        }
    }

    private static string Word(string path, string key, Option option, JsonElement item)
    {
        var type = option.ValueType.IsArray ? option.ValueType.GetElementType()! : option.ValueType;
        type = Nullable.GetUnderlyingType(type) ?? type;
        var (wanted, what) = type == typeof(bool) ? (JsonValueKind.True, "true or false")
            : NumberWord.IsNumber(type) ? (JsonValueKind.Number, "a number") : (JsonValueKind.String, "a text");
        bool fits = item.ValueKind == wanted || wanted == JsonValueKind.True && item.ValueKind == JsonValueKind.False;
        if (!fits)
        {
            throw Wrong(path, $"'{key}' needs {what}{(option.ValueType.IsArray ? " or a list of them" : "")}, not "
                + $"{Shown(item.GetRawText())}");
        }
        if (wanted == JsonValueKind.String)
            return item.GetString()!;
        string word = item.GetRawText();
        return wanted == JsonValueKind.Number && NumberWord.Fault(word, type) is { } fault ? throw Wrong(path, $"'{key}' {fault}") : word;
    }

    // The file has what its preset filled in: another one would change nothing of it.
    private static void ThrowIfOtherPreset(string path, string key, JsonElement value, OptionResult given)
    {
        string? preset = value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        if (key == "preset" && given.Tokens is [var word, ..] && word.Value != preset)
        {
            throw Wrong(path, $"its options are those of {(preset is null ? "no preset" : $"preset {preset}")}, and --preset {word.Value} "
                + "would change none of them: leave --preset out and give single options, or leave --args out");
        }
    }

    private static string Shown(string json) => json.Length > 40 ? json[..40] + "…" : json;

    private static UserErrorException Wrong(string path, string what) =>
        new($"--args {RawName.Shown(path)}: {what.TrimEnd('.')}.") { IsUsage = true };

    // A file or folder is the same one wherever the program is started the next time.
    private static object? PlaceOf(Option option, object? value) => value switch
    {
        string path when IsPlace(option, path) => RawName.Shown(Path.GetFullPath(path)),
        string[] and [] when option.HelpName == PictureChoice.SourceName => null,
        string[] and [var one] when option.HelpName == PictureChoice.SourceName => PlaceOf(option, one),
        string[] paths => paths.Select(path => IsPlace(option, path) ? Path.GetFullPath(path) : path).Select(RawName.Shown).ToArray(),
        _ => value,
    };

    private static bool IsPlace(Option option, string value) =>
        option.HelpName is { } name && (Path.Exists(value) || !RawName.IsPlain(value) || BraceNotation.Expand(value) is not null)
        && (name.Contains("FOLDER", StringComparison.Ordinal) || name.Contains("FILE", StringComparison.Ordinal));

    private static JsonNode? Node(object? value) => value switch
    {
        null => null,
        Enum word => word.ToString().ToLowerInvariant(),
        Array { Length: 1 } one when value is not string[] => Node(one.GetValue(0)),
        Array list => new JsonArray([.. list.Cast<object>().Select(Node)]),
        _ => JsonSerializer.SerializeToNode(value, value.GetType()),
    };
}
