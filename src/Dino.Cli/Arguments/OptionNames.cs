using System.Text.RegularExpressions;
using Dino.Pictures.Loading;
using Dino.Train;
using Dino.Train.Methods.Dino;

namespace Dino.Cli.Arguments;

/// <summary>
/// The names that properties of the libraries have on the command line. An option is called as its property, in small words with hyphens,
/// but for the few that the reference calls otherwise.
/// </summary>
internal static partial class OptionNames
{
    private static readonly Dictionary<string, string> others = new()
    {
        ["Backbone"] = "--arch",
        ["Patch"] = "--patch-size",
        ["Dim"] = "--embed-dim",
        ["Heads"] = "--num-heads",
        ["ImageSize"] = "--global-crops-size",
        ["UseBatchNorm"] = "--use-bn-in-head",
        ["Layers"] = "--head-layers",
        ["FlipProbability"] = "--hflip-prob",
        ["VerticalFlipProbability"] = "--vflip-prob",
        ["JitterProbability"] = "--jitter-prob",
        ["GrayscaleProbability"] = "--grayscale-prob",
        ["BlurProbability"] = "--blur-prob",
        ["SolarizeProbability"] = "--solarize-prob",
        ["SaveEvery"] = "--saveckp-freq",
        ["KnnEvery"] = "--knn-freq",
        ["Initialization"] = "--init",
        ["AllowPartial"] = "--allow-partial",
        ["Device"] = "--device",
        ["MaxPixels"] = "--max-megapixels",
        ["Include"] = "--include",
        ["Exclude"] = "--exclude",
        ["KeepMasks"] = "--keep-masks",
        ["EveryPage"] = "--pages",
        ["Val"] = "--val",
        ["GroundTruth"] = "--ground-truth",
        ["MaskKind"] = "--mask-kind",
        ["Attention.Size"] = "--size",
        ["Components.Size"] = "--pca-size",
        ["Retrieval.Size"] = "--imsize",
        ["Video.Size"] = "--size",
        ["Video.Radius"] = "--size-mask-neighborhood",
        ["Video.LastFrames"] = "--n-last-frames",
    };

    // What a message may name: it holds other people's words too.
    private static readonly HashSet<string> known =
    [
        .. others.Keys,
        .. DinoHyperparameters.All.Select(one => LastOf(one.Property)),
        .. typeof(RunOptions).GetProperties().Select(property => property.Name),
        .. typeof(PrefetchOptions).GetProperties().Select(property => property.Name),
        .. typeof(Preprocessing).GetProperties().Select(property => property.Name),
    ];

    /// <summary>The option that sets a property, given by its name or by its path from the run's options on.</summary>
    public static string Of(string property)
    {
        string name = LastOf(property);
        return others.TryGetValue(property, out string? option)
            || others.TryGetValue(name, out option) ? option : "--" + Words().Replace(name, "-$1").ToLowerInvariant();
    }

    /// <summary>A library's message for a person at a command line: options where it names properties in backticks.</summary>
    public static string InText(string message) =>
        Named().Replace(message, match => IsKnown(match.Groups[1].Value) ? Of(match.Groups[1].Value) : match.Value);

    private static bool IsKnown(string property) => known.Contains(property) || known.Contains(LastOf(property));

    private static string LastOf(string property) => property[(property.LastIndexOf('.') + 1)..];

    [GeneratedRegex("(?<!^)([A-Z])")]
    private static partial Regex Words();

    [GeneratedRegex("`([A-Z][A-Za-z.]*)`")]
    private static partial Regex Named();
}
