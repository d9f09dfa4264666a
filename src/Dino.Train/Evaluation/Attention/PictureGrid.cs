namespace Dino.Train.Evaluation.Attention;

/// <summary>
/// The whole patches in which a network looks at a picture of its own proportions. Neither side has fewer than one patch, and the longer
/// one
/// is bounded, so that a picture of 30000 × 1 pixels costs no more than another.
/// </summary>
/// <param name="Rows">Patches from top to bottom.</param>
/// <param name="Columns">Patches from left to right.</param>
public readonly record struct PictureGrid(int Rows, int Columns)
{
    /// <summary>
    /// How many times as long as the shorter side the longer one may be where the shorter one is given: ordinary pictures are not bent.
    /// </summary>
    public const int LongestRatio = 4;

    /// <summary>All patches.</summary>
    public int Patches => Rows * Columns;

    /// <summary>
    /// The longer side gets as many whole patches as fit <paramref name="size"/> pixels, the shorter one the nearest number in proportion.
    /// </summary>
    /// <param name="width">The picture's width.</param>
    /// <param name="height">The picture's height.</param>
    /// <param name="size">The most pixels of the longer side; at least one patch.</param>
    /// <param name="patch">Pixels along the side of a patch.</param>
    public static PictureGrid Within(int width, int height, int size, int patch)
    {
        double scale = (double)size / Math.Max(width, height);
        int Whole(int side) => Math.Clamp((int)Math.Round(side * scale / patch), 1, Math.Max(1, size / patch));
        return new(Whole(height), Whole(width));
    }

    /// <summary>
    /// The shorter side gets about <paramref name="size"/> pixels, the longer one in proportion, but at most <see cref="LongestRatio"/>
    /// times as
    /// many: of longer pictures the longer side gets those, and the shorter one fewer.
    /// </summary>
    /// <param name="width">The picture's width.</param>
    /// <param name="height">The picture's height.</param>
    /// <param name="size">Pixels of the shorter side.</param>
    /// <param name="patch">Pixels along the side of a patch.</param>
    public static PictureGrid Of(int width, int height, int size, int patch)
    {
        double scale = Math.Min((double)size / Math.Min(width, height), (double)LongestRatio * size / Math.Max(width, height));
        int Whole(int side) => Math.Max(1, (int)Math.Round(side * scale / patch));
        return new(Whole(height), Whole(width));
    }
}
