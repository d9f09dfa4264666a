using Dino.Tensors.Ops;

namespace Dino.Tensors.Nn;

/// <summary>y = x Wᵀ + b with trained <c>weight</c> (out, in) and, unless it has none, <c>bias</c> (out).</summary>
/// <remarks>Starts as every linear map of DINO's ViT and head does: a truncated normal of deviation 0.02, the bias 0.</remarks>
public sealed class Linear : Module
{
    /// <summary>A map from rows of <paramref name="inFeatures"/> to rows of <paramref name="outFeatures"/> numbers.</summary>
    /// <param name="inFeatures">The length of an input row.</param>
    /// <param name="outFeatures">The length of an output row.</param>
    /// <param name="bias">Whether there is a bias.</param>
    public Linear(int inFeatures, int outFeatures, bool bias = true)
    {
        Weight = Register("weight", new Shape(outFeatures, inFeatures), Init.TruncatedNormal(0.02f));
        if (bias)
            Bias = Register("bias", new Shape(outFeatures), Init.Zeros);
    }

    /// <summary>W (out, in).</summary>
    public Parameter Weight { get; }

    /// <summary>b (out), or null.</summary>
    public Parameter? Bias { get; }

    /// <summary>x (…, in) → (…, out).</summary>
    public Tensor Forward(Tensor x) => x.Linear(Weight.Value, Bias?.Value);
}
