using System.CommandLine;
using System.Globalization;
using Dino.Cli.Arguments;
using Dino.Tensors.Io;

namespace Dino.Cli.Commands;

/// <summary>A share of the pictures in place of folders: <c>--val 10%</c>.</summary>
internal static class HeldOutShare
{
    /// <summary>The share, between 0 and 1; null where folders are named.</summary>
    /// <exception cref="UserErrorException">It is none that can be held out.</exception>
    public static double? Of(Option<string[]> option, string[] words)
    {
        string? word = words.FirstOrDefault(word => IsNumber(word) && FileStatus.Of(word).Kind == FileKind.Missing);
        if (word is null)
            return null;
        if (words.Length > 1)
            throw Wrong($"{option.Name} takes a share or folders, not both: {string.Join(" ", words)}.");
        if (!word.EndsWith('%'))
            throw Wrong($"{option.Name} {word}: there is no such folder, and a share is written with %, as {option.Name} 10%.");
        double percent = double.Parse(word[..^1], CultureInfo.InvariantCulture);
        return percent is > 0 and < 100 ? percent / 100
            : throw Wrong($"{option.Name} takes a share above 0% and below 100%, as {option.Name} 10%, not {word}.");
    }

    private static bool IsNumber(string word) =>
        double.TryParse(word.EndsWith('%') ? word[..^1] : word, NumberStyles.Float, CultureInfo.InvariantCulture, out _);

    private static UserErrorException Wrong(string message) => new(message) { IsUsage = true };
}
