using Dino.Pictures.Transforms;
using Dino.Train.Options;

namespace Dino.Train.Methods.Dino;

/// <summary>
/// What happens to the crops of a picture, under torchvision's and the reference's names. Each is one number for all views, or three: of
/// the first global crop, of the second, and of the local crops.
/// </summary>
internal static class DinoViewHyperparameters
{
    private const int Views = 3;

    // No picture is longer than this many times its width.
    private static readonly Limits ratio = new(1e-4, 1e4), strength = new(0, Recipe.MaxStrength)
    {
        StrangeOver = 2,
        Usual = "the reference's are 0.2 and 0.4",
    };

    public static IReadOnlyList<Hyperparameter> All { get; } =
    [
        new Hyperparameter<DinoOptions, CropRatio>(
            "Crops.CropRatio", "Least and greatest width over height of the part of a picture that a crop shows.", o => o.Crops.CropRatio,
            (o, v) => o with { Crops = o.Crops with { CropRatio = v } })
        {
            Limits = ratio,
            Parts = ["Crops.CropRatio"],
            Counts = [2],
        },
        Of("FlipProbability", "How often left and right change places.", r => r.FlipProbability, (r, v) => r with { FlipProbability = v }),
        Of(
            "VerticalFlipProbability", "How often top and bottom change places.", r => r.VerticalFlipProbability,
            (r, v) => r with { VerticalFlipProbability = v }),
        Of(
            "JitterProbability", "How often the colours are jittered; 0 switches it off.", r => r.JitterProbability,
            (r, v) => r with { JitterProbability = v }),
        Of("Brightness", "The jitter's brightness: factors of 1 ± it.", r => r.Brightness, (r, v) => r with { Brightness = v }, strength),
        Of("Contrast", "The jitter's contrast, likewise.", r => r.Contrast, (r, v) => r with { Contrast = v }, strength),
        Of("Saturation", "The jitter's saturation, likewise.", r => r.Saturation, (r, v) => r with { Saturation = v }, strength),
        Of(
            "Hue", "The jitter turns hues by up to this share of a circle, at most 0.5.", r => r.Hue, (r, v) => r with { Hue = v },
            new(0, 0.5)),
        Of(
            "GrayscaleProbability", "How often the colours go.", r => r.GrayscaleProbability,
            (r, v) => r with { GrayscaleProbability = v }),
        Of("BlurProbability", "How often a crop is blurred.", r => r.BlurProbability, (r, v) => r with { BlurProbability = v }),
        new Hyperparameter<DinoOptions, double[]>(
            "Crops.BlurRadius", "Least and greatest radius of the blur, in pixels.",
            o => OneOrAll([.. Of(o.Crops).SelectMany(r => (double[])[r.BlurRadiusMin, r.BlurRadiusMax])], 2),
            (o, v) => o with
            {
                Crops = With(o.Crops, (r, i) => r with { BlurRadiusMin = v[2 * i], BlurRadiusMax = v[2 * i + 1] }, v.Length / 2),
            })
        {
            Limits = new(0, GaussianBlur.MaxSigma),
            Parts = [.. Paths("BlurRadiusMin"), .. Paths("BlurRadiusMax")],
            Counts = [2, 2 * Views],
        },
        Of(
            "SolarizeProbability", "How often bright values are turned around.", r => r.SolarizeProbability,
            (r, v) => r with { SolarizeProbability = v }),
        new Hyperparameter<DinoOptions, int[]>(
            "Crops.SolarizeThreshold", "The value from which on they are; 256 for none.",
            o => OneOrAll([.. Of(o.Crops).Select(r => r.SolarizeThreshold)], 1),
            (o, v) => o with { Crops = With(o.Crops, (r, i) => r with { SolarizeThreshold = v[i] }, v.Length) })
        {
            Limits = new(0, 256),
            Parts = [.. Paths("SolarizeThreshold")],
            Counts = [1, Views],
        },
    ];

    private static Hyperparameter<DinoOptions, double[]> Of(
        string property, string description, Func<Recipe, double> get, Func<Recipe, double, Recipe> set, Limits? limits = null) =>
        new(
            "Crops." + property, description, o => OneOrAll([.. Of(o.Crops).Select(get)], 1),
            (o, v) => o with { Crops = With(o.Crops, (r, i) => set(r, v[i]), v.Length) })
        {
            Limits = limits ?? Limits.Share,
            Parts = [.. Paths(property)],
            Counts = [1, Views],
        };

    private static Recipe[] Of(MultiCropOptions crops) => [crops.Global1, crops.Global2, crops.Local];

    /// <summary>The crops with each recipe changed by the value of its number, or all by the only one.</summary>
    private static MultiCropOptions With(MultiCropOptions crops, Func<Recipe, int, Recipe> change, int values) => crops with
    {
        Global1 = change(crops.Global1, 0),
        Global2 = change(crops.Global2, values == 1 ? 0 : 1),
        Local = change(crops.Local, values == 1 ? 0 : 2),
    };

    private static IEnumerable<string> Paths(string property) =>
        ((string[])[nameof(MultiCropOptions.Global1), nameof(MultiCropOptions.Global2), nameof(MultiCropOptions.Local)])
            .Select(view => $"Crops.{view}.{property}");

    /// <summary>The values of the first view alone where all views have the same.</summary>
    private static T[] OneOrAll<T>(T[] values, int each) =>
        values.Chunk(each).All(of => of.SequenceEqual(values.Take(each))) ? values[..each] : values;
}
