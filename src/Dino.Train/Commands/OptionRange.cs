using System.CommandLine;
using System.Globalization;
using Dino.Train.Cli;

namespace Dino.Train.Commands;

/// <summary>Checks the whole numbers of a command line.</summary>
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
}
