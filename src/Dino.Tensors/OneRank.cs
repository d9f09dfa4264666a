namespace Dino.Tensors;

/// <summary>A run of one process: sums are what they are, and nothing is launched or waited for.</summary>
public sealed class OneRank : IRanks
{
    private OneRank() { }

    /// <summary>The only one.</summary>
    public static OneRank Instance { get; } = new();

    /// <inheritdoc/>
    public int Rank => 0;

    /// <inheritdoc/>
    public int Count => 1;

    /// <inheritdoc/>
    public void Sum(Tensor tensor) { }

    /// <inheritdoc/>
    public Tensor Gather(Tensor tensor) => tensor;

    /// <inheritdoc/>
    public void Barrier() { }
}
