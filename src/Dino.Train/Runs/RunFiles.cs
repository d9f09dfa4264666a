using System.Text.RegularExpressions;
using Dino.Pictures.DataSets;

namespace Dino.Train.Runs;

/// <summary>The files of a run's folder.</summary>
internal static partial class RunFiles
{
    public const string Latest = "latest.safetensors", Log = "log.jsonl", InitialWeights = "init.json",
        HeldOut = "val.txt", Arguments = "args.json";

    /// <summary>Whether a run writes a file of this name.</summary>
    public static bool IsOne(string name) =>
        name is Latest or "latest.json" or Log or InitialWeights or HeldOut or Arguments or PictureListing.FileName
            || Checkpoints().IsMatch(name);

    /// <summary>The names of the checkpoints that stay.</summary>
    public static string[] Kept(string folder) =>
        [.. Directory.EnumerateFiles(folder, "checkpoint*.safetensors").Select(path => Path.GetFileName(path)!).Where(IsOne)
            .Order(StringComparer.Ordinal)];

    [GeneratedRegex(@"^checkpoint\d{4,}\.(safetensors|json)$")]
    private static partial Regex Checkpoints();
}
