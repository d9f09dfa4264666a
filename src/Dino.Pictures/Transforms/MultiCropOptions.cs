using System.Text.Json.Serialization;

namespace Dino.Pictures.Transforms;

/// <summary>
/// DINO's list of views in a few numbers: two global crops, then local ones. Names and values are the reference's (main_dino.py, paper
/// section 3.1).
/// </summary>
public sealed record MultiCropOptions
{
    /// <summary>Global crops of a picture: two, the number that the loss is defined for.</summary>
    public const int GlobalCropsNumber = 2;

    private static readonly Recipe first = new()
    {
        FlipProbability = 0.5,
        JitterProbability = 0.8,
        Brightness = 0.4,
        Contrast = 0.4,
        Saturation = 0.2,
        Hue = 0.1,
        GrayscaleProbability = 0.2,
        BlurProbability = 1,
        BlurRadiusMin = 0.1,
        BlurRadiusMax = 2,
    };

    private static readonly Recipe second = first with { BlurProbability = 0.1, SolarizeProbability = 0.2 };
    private static readonly Recipe local = first with { BlurProbability = 0.5 };

    /// <summary>Side of a global crop in pixels.</summary>
    public int GlobalCropsSize { get; init; } = 224;

    /// <summary>Share of the picture that a global crop covers; 0.14 … 1 is the reference's advice without local crops.</summary>
    public CropScale GlobalCropsScale { get; init; } = new(0.4, 1.0);

    /// <summary>Number of local crops; 0 for none.</summary>
    public int LocalCropsNumber { get; init; } = 8;

    /// <summary>Side of a local crop in pixels.</summary>
    public int LocalCropsSize { get; init; } = 96;

    /// <summary>Share of the picture that a local crop covers.</summary>
    public CropScale LocalCropsScale { get; init; } = new(0.05, 0.4);

    /// <summary>Width over height of the part of the picture that a crop shows.</summary>
    public CropRatio CropRatio { get; init; } = CropRatio.Default;

    /// <summary>What happens to the first global crop: always a blur, unless it is set otherwise.</summary>
    public Recipe Global1 { get; init; } = first;

    /// <summary>What happens to the second global crop: seldom a blur, at times solarised.</summary>
    public Recipe Global2 { get; init; } = second;

    /// <summary>What happens to a local crop: a blur half of the time.</summary>
    public Recipe Local { get; init; } = local;

    /// <summary>Crops of one picture, global and local.</summary>
    public int CropsNumber => GlobalCropsNumber + LocalCropsNumber;

    /// <summary>The views: global 1, global 2, then the local crops.</summary>
    [JsonIgnore]
    public IReadOnlyList<View> Views
    {
        get
        {
            var global = new View { Size = GlobalCropsSize, Scale = GlobalCropsScale, Ratio = CropRatio, Recipe = Global1 };
            var small = new View { Size = LocalCropsSize, Scale = LocalCropsScale, Ratio = CropRatio, Recipe = Local };
            return [global, global with { Recipe = Global2 }, .. Enumerable.Repeat(small, LocalCropsNumber)];
        }
    }

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">A value that no crop can have; the message names it and what it may be.</exception>
    public void Validate()
    {
        View.CheckSize(GlobalCropsSize, "global crops size");
        View.CheckScale(GlobalCropsScale, "global crops scale");
        View.CheckRatio(CropRatio, "crop ratio");
        Global1.Validate();
        Global2.Validate();
        Local.Validate();
        if (LocalCropsNumber is < 0 or > 1000)
            throw new ArgumentException($"The local crops number is {LocalCropsNumber}: it must be 0 … 1000.");
        if (LocalCropsNumber == 0)
            return;
        View.CheckSize(LocalCropsSize, "local crops size");
        View.CheckScale(LocalCropsScale, "local crops scale");
    }
}
