using Dino.Tensors.Ops;

namespace Dino.Tensors.Nn;

/// <summary>Layer normalisation over the last dimension with trained scale and shift: <c>weight</c> (D) and <c>bias</c> (D).</summary>
public sealed class LayerNorm : Module
{
    /// <summary>Normalises rows of <paramref name="width"/> numbers.</summary>
    /// <param name="width">D.</param>
    /// <param name="epsilon">Added to the variance.</param>
    public LayerNorm(int width, float epsilon = 1e-5f)
    {
        Epsilon = epsilon;
        Weight = Register("weight", new Shape(width), Init.Ones);
        Bias = Register("bias", new Shape(width), Init.Zeros);
    }

    /// <summary>Added to the variance.</summary>
    public float Epsilon { get; }

    /// <summary>The scale (D).</summary>
    public Parameter Weight { get; }

    /// <summary>The shift (D).</summary>
    public Parameter Bias { get; }

    /// <summary>x (…, D) → (…, D).</summary>
    public Tensor Forward(Tensor x) => x.LayerNorm(Weight.Value, Bias.Value, Epsilon);
}
