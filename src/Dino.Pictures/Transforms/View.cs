using Dino.Pictures.Decoding;

namespace Dino.Pictures.Transforms;

/// <summary>
/// One of the crops that are made of every picture: a random part of it, resized to a square, and changed by a recipe. What a method learns
/// from is
/// a list of views; neighbours of one size go through a network together.
/// </summary>
public sealed record View
{
    /// <summary>Side of the square in pixels.</summary>
    public required int Size { get; init; }

    /// <summary>The share of the picture that the crop covers.</summary>
    public CropScale Scale { get; init; } = new(0.08, 1);

    /// <summary>Width over height of the part that is cut, before it becomes a square.</summary>
    public CropRatio Ratio { get; init; } = CropRatio.Default;

    /// <summary>What happens to the crop then.</summary>
    public Recipe Recipe { get; init; } = new();

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">A value that no crop can have; the message names the property.</exception>
    public void Validate()
    {
        CheckSize(Size, $"{nameof(View)}.{nameof(Size)}");
        CheckScale(Scale, $"{nameof(View)}.{nameof(Scale)}");
        CheckRatio(Ratio, $"{nameof(View)}.{nameof(Ratio)}");
        Recipe.Validate();
    }

    /// <summary>Checks a list of views.</summary>
    /// <exception cref="ArgumentException">It is empty, or a value is one that no crop can have.</exception>
    public static void Validate(IReadOnlyList<View> views)
    {
        if (views.Count == 0)
            throw new ArgumentException("The list of views is empty: nothing would be made of a picture.");
        foreach (var view in views)
            view.Validate();
    }

    internal static void CheckSize(int size, string name)
    {
        if (size < 1 || (long)size * size > RgbImage.MaxPixels)
            throw new ArgumentException($"The {name} is {size} pixels: it must be 1 … {(int)Math.Sqrt(RgbImage.MaxPixels)}.");
    }

    internal static void CheckScale(CropScale scale, string name)
    {
        if (!(scale.Low > 0 && scale.Low <= scale.High && scale.High <= 1))
            throw new ArgumentException(FormattableString.Invariant(
                $"The {name} is {scale.Low} … {scale.High}: it must satisfy 0 < low ≤ high ≤ 1."));
    }

    internal static void CheckRatio(CropRatio ratio, string name)
    {
        if (!(ratio.Low > 0 && ratio.Low <= ratio.High && double.IsFinite(1 / ratio.Low) && double.IsFinite(ratio.High)))
            throw new ArgumentException(FormattableString.Invariant(
                $"The {name} is {ratio.Low} … {ratio.High}: it must satisfy 0 < low ≤ high."));
    }
}
