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
        Normal,
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
    public static Init Powers(float ofBase) =>
        new(Kind.Powers, ofBase > 0 ? ofBase : throw new ArgumentOutOfRangeException(nameof(ofBase)));

    /// <summary>Normal with mean 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The deviation is not above 0, or not finite.</exception>
    public static Init Normal(float deviation) => new(Kind.Normal, Positive(deviation, nameof(deviation)));

    /// <summary>
    /// Normal with mean 0, drawn again where it falls outside −2 … 2 (the bounds are values, not multiples of the deviation).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The deviation is not above 0, or above 100: hardly a draw would be inside.</exception>
    public static Init TruncatedNormal(float deviation) => new(
        Kind.TruncatedNormal, deviation is > 0 and <= 100 ? deviation
            : throw new ArgumentOutOfRangeException(nameof(deviation), deviation, "0 < deviation ≤ 100."));

    /// <summary>Uniform in [−bound, bound).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The bound is not above 0, or not finite.</exception>
    public static Init Uniform(float bound) => new(Kind.Uniform, Positive(bound, nameof(bound)));

    /// <summary>
    /// Uniform within ±√(6 / ((1 + a²) fan)) (He et al., 2015). The usual a = √5 gives ±1/√fan: how PyTorch's linear and convolutional
    /// layers start.
    /// </summary>
    /// <param name="fan">The inputs of an output (fan in), or the outputs of an input.</param>
    /// <param name="a">The slope below 0 of the leaky ReLU that follows.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are none, or the slope is not a number.</exception>
    public static Init KaimingUniform(int fan, double a = 2.2360679774997896) => Uniform((float)(Math.Sqrt(3) * Kaiming(fan, a)));

    /// <summary>Normal with deviation √(2 / ((1 + a²) fan)) (He et al., 2015).</summary>
    /// <inheritdoc cref="KaimingUniform"/>
    public static Init KaimingNormal(int fan, double a = 0) => Normal((float)Kaiming(fan, a));

    /// <summary>Uniform within ±√(6 / (fanIn + fanOut)) (Glorot and Bengio, 2010).</summary>
    /// <exception cref="ArgumentOutOfRangeException">A count is not positive.</exception>
    public static Init XavierUniform(int fanIn, int fanOut)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(fanIn);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(fanOut);
        return Uniform((float)Math.Sqrt(6.0 / ((double)fanIn + fanOut)));
    }

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
            case Kind.Normal:
                foreach (ref float value in values)
                    value = (float)stream.Normal(0, size);
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

    private static double Kaiming(int fan, double a)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(fan);
        return double.IsFinite(a) ? Math.Sqrt(2 / ((1 + a * a) * fan))
            : throw new ArgumentOutOfRangeException(nameof(a), a, "A slope is finite.");
    }

    private static float Positive(float value, string name) => value > 0 && float.IsFinite(value)
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"0 < {name} < ∞.");
}
