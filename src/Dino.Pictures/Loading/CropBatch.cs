namespace Dino.Pictures.Loading;

/// <summary>The crops of one training step on one rank, in the host's memory. Dispose of it after use: its memory then serves a later batch.</summary>
public sealed class CropBatch : IDisposable
{
    private readonly CropLoader loader;
    private readonly ViewLayout layout;
    private readonly float[] floats;
    private readonly int[] samples;

    internal CropBatch(CropLoader loader, ViewLayout layout, PrefetchOptions prefetch)
    {
        (this.loader, this.layout) = (loader, layout);
        floats = prefetch.Allocate(layout.Floats, $"crops of {layout.Pictures} pictures, {layout.Count} of each,");
        samples = new int[layout.Pictures];
        Positions = new int[layout.Pictures];
        Wanted = new int[layout.Pictures];
    }

    /// <summary>Epoch, from 0.</summary>
    public int Epoch { get; internal set; }

    /// <summary>Step of the epoch, from 0.</summary>
    public int Step { get; internal set; }

    /// <summary>Number of pictures, B.</summary>
    public int Count => samples.Length;

    /// <summary>The samples of the folder that were used: an unreadable one is replaced.</summary>
    public ReadOnlySpan<int> Samples => samples;

    /// <summary>The crops of neighbouring views of one size, (count·B, C, S, S): the first view of every picture, then the next, …</summary>
    /// <param name="first">Number of the first view.</param>
    /// <param name="count">How many views.</param>
    /// <exception cref="ArgumentException">There are no such views, or they differ in size.</exception>
    public ReadOnlySpan<float> Views(int first, int count)
    {
        layout.CheckRun(first, count);
        return floats.AsSpan(layout.StartOf(first, 0), count * Count * layout.LengthOf(first));
    }

    /// <summary>The crops of all views, as <see cref="ViewBatch.All"/> has them.</summary>
    internal ReadOnlySpan<float> All => floats;

    /// <summary>Positions of the pictures in the epoch's order, and the samples that stand there.</summary>
    internal int[] Positions { get; }

    internal int[] Wanted { get; }

    internal Span<int> UsedSamples => samples;

    /// <summary>Where the crop of a picture goes, (C, size, size).</summary>
    internal Span<float> Crop(int view, int picture) => floats.AsSpan(layout.StartOf(view, picture), layout.LengthOf(view));

    /// <summary>Gives the memory back to the loader; the values may change from now on.</summary>
    public void Dispose() => loader.Release(this);
}
