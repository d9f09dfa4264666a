using Dino.Tensors;

namespace Dino.Pictures.Loading;

/// <summary>
/// The crops of one training step on one rank, in the host's memory. Dispose of it after use: its memory then serves a later batch.
/// </summary>
public sealed class CropBatch : IUploadedBatch
{
    private readonly CropLoader loader;
    private readonly ViewLayout layout;
    private readonly float[]? floats;
    private readonly UploadBuffer? upload;
    private readonly int[] samples;

    internal CropBatch(CropLoader loader, ViewLayout layout, PrefetchOptions prefetch, Device? device)
    {
        (this.loader, this.layout) = (loader, layout);
        int length = prefetch.CheckMemory(layout.Floats, $"crops of {layout.Pictures} pictures, {layout.Count} of each,");
        if (device is null)
            floats = GC.AllocateUninitializedArray<float>(length);
        else
            upload = new UploadBuffer(device, length);
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

    /// <summary>
    /// The crops of neighbouring views of one size, (count·B, C, S, S): the first view of every picture, then the next, …
    /// </summary>
    /// <param name="first">Number of the first view.</param>
    /// <param name="count">How many views.</param>
    /// <exception cref="ArgumentException">There are no such views, or they differ in size.</exception>
    public ReadOnlySpan<float> Views(int first, int count)
    {
        layout.CheckRun(first, count);
        return Floats.Slice(layout.StartOf(first, 0), count * Count * layout.LengthOf(first));
    }

    bool IUploadedBatch.IsUploading => upload is { IsBusy: true };

    private Span<float> Floats => upload is null ? floats : upload.Floats;

    /// <summary>Positions of the pictures in the epoch's order, and the samples that stand there.</summary>
    internal int[] Positions { get; }

    internal int[] Wanted { get; }

    internal Span<int> UsedSamples => samples;

    /// <summary>Where the crop of a picture goes, (C, size, size).</summary>
    internal Span<float> Crop(int view, int picture) => Floats.Slice(layout.StartOf(view, picture), layout.LengthOf(view));

    /// <summary>Starts a copy of all crops to a device; the batch stays as it is until that is done.</summary>
    internal void CopyTo(ViewBatch views)
    {
        if (upload is null)
            views.All.CopyFrom(floats);
        else
            upload.CopyTo(views.All);
    }

    void IUploadedBatch.WaitForUpload() => upload?.Wait();

    /// <summary>Gives the memory back to the loader; the values may change from now on.</summary>
    public void Dispose() => loader.Release(this);

    internal void Free() => upload?.Dispose();
}
