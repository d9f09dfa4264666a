using System.CommandLine;
using Dino.Cli.Arguments;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;

namespace Dino.Cli.Commands;

/// <summary>The options that choose among the pictures of a folder, and say how large one may be; the same in every command.</summary>
internal static class PictureChoice
{
    /// <summary>What may be named where pictures are asked for, for the help.</summary>
    public const string Kinds = "folders, .zip or .tar archives, lists of paths (.txt)";

    /// <summary>The name, in the help, of what pictures are taken from.</summary>
    public const string SourceName = "FOLDER";

    private const int MostMegapixels = RgbImage.MaxPixels / 2 / 1_000_000;

    private static readonly Option<string[]> include =
        Patterns("--include", "Only files of these patterns: '*.jpg', 'cats/*', '**/left/*'. Without / a pattern counts at every depth.");
    private static readonly Option<string[]> exclude = Patterns("--exclude", "No files of these patterns: '*.png', 'masks', '*_mask.*'.");

    private static readonly Option<bool> keepMasks = new("--keep-masks")
    {
        Description = "Take files that look like masks of the pictures beside them for pictures, too; without it, they are left out."
    };

    private static readonly Option<bool> pages =
        new("--pages") { Description = "Take every page of a TIFF for a picture of its own; without it, the first one." };

    private static readonly Option<double> maxMegapixels = new("--max-megapixels")
    {
        Description = $"The largest picture that is decoded, in millions of pixels, up to {MostMegapixels}.",
        DefaultValueFactory = _ => Math.Round(ImageDecoder.DefaultMaxPixels / 1e6, 1),
        HelpName = "NUMBER",
    };

    /// <summary>Adds the options to a command that reads folders of pictures.</summary>
    public static void AddTo(Command command)
    {
        command.Options.Add(include);
        command.Options.Add(exclude);
        command.Options.Add(keepMasks);
        command.Options.Add(pages);
        AddLimitTo(command);
    }

    /// <summary>Adds the limit alone, for a command whose pictures are named by lists.</summary>
    public static void AddLimitTo(Command command) => command.Options.Add(maxMegapixels);

    /// <summary>Which pictures the options choose.</summary>
    public static ImageFolderOptions Read(CommandContext context) => new()
    {
        Patterns = new PicturePatterns(context.Get(include) ?? [], context.Get(exclude) ?? []),
        KeepMasks = context.Get(keepMasks),
        EveryPage = context.Get(pages),
    };

    /// <summary>The largest picture, in pixels.</summary>
    /// <exception cref="UserErrorException">The option makes no sense.</exception>
    public static int MaxPixels(CommandContext context)
    {
        if (!context.IsGiven(maxMegapixels))
            return ImageDecoder.DefaultMaxPixels;
        double wanted = context.Get(maxMegapixels);
        return wanted is > 0 and <= MostMegapixels
            ? Math.Max(1, (int)(wanted * 1e6))
            : throw new UserErrorException(FormattableString.Invariant(
                $"--max-megapixels must lie above 0 and at {MostMegapixels} at most, not at {wanted}."))
            { IsUsage = true };
    }

    /// <summary>Notes what decides on the pictures of a run, exactly: what the help shows of a default is rounded.</summary>
    public static void Note(CommandContext context, Dictionary<Option, object?> values) =>
        values[maxMegapixels] = MaxPixels(context) / 1e6;

    /// <summary>An option that takes folders of pictures, and what may stand in their place.</summary>
    public static Option<string[]> Sources(string name, string description, bool required = false) => new(name)
    {
        Description = description,
        Required = required,
        Arity = ArgumentArity.OneOrMore,
        AllowMultipleArgumentsPerToken = true,
        HelpName = SourceName,
    };

    private static Option<string[]> Patterns(string name, string description) => new(name)
    {
        Description = description,
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => [],
        HelpName = "PATTERN",
    };
}
