using Dino.Tensors.Ops;

namespace Dino.Tensors.Nn;

/// <summary>
/// Batch normalisation over rows with trained scale and shift, <c>weight</c> and <c>bias</c> (D), and the running statistics
/// <c>running_mean</c> and <c>running_var</c> (D) as buffers (Ioffe and Szegedy 2015).
/// </summary>
public sealed class BatchNorm : Module
{
    private readonly Parameter weight, bias;
    private readonly ModuleBuffer runningMean, runningVar;

    /// <summary>Normalises each of <paramref name="width"/> columns.</summary>
    /// <param name="width">D.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="momentum">How far a batch moves the running statistics.</param>
    /// <param name="init">The first scale; null for 1. A scale of 0 starts a residual block as the identity.</param>
    public BatchNorm(int width, float epsilon = 1e-5f, float momentum = 0.1f, Init? init = null)
    {
        (Epsilon, Momentum) = (epsilon, momentum);
        weight = Register("weight", new Shape(width), init ?? Init.Ones);
        bias = Register("bias", new Shape(width), Init.Zeros);
        runningMean = RegisterBuffer("running_mean", new Shape(width), Init.Zeros);
        runningVar = RegisterBuffer("running_var", new Shape(width), Init.Ones);
    }

    /// <summary>Added to the variance.</summary>
    public float Epsilon { get; }

    /// <summary>How far a batch moves the running statistics: the weight of its own.</summary>
    public float Momentum { get; }

    /// <summary>
    /// x (rows, D) → (rows, D), by the statistics of these rows, which also move the running ones, or by the running ones.
    /// </summary>
    /// <param name="x">(rows, D)</param>
    /// <param name="training">Whether to take the statistics of the batch.</param>
    /// <param name="ranks">Who shares the batch; null for this process alone.</param>
    public Tensor Forward(Tensor x, bool training, IRanks? ranks = null) =>
        x.BatchNorm(weight.Value, bias.Value, runningMean.Value, runningVar.Value, training, Momentum, Epsilon, ranks);
}
