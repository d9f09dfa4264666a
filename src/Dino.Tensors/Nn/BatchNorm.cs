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
    public BatchNorm(int width)
    {
        weight = Register("weight", new Shape(width), Init.Ones);
        bias = Register("bias", new Shape(width), Init.Zeros);
        runningMean = RegisterBuffer("running_mean", new Shape(width), Init.Zeros);
        runningVar = RegisterBuffer("running_var", new Shape(width), Init.Ones);
    }

    /// <summary>x (rows, D) → (rows, D), by the statistics of these rows, which also move the running ones, or by the running ones.</summary>
    public Tensor Forward(Tensor x, bool training) => x.BatchNorm(weight.Value, bias.Value, runningMean.Value, runningVar.Value, training);
}
