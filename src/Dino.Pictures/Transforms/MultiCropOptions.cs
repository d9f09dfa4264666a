using Dino.Pictures.Decoding;

namespace Dino.Pictures.Transforms;

/// <summary>Which crops are cut out of each picture; names and values of the reference (main_dino.py, paper section 3.1).</summary>
public sealed record MultiCropOptions
{
    /// <summary>Global crops of a picture: two, the number that the loss is defined for.</summary>
    public const int GlobalCropsNumber = 2;

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

    /// <summary>Crops of one picture, global and local.</summary>
    public int CropsNumber => GlobalCropsNumber + LocalCropsNumber;

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">A value that no crop can have; the message names it and what it may be.</exception>
    public void Validate()
    {
        CheckSize(GlobalCropsSize, "global crops size");
        CheckScale(GlobalCropsScale, "global crops scale");
        if (LocalCropsNumber is < 0 or > 1000)
            throw new ArgumentException($"The local crops number is {LocalCropsNumber}: it must be 0 … 1000.");
        if (LocalCropsNumber == 0)
            return;
        CheckSize(LocalCropsSize, "local crops size");
        CheckScale(LocalCropsScale, "local crops scale");
    }

    private static void CheckSize(int size, string name)
    {
        if (size < 1 || (long)size * size > RgbImage.MaxPixels)
            throw new ArgumentException($"The {name} is {size} pixels: it must be 1 … {(int)Math.Sqrt(RgbImage.MaxPixels)}.");
    }

    private static void CheckScale(CropScale scale, string name)
    {
        if (!(scale.Low > 0 && scale.Low <= scale.High && scale.High <= 1))
            throw new ArgumentException(FormattableString.Invariant($"The {name} is {scale.Low} … {scale.High}: it must satisfy 0 < low ≤ high ≤ 1."));
    }
}
