using System.CommandLine;
using System.Globalization;
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
        Description = "How JPEG and PNG files are read: exact, as Pillow reads them, or fast. " + $"[default: {usual}]",
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
                $"--range takes two numbers with a comma between them, 0,4095 say, not '{word}'.") { IsUsage = true };
        }
        var (low, high) = (double.Parse(parts[0], CultureInfo.InvariantCulture), double.Parse(parts[1], CultureInfo.InvariantCulture));
        return (float)low < (float)high && float.IsFinite((float)low) && float.IsFinite((float)high) ? new(low, high)
            : throw new UserErrorException($"--range takes the smaller value first and the larger one then, not '{word}'.") { IsUsage = true };
    }

    /// <summary>A range in words.</summary>
    public static string Text(ValueRange range) => string.Create(CultureInfo.InvariantCulture, $"{range.Low:G6} … {range.High:G6}");
}
