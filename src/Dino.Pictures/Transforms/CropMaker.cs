using Dino.Pictures.Decoding;
using Dino.Tensors.Random;

namespace Dino.Pictures.Transforms;

/// <summary>
/// Makes the crops of pictures: one for each view of a list, each cut from the original and changed by its own draws. One per worker: it
/// owns its
/// scratch.
/// </summary>
public sealed class CropMaker
{
    // Marks the streams of crops, so that no other use of the run's seed draws the same numbers.
    private const uint Domain = 0x4352_0000;

    private readonly IReadOnlyList<View> views;
    private readonly Normalize normalize;
    private readonly Resample resample = new();
    private readonly GaussianBlur blur = new();
    private readonly RgbImage crop = new();
    private readonly FloatResample floatResample = new();
    private readonly FloatBlur floatBlur = new();
    private readonly DecodedPicture deepCrop = new() { IsDeep = true };

    /// <summary>Checks the views; <paramref name="normalize"/> is ImageNet's unless given.</summary>
    /// <exception cref="ArgumentException">A view that cannot be, or none.</exception>
    public CropMaker(IReadOnlyList<View> views, Normalize? normalize = null)
    {
        View.Validate(views);
        (this.views, this.normalize) = (views, normalize ?? Normalize.ImageNet);
    }

    /// <summary>The random numbers of one crop: a function of these four alone, so that no number of workers changes a crop.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="epoch">Epoch, from 0.</param>
    /// <param name="position">Position of the picture in the epoch's order.</param>
    /// <param name="view">Number of the view.</param>
    public static PhiloxStream StreamOf(ulong seed, int epoch, int position, int view) =>
        new(seed, (uint)epoch, (uint)position, Domain | (uint)view);

    /// <summary>Makes the crop for view number <paramref name="view"/> and writes it normalised as (C, size, size).</summary>
    public void Apply(RgbImage picture, int view, PhiloxStream random, Span<float> destination) =>
        normalize.Apply(Draw(picture, view, ref random), destination);

    /// <summary>The same for a picture in the depth that it was read in; the same numbers are drawn.</summary>
    internal void Apply(DecodedPicture picture, int view, PhiloxStream random, Span<float> destination)
    {
        if (picture.IsDeep)
            normalize.Apply(Draw(picture.Floats, view, Plan(picture.Width, picture.Height, view, ref random)), destination);
        else
            Apply(picture.Rgb, view, random, destination);
    }

    /// <summary>Draws what is done for view number <paramref name="view"/> of a picture of this size.</summary>
    public CropPlan Plan(int width, int height, int view, ref PhiloxStream random)
    {
        var recipe = views[view].Recipe;
        CropBox box = RandomResizedCrop.Draw(width, height, views[view].Scale, views[view].Ratio, ref random);
        bool flip = random.Bernoulli(recipe.FlipProbability);
        // Whoever wants none of these draws the numbers of a recipe that knows of none.
        bool vertical = recipe.VerticalFlipProbability > 0 && random.Bernoulli(recipe.VerticalFlipProbability);
        JitterPlan? jitter = random.Bernoulli(recipe.JitterProbability) ? JitterPlan.Draw(recipe, ref random) : null;
        bool grayscale = random.Bernoulli(recipe.GrayscaleProbability);
        double u = random.NextDouble(); // ≤ as in the reference, where a probability of 0 does not occur
        double sigma = recipe.BlurProbability > 0
            && u <= recipe.BlurProbability ? random.Uniform(recipe.BlurRadiusMin, recipe.BlurRadiusMax) : 0;
        return new CropPlan(box, flip, jitter, grayscale, sigma,
            random.Bernoulli(recipe.SolarizeProbability) ? recipe.SolarizeThreshold : null)
        { VerticalFlip = vertical };
    }

    internal RgbImage Draw(RgbImage picture, int view, ref PhiloxStream random) =>
        Draw(picture, view, Plan(picture.Width, picture.Height, view, ref random));

    /// <summary>Does what was planned for view number <paramref name="view"/> of a picture.</summary>
    /// <returns>The crop before normalisation, (size, size); valid until the next call.</returns>
    public RgbImage Draw(RgbImage picture, int view, in CropPlan plan)
    {
        int size = views[view].Size;
        resample.Crop(picture, plan.Box, crop, size, size);
        if (plan.Flip)
            HorizontalFlip.Apply(crop);
        if (plan.VerticalFlip)
            VerticalFlip.Apply(crop);
        if (plan.Jitter is { } jitter)
            ColorJitter.Apply(crop, jitter);
        if (plan.Grayscale)
            Grayscale.Apply(crop);
        blur.Apply(crop, plan.Sigma);
        if (crop.Opacity is { } opacity)
            blur.Apply(opacity, plan.Sigma);
        if (plan.Solarize is { } threshold)
            Solarize.Apply(crop, threshold);
        return crop;
    }

    /// <summary>The same of floats from 0 to 1.</summary>
    internal DecodedPicture Draw(FloatImage picture, int view, in CropPlan plan)
    {
        int size = views[view].Size;
        var image = deepCrop.Floats;
        floatResample.Run(picture, plan.Box, image, (size, size), new CropBox(0, 0, size, size), ResampleFilter.Bicubic);
        if (plan.Flip)
            FloatFlip.Horizontal(image);
        if (plan.VerticalFlip)
            FloatFlip.Vertical(image);
        if (plan.Jitter is { } jitter)
            FloatColors.Jitter(image, jitter);
        if (plan.Grayscale)
            FloatColors.Grayscale(image);
        floatBlur.Apply(image, plan.Sigma);
        if (plan.Solarize is { } threshold)
            FloatColors.Solarize(image, threshold / 255f);
        return deepCrop;
    }
}
