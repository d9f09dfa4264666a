using Dino.Tensors.Ops;

namespace Dino.Tensors.Nn;

/// <summary>y = x Wᵀ + b with trained <c>weight</c> (out, in) and, unless it has none, <c>bias</c> (out).</summary>
public sealed class Linear : Module
{
    /// <summary>A map from rows of <paramref name="inFeatures"/> to rows of <paramref name="outFeatures"/> numbers.</summary>
    /// <param name="inFeatures">The length of an input row.</param>
    /// <param name="outFeatures">The length of an output row.</param>
    /// <param name="bias">Whether there is a bias.</param>
    /// <param name="init">The first weights, with a bias of 0; null for PyTorch's: both uniform within ±1/√in.</param>
    /// <param name="biasInit">The first bias, if it is to be another.</param>
    public Linear(int inFeatures, int outFeatures, bool bias = true, Init? init = null, Init? biasInit = null)
    {
        var uniform = Init.KaimingUniform(Math.Max(1, inFeatures));
        Weight = Register("weight", new Shape(outFeatures, inFeatures), init ?? uniform);
        if (bias)
            Bias = Register("bias", new Shape(outFeatures), biasInit ?? (init is null ? uniform : Init.Zeros));
    }

    /// <summary>W (out, in).</summary>
    public Parameter Weight { get; }

    /// <summary>b (out), or null.</summary>
    public Parameter? Bias { get; }

    /// <summary>x (…, in) → (…, out).</summary>
    public Tensor Forward(Tensor x) => x.Linear(Weight.Value, Bias?.Value);
}
