namespace Dino.Model.Weights;

/// <summary>How the number of attention heads is known, which is in no shape of a network.</summary>
public enum HeadSource
{
    /// <summary>The caller says it.</summary>
    Given,

    /// <summary>The file says it.</summary>
    File,

    /// <summary>Hugging Face's <c>config.json</c> beside the file says it.</summary>
    Config,

    /// <summary>Nothing says it; published networks of the width have so many.</summary>
    Assumed,
}

/// <summary>The number of attention heads of a network in a file.</summary>
/// <param name="Count">H.</param>
/// <param name="Source">How it is known.</param>
public sealed record HeadCount(int Count, HeadSource Source)
{
    /// <summary>The key of the metadata under which our exports state it.</summary>
    public const string MetadataKey = "dino.num_heads";

    // D and H of the published networks: 64 a head, in the largest DINOv3 128.
    private static readonly Dictionary<int, int> published =
        new() { [64] = 1, [192] = 3, [384] = 6, [768] = 12, [1024] = 16, [1536] = 24, [4096] = 32 };

    /// <summary>The heads of the published networks of a width; null where there are none, and a guess would be one.</summary>
    public static int? Published(int dim) => published.TryGetValue(dim, out int heads) ? heads : null;

    /// <summary>
    /// What to tell a person where it was assumed; null where it is known. <see cref="BackboneChoice.Heads"/> stands in backticks in it.
    /// </summary>
    public string? Warning(string path, int dim) => Source == HeadSource.Assumed
        ? $"{path} does not say how many attention heads its network has: {Count} {(Count == 1 ? "is" : "are")} assumed, as in published "
            + $"networks of width {dim}. If it has others, give `Heads`, or its features are wrong."
        : null;

    internal static WeightsException Contradicted(string path, int given, int stated) =>
        new(WeightsFault.HeadsContradicted, $"`Heads` {given}: {path} says that its network has {stated} heads. Leave `Heads` out.");
}
