using Dino.Pictures.Transforms;

namespace Dino.Pictures.Loading;

/// <summary>
/// Where the crops of a batch lie in one piece of memory: view after view, and in a view picture after picture. Neighbours of one size lie
/// without a
/// gap, so that they are one tensor; another size begins where every kernel can read it fast.
/// </summary>
internal sealed class ViewLayout
{
    private const int Alignment = 64; // floats

    private readonly IReadOnlyList<View> views;
    private readonly int[] starts;

    /// <exception cref="ArgumentException">A view that cannot be, or none.</exception>
    public ViewLayout(IReadOnlyList<View> views, int pictures, int channels)
    {
        View.Validate(views);
        (this.views, Pictures, Channels) = (views, pictures, channels);
        starts = new int[views.Count];
        long floats = 0;
        for (int view = 0; view < starts.Length; view++)
        {
            if (view > 0 && views[view].Size != views[view - 1].Size)
                floats = (floats + Alignment - 1) / Alignment * Alignment;
            starts[view] = (int)floats;
            floats += (long)pictures * channels * views[view].Size * views[view].Size;
        }
        Floats = floats;
    }

    /// <summary>B, the pictures of a batch.</summary>
    public int Pictures { get; }

    /// <summary>C, the channels of a crop.</summary>
    public int Channels { get; }

    /// <summary>All floats; more than an array holds have no places, and whoever takes memory for them refuses.</summary>
    public long Floats { get; }

    /// <summary>The views of a picture.</summary>
    public int Count => views.Count;

    /// <summary>Side of a view in pixels.</summary>
    public int SizeOf(int view) => views[view].Size;

    /// <summary>Floats of a crop, C·S·S.</summary>
    public int LengthOf(int view) => Channels * views[view].Size * views[view].Size;

    /// <summary>Where the crop of a picture begins.</summary>
    public int StartOf(int view, int picture) => starts[view] + picture * LengthOf(view);

    /// <summary>Demands that so many views from the first on are there and have one size.</summary>
    /// <exception cref="ArgumentException">They are not, or have not.</exception>
    public void CheckRun(int first, int count)
    {
        if (first < 0 || count < 1 || first > Count - count)
            throw new ArgumentException($"Views {first} … {first + count - 1} are not among the {Count} views of a picture.");
        for (int view = first + 1; view < first + count; view++)
            if (views[view].Size != views[first].Size)
                throw new ArgumentException(
                    $"Views {first} … {first + count - 1} are not one tensor: view {first} has {views[first].Size} pixels a side, view "
                        + $"{view} has {views[view].Size}.");
    }
}
