using System.CommandLine;
using System.Globalization;
using Dino.Cli.Arguments;
using Dino.Train.Options;

namespace Dino.Cli.Commands;

/// <summary>Checks the numbers of a command line.</summary>
internal static class OptionRange
{
    /// <summary>The option's value.</summary>
    /// <exception cref="UserErrorException">It lies outside; nothing was tried.</exception>
    public static int GetBetween(this CommandContext context, Option<int> option, int least, int most = int.MaxValue)
    {
        int value = context.Get(option);
        if (value >= least && value <= most)
            return value;
        string range = most == int.MaxValue ? $"at least {least}" : $"between {least} and {most}";
        throw new UserErrorException(string.Create(CultureInfo.InvariantCulture, $"{option.Name} must be {range}, not {value}."))
        {
            IsUsage = true,
        };
    }

    /// <summary>The option's value; a line warns of one that is hardly meant.</summary>
    /// <exception cref="UserErrorException">It lies outside; nothing was tried.</exception>
    public static double GetWithin(this CommandContext context, Option<double> option, Limits limits) =>
        context.Within(option, context.Get(option), limits);

    /// <summary>A number of an option; a line warns of one that is hardly meant.</summary>
    /// <exception cref="UserErrorException">It lies outside; nothing was tried.</exception>
    public static double Within(this CommandContext context, Option option, double value, Limits limits)
    {
        if (!limits.Contains(value))
            throw new UserErrorException(string.Create(
                CultureInfo.InvariantCulture, $"{option.Name} must be {limits}, not {value}."))
            { IsUsage = true };
        if (limits.Strange(value) is { } strange)
            context.Warn(string.Create(CultureInfo.InvariantCulture, $"{option.Name} {value} {strange}"));
        return value;
    }

    /// <summary>Says that something may be and is hardly meant. The work goes on: a script does not wait for an answer.</summary>
    public static void Warn(this CommandContext context, string what) =>
        context.Error.WriteLine($"warning: {OptionNames.InText(what)}. Is it meant?");
}
