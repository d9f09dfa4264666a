using Dino.Tensors.Random;

namespace Dino.Pictures.Transforms;

/// <summary>A colour jitter that was drawn: a random order, and how far each operation goes.</summary>
/// <param name="Order">The operations in their order, two bits each from the lowest on.</param>
/// <param name="Brightness">Factor of <see cref="ColorJitter.Brightness"/>.</param>
/// <param name="Contrast">Factor of <see cref="ColorJitter.Contrast"/>.</param>
/// <param name="Saturation">Factor of <see cref="ColorJitter.Saturation"/>.</param>
/// <param name="Hue">
/// Share of a circle, for <see cref="ColorJitter.Hue"/>; null leaves the hue alone, which a turn by 0 does not quite.
/// </param>
public readonly record struct JitterPlan(int Order, double Brightness, double Contrast, double Saturation, double? Hue)
{
    /// <summary>Operations of a plan: each of the four once.</summary>
    public const int Operations = 4;

    /// <summary>Draws the order, then the four factors, each uniform in its range.</summary>
    public static JitterPlan Draw(Recipe recipe, ref PhiloxStream random)
    {
        Span<ColorOperation> order = [ColorOperation.Brightness, ColorOperation.Contrast, ColorOperation.Saturation, ColorOperation.Hue];
        random.Shuffle(order);
        int packed = 0;
        for (int i = 0; i < order.Length; i++)
            packed |= (int)order[i] << (2 * i);
        return new(
            packed, Around1(recipe.Brightness, ref random), Around1(recipe.Contrast, ref random), Around1(recipe.Saturation, ref random),
            recipe.Hue > 0 ? random.Uniform(-recipe.Hue, recipe.Hue) : null);
    }

    /// <summary>The operation at a place of the order.</summary>
    public ColorOperation Operation(int place) => (ColorOperation)((Order >> (2 * place)) & 3);

    /// <summary>How far an operation goes; null if it is left out.</summary>
    public double? Factor(ColorOperation operation) => operation switch
    {
        ColorOperation.Brightness => Brightness,
        ColorOperation.Contrast => Contrast,
        ColorOperation.Saturation => Saturation,
        _ => Hue,
    };

    private static double Around1(double strength, ref PhiloxStream random) => random.Uniform(Math.Max(0, 1 - strength), 1 + strength);
}
