using Dino.Tensors.Random;

namespace Dino.Pictures.Transforms;

/// <summary>A colour jitter that was drawn: a random order, and brightness and contrast U(0.6, 1.4), saturation U(0.8, 1.2), hue U(−0.1, 0.1).</summary>
/// <param name="Order">The operations in their order, two bits each from the lowest on.</param>
/// <param name="Brightness">Factor of <see cref="ColorJitter.Brightness"/>.</param>
/// <param name="Contrast">Factor of <see cref="ColorJitter.Contrast"/>.</param>
/// <param name="Saturation">Factor of <see cref="ColorJitter.Saturation"/>.</param>
/// <param name="Hue">Share of a circle, for <see cref="ColorJitter.Hue"/>.</param>
public readonly record struct JitterPlan(int Order, double Brightness, double Contrast, double Saturation, double Hue)
{
    /// <summary>Operations of a plan: each of the four once.</summary>
    public const int Operations = 4;

    /// <summary>Draws the order, then the four factors.</summary>
    public static JitterPlan Draw(ref PhiloxStream random)
    {
        Span<ColorOperation> order = [ColorOperation.Brightness, ColorOperation.Contrast, ColorOperation.Saturation, ColorOperation.Hue];
        random.Shuffle(order);
        int packed = 0;
        for (int i = 0; i < order.Length; i++)
            packed |= (int)order[i] << (2 * i);
        return new(packed, random.Uniform(0.6, 1.4), random.Uniform(0.6, 1.4), random.Uniform(0.8, 1.2), random.Uniform(-0.1, 0.1));
    }

    /// <summary>The operation at a place of the order.</summary>
    public ColorOperation Operation(int place) => (ColorOperation)((Order >> (2 * place)) & 3);

    /// <summary>How far an operation goes.</summary>
    public double Factor(ColorOperation operation) => operation switch
    {
        ColorOperation.Brightness => Brightness,
        ColorOperation.Contrast => Contrast,
        ColorOperation.Saturation => Saturation,
        _ => Hue,
    };
}
