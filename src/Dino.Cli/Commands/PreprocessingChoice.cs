using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Dino.Cli.Arguments;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;

namespace Dino.Cli.Commands;

/// <summary>The options that say how files become a network's inputs, where a checkpoint says it and a person may say otherwise.</summary>
internal static class PreprocessingChoice
{
    /// <summary>The word for a range that is measured.</summary>
    public const string Auto = "auto";

    private static readonly Option<DecodeMode> decode = Decode("exact");

    private static readonly Option<string?> range = new("--range")
    {
        Description = "Stored values that become black and white, 0,4095 say, instead of those that the checkpoint keeps.",
        HelpName = "LOW,HIGH",
    };

    /// <summary>Adds the options to a command that looks at pictures with a trained network.</summary>
    public static void AddTo(Command command)
    {
        command.Options.Add(decode);
        command.Options.Add(range);
    }

    /// <summary>The option of how files are read.</summary>
    /// <param name="usual">What is done without it.</param>
    public static Option<DecodeMode> Decode(string usual) => new("--decode")
    {
        Description = "How JPEGs are read: exact, as Pillow reads them, or fast. " + $"[default: {usual}]",
    };

    /// <summary>What a checkpoint says, but for what is given.</summary>
    /// <exception cref="UserErrorException">An option makes no sense.</exception>
    public static Preprocessing Read(CommandContext context, Preprocessing stored)
    {
        var chosen = stored with { Decode = context.IsGiven(decode) ? context.Get(decode) : DecodeMode.Exact };
        if (context.Get(range) is not { } word)
            return chosen;
        if (word == Auto)
        {
            throw new UserErrorException(
                "--range auto is for dino train, which keeps what it measured in the checkpoint; here give --range LOW,HIGH.")
            { IsUsage = true };
        }
        return chosen with { Range = Range(word) };
    }

    /// <summary>A range as it is typed: two numbers with a comma between them.</summary>
    /// <exception cref="UserErrorException">It is none.</exception>
    public static ValueRange Range(string word)
    {
        string[] parts = word.Split(',');
        if (parts.Length != 2 || parts.Any(part => NumberWord.Fault(part, typeof(double)) is not null))
        {
            throw new UserErrorException(
                $"--range takes two numbers with a comma between them, 0,4095 say, not '{word}'.")
            { IsUsage = true };
        }
        var (low, high) = (double.Parse(parts[0], CultureInfo.InvariantCulture), double.Parse(parts[1], CultureInfo.InvariantCulture));
        return (float)low < (float)high && float.IsFinite((float)low) && float.IsFinite((float)high) ? new(low, high)
            : throw new UserErrorException($"--range takes the smaller value first and the larger one then, not '{word}'.")
            { IsUsage = true };
    }

    /// <summary>What a checkpoint keeps, in words; null where it is what every network without one has.</summary>
    public static string? Describe(Preprocessing stored)
    {
        if (stored == new Preprocessing())
            return null;
        string read = stored.Decode == DecodeMode.Fast ? ", read fast in training" : "";
        string range = stored.Range is { } both ? $"range {Text(both)}" : "8 bits";
        string numbers = stored is { Mean: { } mean, Std: { } std } ? $"mean {Numbers(mean)}, deviation {Numbers(std)}"
            : "mean and deviation of ImageNet";
        return $"{range}, {numbers}{read}";
    }

    /// <summary>The same as JSON.</summary>
    public static void Write(Utf8JsonWriter json, Preprocessing stored)
    {
        json.WriteStartObject("preprocessing");
        json.WriteString("decode", stored.Decode.ToString().ToLowerInvariant());
        foreach (var (name, numbers) in ((string, IReadOnlyList<double>?)[])
            [("range", stored.Range is { } both ? [both.Low, both.High] : null), ("mean", stored.Mean), ("std", stored.Std)])
        {
            if (numbers is null)
            {
                json.WriteNull(name);
                continue;
            }
            json.WriteStartArray(name);
            foreach (double number in numbers)
                json.WriteNumberValue(number);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    /// <summary>Numbers in words.</summary>
    public static string Numbers(IReadOnlyList<double> numbers) =>
        string.Join(' ', numbers.Select(number => number.ToString("0.####", CultureInfo.InvariantCulture)));

    /// <summary>A range in words.</summary>
    public static string Text(ValueRange range) => string.Create(CultureInfo.InvariantCulture, $"{range.Low:G6} … {range.High:G6}");
}
