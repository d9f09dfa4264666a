namespace Dino.Pictures.Transforms;

/// <summary>Everything that was drawn for one crop; what is done with it follows from this and the picture alone.</summary>
/// <param name="Box">The part of the picture that is resized to the crop.</param>
/// <param name="Flip">Whether left and right change places.</param>
/// <param name="Jitter">Colour jitter, or null.</param>
/// <param name="Grayscale">Whether the colours go.</param>
/// <param name="Sigma">Of the Gaussian blur, in pixels; 0 for none.</param>
/// <param name="Solarize">The value from which on values are turned around, or null.</param>
public readonly record struct CropPlan(CropBox Box, bool Flip, JitterPlan? Jitter, bool Grayscale, double Sigma, int? Solarize)
{
    /// <summary>Whether top and bottom change places.</summary>
    public bool VerticalFlip { get; init; }
}
