using System.Text.Json.Serialization;
using Dino.Train.Runs;

namespace Dino.Train.Methods.Dino;

/// <summary>What student, teacher, heads and centre of a run were initialised from.</summary>
public sealed record DinoInitializationNote : InitializationNote
{
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

    /// <inheritdoc/>
    [JsonIgnore]
    public override string Summary =>
        $"initialised from {File} ({Format}, {Layout}): {Loaded} "
            + $"tensors{(Resized.Count > 0 ? $", {string.Join(", ", Resized)} resampled" : "")}"
        + $"{(Missing.Count + Misshapen.Count > 0 ? $", {Missing.Count + Misshapen.Count} left at first values" : "")}; "
        + $"student from {Student}, teacher from {Teacher}, head: {Head}, centre: {Centre}";
}
