using Dino.Pictures.Cutting;
using Dino.Pictures.DataSets;
using Dino.Pictures.Transforms;
using Dino.Tensors;

namespace Dino.Pictures.Loading;

/// <summary>Where the crops of a picture are made of it. It changes no crop.</summary>
public enum Augmentation
{
    /// <summary>By the threads that decode.</summary>
    Host,

    /// <summary>On the accelerator that trains, of pictures that go there as they were decoded.</summary>
    Device,
}

/// <summary>The views of the batches of a run, in order.</summary>
public interface IViewSource : IDisposable
{
    /// <summary>Overwrites the batch by the next one. Waits until its pictures are read, but not for the device.</summary>
    /// <param name="views">Of the views, pictures and channels that the source was made for.</param>
    void Next(ViewBatch views);
}

/// <summary>Crops made on the host and copied to the device.</summary>
public sealed class HostCrops : IViewSource
{
    private readonly CropLoader loader;
    private readonly UploadQueue<CropBatch> uploads;

    /// <summary>Starts the workers.</summary>
    /// <param name="device">Any device.</param>
    /// <param name="folder">The pictures.</param>
    /// <param name="options">As for a <see cref="CropLoader"/>.</param>
    /// <param name="skipped">Takes in the files that cannot be read.</param>
    /// <exception cref="ArgumentException">An option that cannot be; the message names it. Fewer pictures than one step needs.</exception>
    public HostCrops(Device device, ImageFolder folder, CropLoaderOptions options, SkippedFiles? skipped = null)
    {
        loader = new CropLoader(folder, options, skipped, device);
        uploads = new(options.Prefetch.Batches);
    }

    /// <inheritdoc/>
    public void Next(ViewBatch views)
    {
        uploads.MakeRoom();
        var batch = loader.Next();
        batch.CopyTo(views);
        uploads.Add(batch);
    }

    /// <inheritdoc/>
    public void Dispose() => loader.Dispose();
}

/// <summary>Pictures copied to the device and cut there.</summary>
public sealed class DeviceCrops : IViewSource
{
    private readonly PictureLoader loader;
    private readonly UploadQueue<PictureBatch> uploads;
    private readonly PictureCutter cutter;

    /// <summary>Starts the workers.</summary>
    /// <param name="device">An accelerator.</param>
    /// <param name="folder">The pictures.</param>
    /// <param name="options">As for a <see cref="CropLoader"/>.</param>
    /// <param name="skipped">Takes in the files that cannot be read.</param>
    /// <exception cref="ArgumentException">The device is the host, or an option that cannot be; the message names it.</exception>
    public DeviceCrops(Device device, ImageFolder folder, CropLoaderOptions options, SkippedFiles? skipped = null)
        : this(device, folder, options, skipped, PictureLoader.DefaultBlockWords) { }

    internal DeviceCrops(Device device, ImageFolder folder, CropLoaderOptions options, SkippedFiles? skipped, int blockWords)
    {
        if (options.Channels != 3)
            throw new ArgumentException($"An accelerator makes crops of 3 channels, not of {options.Channels}: leave out `Augment` "
                + $"device.");
        if (options.Preprocessing.IsDeep(options.Channels))
            throw new ArgumentException("An accelerator makes crops of pictures of 8 bits: leave out `Augment` device, or `Range`.");
        var (saturation, hue) = HueShift.Tables;
        cutter = new(device, options.Preprocessing.NormalizeFor(options.Channels).Levels(), saturation, hue);
        loader = new PictureLoader(device, folder, options, skipped ?? new SkippedFiles(), blockWords);
        uploads = new(options.Prefetch.Batches);
    }

    /// <inheritdoc/>
    public void Next(ViewBatch views)
    {
        uploads.MakeRoom();
        var batch = loader.Next();
        foreach (var block in batch.Blocks)
            cutter.Cut(block.Upload, block.Used, block.Crops, views.All);
        uploads.Add(batch);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        loader.Dispose();
        cutter.Dispose();
    }
}
