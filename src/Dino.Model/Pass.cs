using Dino.Tensors;

namespace Dino.Model;

/// <summary>How a network is run this time. It is handed down to every module that needs to know; none keeps a mode of its own.</summary>
/// <param name="Training">Whether batch normalisation takes the statistics of the batch, and moves the running ones.</param>
/// <param name="Ranks">Who shares the batch.</param>
/// <param name="Depth">Which residual branches are dropped; null for none.</param>
/// <param name="Recompute">
/// Whether a block keeps only its input while a tape records, and is computed again in the backward pass: much less memory, the same
/// gradients, for the
/// time of another forward pass.
/// </param>
public readonly record struct Pass(bool Training, IRanks Ranks, StochasticDepth? Depth = null, bool Recompute = false)
{
    /// <summary>A pass of a network that does not learn: running statistics, nothing dropped, one process.</summary>
    public static Pass Evaluation => new(false, OneRank.Instance);

    /// <summary>Who shares the batch; of a pass that is left at its default, this process alone.</summary>
    public IRanks Ranks { get => field ?? OneRank.Instance; init; } = Ranks;
}
