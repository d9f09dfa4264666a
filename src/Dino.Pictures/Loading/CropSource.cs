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

/// <summary>The crops of the batches of a run, in order.</summary>
internal interface ICropSource : IDisposable
{
    /// <summary>Writes the next batch: (2·B, C, S, S) and (n·B, C, s, s), crop-major. Waits until it is made.</summary>
    void Next(Tensor globals, Tensor? locals);
}

/// <summary>Crops made on the host and copied to the device.</summary>
internal sealed class HostCrops(CropLoader loader) : ICropSource
{
    public void Next(Tensor globals, Tensor? locals)
    {
        using var batch = loader.Next();
        globals.CopyFrom(batch.Globals);
        locals?.CopyFrom(batch.Locals);
    }

    public void Dispose() => loader.Dispose();
}

/// <summary>Pictures copied to the device and cut there.</summary>
internal sealed class DeviceCrops : ICropSource
{
    private readonly PictureLoader loader;
    private readonly Tensors.Pictures.PictureCutter cutter;

    public DeviceCrops(Device device, ImageFolder folder, CropLoaderOptions options, SkippedFiles skipped, int blockWords = PictureLoader.DefaultBlockWords)
    {
        if (options.Channels != 3)
            throw new ArgumentException($"An accelerator makes crops of 3 channels, not of {options.Channels}: leave out --augment device.");
        var (saturation, hue) = HueShift.Tables;
        cutter = new(device, Normalize.ImageNet.Levels(), saturation, hue);
        loader = new PictureLoader(folder, options, skipped, blockWords);
    }

    public void Next(Tensor globals, Tensor? locals)
    {
        using var batch = loader.Next();
        foreach (var block in batch.Blocks)
            cutter.Cut(block.Written, block.Crops, globals, locals);
    }

    public void Dispose()
    {
        loader.Dispose();
        cutter.Dispose();
    }
}
