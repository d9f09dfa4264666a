using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dino.Tensors.Io;

namespace Dino.Train.Runs;

/// <summary>What a run was initialised from; written beside its checkpoints as <c>init.json</c>.</summary>
public sealed record InitializationNote
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>The file's full path.</summary>
    public required string File { get; init; }

    /// <summary>The file's checksum, in hexadecimal.</summary>
    public required string Sha256 { get; init; }

    /// <summary>The file's format.</summary>
    public required string Format { get; init; }

    /// <summary>How its tensors are named.</summary>
    public required string Layout { get; init; }

    /// <summary>Where the student's weights are from.</summary>
    public required string Student { get; init; }

    /// <summary>Where the teacher's weights are from.</summary>
    public required string Teacher { get; init; }

    /// <summary>Where the heads' weights are from.</summary>
    public required string Head { get; init; }

    /// <summary>Where the centre is from.</summary>
    public required string Centre { get; init; }

    /// <summary>Tensors of the teacher that have the file's values.</summary>
    public required int Loaded { get; init; }

    /// <summary>Position embeddings that were resampled.</summary>
    public required IReadOnlyList<string> Resized { get; init; }

    /// <summary>Tensors that keep the first values of the seed, for want of any in the file.</summary>
    public required IReadOnlyList<string> Missing { get; init; }

    /// <summary>Tensors that keep the first values of the seed, because those of the file have another shape.</summary>
    public required IReadOnlyList<string> Misshapen { get; init; }

    /// <summary>Tensors of the file that were not used.</summary>
    public required IReadOnlyList<string> NotUsed { get; init; }

    internal bool HasCentre { get; init; }

    /// <summary>The note in a sentence.</summary>
    [JsonIgnore]
    public string Summary =>
        $"initialised from {File} ({Format}, {Layout}): {Loaded} tensors{(Resized.Count > 0 ? $", {string.Join(", ", Resized)} resampled" : "")}"
        + $"{(Missing.Count + Misshapen.Count > 0 ? $", {Missing.Count + Misshapen.Count} left at first values" : "")}; "
        + $"student from {Student}, teacher from {Teacher}, head: {Head}, centre: {Centre}";

    /// <summary>Writes the note.</summary>
    public void Write(string path) =>
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(this, Json))));
}
