using Dino.Pictures.Decoding;

namespace Dino.Pictures.Loading;

/// <summary>How a loader works ahead. None of it changes what is loaded, but for <see cref="MaxPixels"/>.</summary>
public sealed record PrefetchOptions
{
    /// <summary>Worker threads; 0 for one a processor.</summary>
    public int Workers { get; init; }

    /// <summary>Batches that exist at a time, the one in use included.</summary>
    public int Batches { get; init; } = 3;

    /// <summary>Memory in bytes for decoded pictures, kept from their first use on while they fit; 0 keeps none.</summary>
    public long CacheBytes { get; init; }

    /// <summary>A quarter of the memory of the machine, or of the container that the program is given.</summary>
    public static long DefaultCacheBytes => PictureLimits.Memory / 4;

    /// <summary>Pictures with more pixels than this are refused before memory is taken for them.</summary>
    public int MaxPixels { get; init; } = ImageDecoder.DefaultMaxPixels;

    /// <summary><see cref="MaxPixels"/> in millions.</summary>
    public double MaxMegapixels => MaxPixels / 1e6;

    /// <summary>The limit as it is noted beside what is made of pictures: null where it is the usual one.</summary>
    internal int? UnusualMaxPixels => MaxPixels == ImageDecoder.DefaultMaxPixels ? null : MaxPixels;

    /// <summary>Ends waiting for a batch with <see cref="OperationCanceledException"/>.</summary>
    public CancellationToken Cancel { get; init; }

    internal int WorkersOrDefault => Workers > 0 ? Workers : Environment.ProcessorCount;

    internal void Validate()
    {
        if (Workers is < 0 or > 1024)
            throw new ArgumentException($"The number of workers is {Workers}: it must be 0 (one a processor) … 1024.");
        if (Batches is < 1 or > 1024)
            throw new ArgumentException($"The number of prefetched batches is {Batches}: it must be 1 … 1024.");
        if (CacheBytes < 0)
            throw new ArgumentException($"The picture cache has {CacheBytes} bytes: it must be 0 or more.");
        if (MaxPixels < 1)
            throw new ArgumentException($"The largest picture has {MaxPixels} pixels: it must be 1 or more.");
    }

    /// <summary>Whether batches of so many floats fit into memory.</summary>
    /// <returns>The same number.</returns>
    /// <exception cref="ArgumentException">The batches of all slots would not fit the machine.</exception>
    internal int CheckMemory(long floats, string what)
    {
        long bytes = checked(floats * sizeof(float) * Batches);
        long memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (floats > Array.MaxLength || bytes > memory)
            throw new ArgumentException(
                $"{Batches} batches of {what} need {bytes >> 20} MiB, and the machine has {memory >> 20} MiB: use a smaller batch or "
                    + $"smaller crops.");
        return (int)floats;
    }
}
