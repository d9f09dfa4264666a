using System.Text.Json;
using Dino.Tensors.Io;

namespace Dino.Testing;

/// <summary>A weights file of the golden folder.</summary>
/// <param name="Name">Its name below the folder.</param>
/// <param name="Expect">"load", "reject", or "either".</param>
/// <param name="Compare">Prefixes of names in the file, and the prefixes under which the same values are expected.</param>
/// <param name="Json">The whole entry, for what only some files state.</param>
public sealed record GoldenCheckpoint(string Name, string Expect, IReadOnlyList<(string InFile, string Expected)> Compare, JsonElement Json)
{
    /// <summary>Where it lies.</summary>
    public string Path => GoldenSet.PathOf(Name);

    /// <inheritdoc/>
    public override string ToString() => Compare.Count == 0 ? Name
        : $"{Name} {string.Join(' ', Compare.Select(pair => pair.InFile + "=" + pair.Expected))}";
}

/// <summary>The weights files of the golden folder, good and hostile, and the values that the good ones hold.</summary>
public static class GoldenCheckpoints
{
    private static readonly JsonElement root = GoldenSet.Index.Value.RootElement.GetProperty("checkpoints");

    /// <summary>Every file; one that is compared in several ways is there several times.</summary>
    public static IReadOnlyList<GoldenCheckpoint> Files { get; } = [.. root.GetProperty("files").EnumerateArray().Select(Describe)];

    /// <summary>The files that must load.</summary>
    public static IEnumerable<GoldenCheckpoint> Good => Files.Where(file => file.Expect == "load");

    /// <summary>The files that must or may be refused.</summary>
    public static IEnumerable<GoldenCheckpoint> Hostile => Files.Where(file => file.Expect != "load");

    /// <summary>The values.</summary>
    public static SafetensorsFile Expected { get; } =
        SafetensorsFile.Read(GoldenSet.PathOf(root.GetProperty("expected").GetProperty("file").GetString()!));

    /// <summary>The sizes of the network.</summary>
    public static JsonElement Config { get; } = root.GetProperty("config");

    /// <summary>Pictures, features and tolerance of one forward pass of the backbone.</summary>
    public static JsonElement Forward { get; } = root.GetProperty("forward");

    /// <summary>The file that a reader makes in the current folder when it executes a hostile one.</summary>
    public static string Canary { get; } = root.GetProperty("canary").GetString()!;

    private static GoldenCheckpoint Describe(JsonElement entry) => new(
        entry.GetProperty("file").GetString()!, entry.GetProperty("expect").GetString()!,
        entry.TryGetProperty("compare", out var compare)
            ? [.. compare.EnumerateObject().Select(pair => (pair.Name, pair.Value.GetString()!))]
            : [],
        entry);
}
