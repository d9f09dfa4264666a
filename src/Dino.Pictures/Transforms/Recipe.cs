namespace Dino.Pictures.Transforms;

/// <summary>
/// What happens to a crop after it was cut, in this order: flips, colour jitter, grey, blur, solarisation. Each with its probability and
/// strength, as torchvision and the reference (main_dino.py) name them. Without any value, nothing happens.
/// </summary>
/// <remarks>The numbers are drawn anew for each crop; see <see cref="CropMaker"/>.</remarks>
public sealed record Recipe
{
    /// <summary>The highest strength of brightness, contrast and saturation: far beyond any use, and every product stays exact.</summary>
    public const double MaxStrength = 1000;

    /// <summary>How often left and right change places, 0 … 1.</summary>
    public double FlipProbability { get; init; }

    /// <summary>
    /// How often top and bottom change places, 0 … 1; at 0 no random number is drawn for it. For pictures without an upright, as those of
    /// microscopes.
    /// </summary>
    public double VerticalFlipProbability { get; init; }

    /// <summary>How often the colours are jittered, 0 … 1.</summary>
    public double JitterProbability { get; init; }

    /// <summary>The jitter's brightness factor is drawn from max(0, 1 − b) … 1 + b.</summary>
    public double Brightness { get; init; }

    /// <summary>The jitter's contrast factor is drawn from max(0, 1 − c) … 1 + c.</summary>
    public double Contrast { get; init; }

    /// <summary>The jitter's saturation factor is drawn from max(0, 1 − s) … 1 + s.</summary>
    public double Saturation { get; init; }

    /// <summary>The jitter turns the hue by −h … h of a circle, at most 0.5; at 0 the hue is left alone.</summary>
    public double Hue { get; init; }

    /// <summary>How often the colours go, 0 … 1.</summary>
    public double GrayscaleProbability { get; init; }

    /// <summary>How often the crop is blurred, 0 … 1.</summary>
    public double BlurProbability { get; init; }

    /// <summary>The smallest radius of the Gaussian blur: σ in pixels.</summary>
    public double BlurRadiusMin { get; init; } = 0.1;

    /// <summary>The largest radius, at most <see cref="GaussianBlur.MaxSigma"/>.</summary>
    public double BlurRadiusMax { get; init; } = 2;

    /// <summary>How often bright values are turned around, 0 … 1.</summary>
    public double SolarizeProbability { get; init; }

    /// <summary>The value from which on they are, 0 … 256.</summary>
    public int SolarizeThreshold { get; init; } = Solarize.DefaultThreshold;

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">A value out of range; the message names the property.</exception>
    public void Validate()
    {
        Check(FlipProbability, 1, nameof(FlipProbability));
        Check(VerticalFlipProbability, 1, nameof(VerticalFlipProbability));
        Check(JitterProbability, 1, nameof(JitterProbability));
        Check(Brightness, MaxStrength, nameof(Brightness));
        Check(Contrast, MaxStrength, nameof(Contrast));
        Check(Saturation, MaxStrength, nameof(Saturation));
        Check(Hue, 0.5, nameof(Hue));
        Check(GrayscaleProbability, 1, nameof(GrayscaleProbability));
        Check(BlurProbability, 1, nameof(BlurProbability));
        Check(BlurRadiusMax, GaussianBlur.MaxSigma, nameof(BlurRadiusMax));
        Check(BlurRadiusMin, BlurRadiusMax, nameof(BlurRadiusMin));
        Check(SolarizeProbability, 1, nameof(SolarizeProbability));
        Check(SolarizeThreshold, 256, nameof(SolarizeThreshold));
    }

    private static void Check(double value, double highest, string name)
    {
        if (!(value >= 0 && value <= highest))
            throw new ArgumentException(FormattableString.Invariant(
                $"{nameof(Recipe)}.{name} is {value}: it must be 0 … {highest}."));
    }
}
