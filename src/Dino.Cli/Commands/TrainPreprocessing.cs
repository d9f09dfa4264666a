using System.CommandLine;
using System.Globalization;
using Dino.Cli.Arguments;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Pictures.Transforms;
using Dino.Train.Options;

namespace Dino.Cli.Commands;

/// <summary>
/// The options of <c>dino train</c> that say how stored values become crops. What is measured, is measured once for a run.
/// </summary>
internal static class TrainPreprocessing
{
    private static readonly Option<DecodeMode> decode = PreprocessingChoice.Decode("fast, or as the run began");

    private static readonly Option<string?> range = new("--range")
    {
        Description = "Stored values that become black and white, for pictures of more than 8 bits: two numbers, 0,4095 say, or auto, "
            + "their 0.5th and 99.5th percentile. Without it the upper 8 bits are used.",
        HelpName = "LOW,HIGH",
    };

    private static readonly Option<double[]> mean = Numbers("--mean", "Mean of each channel, between 0 and 1");
    private static readonly Option<double[]> std = Numbers("--std", "Standard deviation of each channel");

    /// <summary>Adds the options.</summary>
    public static void AddTo(Command command)
    {
        foreach (var option in (Option[])[decode, range, mean, std])
            command.Options.Add(option);
    }

    /// <summary>Whether a range is asked for.</summary>
    public static bool HasRange(CommandContext context) => context.Get(range) is not null;

    /// <summary>Notes how the files of a run are read, and the range that was measured: another run like it takes the same.</summary>
    public static void Note(TrainOptions options, Dictionary<Option, object?> values)
    {
        var chosen = options.Preprocessing ?? new Preprocessing();
        values[decode] = chosen.Decode;
        values[range] = chosen.Range is { } both ? string.Create(CultureInfo.InvariantCulture, $"{both.Low:R},{both.High:R}") : null;
        values[mean] = chosen.Mean?.ToArray();
        values[std] = chosen.Std?.ToArray();
    }

    /// <summary>The hyperparameters with what the options say, and what has to be measured for it.</summary>
    /// <param name="context">The command line.</param>
    /// <param name="options">The hyperparameters, with the preprocessing of the network that the run begins with.</param>
    /// <param name="found">Those of the run that goes on; null for a new one.</param>
    /// <param name="folder">The pictures.</param>
    /// <param name="prefetch">Threads, and the largest picture.</param>
    /// <exception cref="UserErrorException">An option makes no sense.</exception>
    public static TOptions Apply<TOptions>(
        CommandContext context, TOptions options, TOptions? found, ImageFolder folder, PrefetchOptions prefetch)
        where TOptions : TrainOptions
    {
        int channels = options.Backbone.InputChannels;
        var before = found is null ? null : found.Preprocessing ?? new Preprocessing();
        var chosen = new Preprocessing
        {
            Decode = Decode(context, found),
            Mean = context.IsGiven(mean) ? context.Get(mean) : null,
            Std = context.IsGiven(std) ? context.Get(std) : null,
        };
        if (context.Get(range) is { } word)
        {
            chosen = chosen with
            {
                Range = word != PreprocessingChoice.Auto ? PreprocessingChoice.Range(word)
                    : before?.Range ?? MeasureRange(context, folder, chosen, channels, prefetch),
            };
        }
        else if (options.Preprocessing is { } initial)
        {
            chosen = Continue(context, chosen, initial);
        }
        if (chosen is { Mean: null, Std: null } && (chosen.Range is not null || channels is not (1 or 3)))
        {
            chosen = before?.Mean is not null ? chosen with { Mean = before.Mean, Std = before.Std }
                : MeasureMean(context, folder, chosen, channels, prefetch);
        }
        try
        {
            _ = chosen.NormalizeFor(channels);
        }
        catch (ArgumentException e)
        {
            throw new UserErrorException(OptionNames.InText(e.Message), e) { IsUsage = true };
        }
        DepthNotes.Say(context, folder, chosen, channels, "give --range LOW,HIGH or --range auto");
        // What every run did before there was a choice is kept as it was.
        return (TOptions)(options with { Preprocessing = chosen == new Preprocessing() ? null : chosen });
    }

    /// <summary>The numbers of the network that a run begins with: its pictures are to look to it as those before did.</summary>
    private static Preprocessing Continue(CommandContext context, Preprocessing chosen, Preprocessing initial)
    {
        if (initial.Range is { } both)
            context.Say($"range {PreprocessingChoice.Text(both)}: that of the network of --init");
        bool own = chosen is { Mean: null, Std: null };
        return chosen with
        {
            Range = initial.Range,
            Mean = own ? initial.Mean : chosen.Mean,
            Std = own ? initial.Std : chosen.Std,
        };
    }

    // A run goes on as it began; those of before there was a choice began exactly.
    private static DecodeMode Decode(CommandContext context, TrainOptions? found) =>
        context.IsGiven(decode) ? context.Get(decode)
        : found is null ? DecodeMode.Fast
        : found.Preprocessing?.Decode ?? DecodeMode.Exact;

    private static ValueRange MeasureRange(
        CommandContext context, ImageFolder folder, Preprocessing chosen, int channels, PrefetchOptions prefetch)
    {
        var (measured, pictures) =
            PictureStatistics.MeasureRange(folder, chosen, channels, prefetch with { Cancel = context.Cancel });
        context.Say($"range {PreprocessingChoice.Text(measured)} (0.5th and 99.5th percentile of {pictures} pictures)");
        return measured;
    }

    private static Preprocessing MeasureMean(
        CommandContext context, ImageFolder folder, Preprocessing chosen, int channels, PrefetchOptions prefetch)
    {
        var (measuredMean, measuredStd, pictures) =
            PictureStatistics.MeasureMeanAndStd(folder, chosen, channels, prefetch with { Cancel = context.Cancel });
        context.Say($"mean {PreprocessingChoice.Numbers(measuredMean)}, deviation {PreprocessingChoice.Numbers(measuredStd)} "
            + $"(of {pictures} pictures, by channel)");
        return chosen with { Mean = measuredMean, Std = measuredStd };
    }

    private static Option<double[]> Numbers(string name, string description) => new(name)
    {
        Description = $"{description}. Without it ImageNet's; with --range, or other channels than 1 and 3, what is measured once.",
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => [],
        HelpName = "NUMBER",
    };
}
