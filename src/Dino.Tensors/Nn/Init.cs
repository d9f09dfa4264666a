using Dino.Tensors.Ops;
using Dino.Tensors.Random;

namespace Dino.Tensors.Nn;

/// <summary>What a parameter or buffer holds before training.</summary>
public readonly record struct Init
{
    private readonly Kind kind;
    private readonly float size;

    private Init(Kind kind, float size) => (this.kind, this.size) = (kind, size);

    private enum Kind
    {
        Constant,
        TruncatedNormal,
        Uniform,
        Powers,
    }

    /// <summary>All 0.</summary>
    public static Init Zeros => default;

    /// <summary>All 1.</summary>
    public static Init Ones => new(Kind.Constant, 1);

    /// <summary>All the same value.</summary>
    public static Init Constant(float value) => new(Kind.Constant, value);

    /// <summary>baseⁱᐟⁿ for element i of n: from 1 towards the base, by equal factors.</summary>
    public static Init Powers(float ofBase) => new(Kind.Powers, ofBase > 0 ? ofBase : throw new ArgumentOutOfRangeException(nameof(ofBase)));

    /// <summary>Normal with mean 0, drawn again where it falls outside −2 … 2 (the bounds are values, not multiples of the deviation).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The deviation is not above 0, or above 100: hardly a draw would be inside.</exception>
    public static Init TruncatedNormal(float deviation) => new(
        Kind.TruncatedNormal, deviation is > 0 and <= 100 ? deviation : throw new ArgumentOutOfRangeException(nameof(deviation), deviation, "0 < deviation ≤ 100."));

    /// <summary>Uniform in [−bound, bound).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The bound is not above 0, or not finite.</exception>
    public static Init Uniform(float bound) => new(
        Kind.Uniform, bound > 0 && float.IsFinite(bound) ? bound : throw new ArgumentOutOfRangeException(nameof(bound), bound, "0 < bound < ∞."));

    internal void Fill(Span<float> values, PhiloxStream stream)
    {
        switch (kind)
        {
            case Kind.Constant:
                values.Fill(size);
                break;
            case Kind.Powers:
                RotaryOp.Periods(values.Length, size).CopyTo(values);
                break;
            case Kind.Uniform:
                foreach (ref float value in values)
                    value = (float)stream.Uniform(-size, size);
                break;
            default:
                foreach (ref float value in values)
                {
                    double draw;
                    do
                        draw = stream.Normal(0, size);
                    while (Math.Abs(draw) > 2);
                    value = (float)draw;
                }
                break;
        }
    }
}
