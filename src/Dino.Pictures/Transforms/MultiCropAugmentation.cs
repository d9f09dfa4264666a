using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Tensors.Random;

namespace Dino.Pictures.Transforms;

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

    /// <summary>Cuts crop number <paramref name="index"/> and writes it normalised as (C, size, size).</summary>
    public void Apply(RgbImage picture, int index, PhiloxStream random, Span<float> destination) =>
        normalize.Apply(Draw(picture, index, ref random), destination);

    /// <summary>Draws what is done for crop number <paramref name="index"/> of a picture of this size.</summary>
    public CropPlan Plan(int width, int height, int index, ref PhiloxStream random)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, options.CropsNumber);
        bool global = index < MultiCropOptions.GlobalCropsNumber;
        CropBox box = RandomResizedCrop.Draw(width, height, global ? options.GlobalCropsScale : options.LocalCropsScale, ref random);
        bool flip = random.Bernoulli(FlipProbability);
        JitterPlan? jitter = random.Bernoulli(JitterProbability) ? JitterPlan.Draw(ref random) : null;
        bool grayscale = random.Bernoulli(GrayscaleProbability);
        double blurProbability = index switch { 0 => 1.0, 1 => 0.1, _ => 0.5 };
        double sigma = random.NextDouble() <= blurProbability ? random.Uniform(LowestSigma, HighestSigma) : 0;
        return new CropPlan(box, flip, jitter, grayscale, sigma, Solarize: index == 1 && random.Bernoulli(0.2));
    }

    /// <summary>The crop before normalisation; valid until the next call.</summary>
    internal RgbImage Draw(RgbImage picture, int index, ref PhiloxStream random)
    {
        int size = SizeOf(index);
        CropPlan plan = Plan(picture.Width, picture.Height, index, ref random);
        resample.Crop(picture, plan.Box, crop, size, size);
        if (plan.Flip)
            HorizontalFlip.Apply(crop);
        if (plan.Jitter is { } jitter)
            ColorJitter.Apply(crop, jitter);
        if (plan.Grayscale)
            Grayscale.Apply(crop);
        blur.Apply(crop, plan.Sigma);
        if (plan.Solarize)
            Solarize.Apply(crop);
        return crop;
    }
}
