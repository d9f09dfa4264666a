namespace Dino.Model.Weights;

/// <summary>Which network of a weights file, and what the file may lack.</summary>
public sealed record BackboneChoice
{
    /// <summary>The student of a training checkpoint instead of the teacher, which the paper evaluates.</summary>
    public bool Student { get; init; }

    /// <summary>Attention heads, where neither the file nor its width tells them.</summary>
    public int? Heads { get; init; }

    /// <summary>Whether tensors may be missing, unexpected or misshapen; what is missing has the first values of seed 0.</summary>
    public bool AllowPartial { get; init; }

    /// <summary>The key of the network for <see cref="ModelWeights.Find"/>.</summary>
    internal string? Key => Student ? ModelWeights.Student : null;
}
