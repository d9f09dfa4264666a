using Dino.Pictures.Transforms;

namespace Dino.Pictures.Loading;

/// <summary>The crops of one training step on one rank. Dispose of it after use: its memory then serves a later batch.</summary>
public sealed class CropBatch : IDisposable
{
    private readonly CropLoader loader;
    private readonly float[] globals, locals;
    private readonly int[] samples;

    internal CropBatch(CropLoader loader, int batchSize, MultiCropOptions crops, PrefetchOptions prefetch, int channels)
    {
        this.loader = loader;
        globals = prefetch.Allocate((long)batchSize * MultiCropOptions.GlobalCropsNumber, crops.GlobalCropsSize, "global crops", channels);
        locals = prefetch.Allocate((long)batchSize * crops.LocalCropsNumber, crops.LocalCropsSize, "local crops", channels);
        samples = new int[batchSize];
        Positions = new int[batchSize];
        Wanted = new int[batchSize];
    }

    /// <summary>Epoch, from 0.</summary>
    public int Epoch { get; internal set; }

    /// <summary>Step of the epoch, from 0.</summary>
    public int Step { get; internal set; }

    /// <summary>Number of pictures, B.</summary>
    public int Count => samples.Length;

    /// <summary>The samples of the folder that were used: an unreadable one is replaced.</summary>
    public ReadOnlySpan<int> Samples => samples;

    /// <summary>Global crops, (2·B, C, S, S), crop-major: crop 0 of every picture, then crop 1 of every picture.</summary>
    public ReadOnlySpan<float> Globals => globals;

    /// <summary>Local crops, (n·B, C, s, s), crop-major; empty when there are none.</summary>
    public ReadOnlySpan<float> Locals => locals;

    /// <summary>Positions of the pictures in the epoch's order, and the samples that stand there.</summary>
    internal int[] Positions { get; }

    internal int[] Wanted { get; }

    internal Span<int> UsedSamples => samples;

    /// <summary>Where crop <paramref name="index"/> of picture <paramref name="picture"/> goes, (C, size, size).</summary>
    internal Span<float> Crop(int index, int picture, int size, int channels)
    {
        bool global = index < MultiCropOptions.GlobalCropsNumber;
        int row = (global ? index : index - MultiCropOptions.GlobalCropsNumber) * Count + picture, length = channels * size * size;
        return (global ? globals : locals).AsSpan(row * length, length);
    }

    /// <summary>Gives the memory back to the loader; the values may change from now on.</summary>
    public void Dispose() => loader.Release(this);
}
