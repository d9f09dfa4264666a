using Dino.Tensors.Random;

namespace Dino.Train.Data;

/// <summary>
/// DINO's views of a picture (main_dino.py, DataAugmentationDINO): global 1, global 2, then the local crops, each cut from the
/// original and changed by its own draws. One per worker: it owns its scratch.
/// </summary>
public sealed class MultiCropAugmentation
{
    private const double FlipProbability = 0.5, JitterProbability = 0.8, GrayscaleProbability = 0.2;
    private const double LowestSigma = 0.1, HighestSigma = 2.0;

    // Marks the streams of crops, so that no other use of the run's seed draws the same numbers.
    private const uint Domain = 0x4352_0000;

    private readonly MultiCropOptions options;
    private readonly Normalize normalize;
    private readonly Resample resample = new();
    private readonly GaussianBlur blur = new();
    private readonly RgbImage crop = new();

    /// <summary>Checks the options; <paramref name="normalize"/> is ImageNet's unless given.</summary>
    /// <exception cref="ArgumentException">An option out of range.</exception>
    public MultiCropAugmentation(MultiCropOptions options, Normalize? normalize = null)
    {
        options.Validate();
        (this.options, this.normalize) = (options, normalize ?? Normalize.ImageNet);
    }

    /// <summary>Side in pixels of crop number <paramref name="index"/>: 0 and 1 are global.</summary>
    public int SizeOf(int index) => index < MultiCropOptions.GlobalCropsNumber ? options.GlobalCropsSize : options.LocalCropsSize;

    /// <summary>The random numbers of one crop: a function of these four alone, so that no number of workers changes a crop.</summary>
    public static PhiloxStream StreamOf(ulong seed, int epoch, int position, int index) =>
        new(seed, (uint)epoch, (uint)position, Domain | (uint)index);

    /// <summary>Cuts crop number <paramref name="index"/> and writes it normalised as (3, size, size).</summary>
    public void Apply(RgbImage picture, int index, PhiloxStream random, Span<float> destination) =>
        normalize.Apply(Draw(picture, index, ref random), destination);

    /// <summary>The crop before normalisation; valid until the next call.</summary>
    internal RgbImage Draw(RgbImage picture, int index, ref PhiloxStream random)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, options.CropsNumber);
        bool global = index < MultiCropOptions.GlobalCropsNumber;
        int size = SizeOf(index);

        CropBox box = RandomResizedCrop.Draw(
            picture.Width, picture.Height, global ? options.GlobalCropsScale : options.LocalCropsScale, ref random);
        resample.Crop(picture, box, crop, size, size);
        if (random.Bernoulli(FlipProbability))
            HorizontalFlip.Apply(crop);
        if (random.Bernoulli(JitterProbability))
            ColorJitter.ApplyRandom(crop, ref random);
        if (random.Bernoulli(GrayscaleProbability))
            Grayscale.Apply(crop);
        double blurProbability = index switch { 0 => 1.0, 1 => 0.1, _ => 0.5 };
        if (random.NextDouble() <= blurProbability)
            blur.Apply(crop, random.Uniform(LowestSigma, HighestSigma));
        if (index == 1 && random.Bernoulli(0.2))
            Solarize.Apply(crop);
        return crop;
    }
}
