using System.Runtime.InteropServices;
using Dino.Pictures.Cutting;
using Dino.Tensors;

namespace Dino.Pictures.Loading;

/// <summary>
/// The pictures of one training step and what is to be made of them, in blocks that a device takes whole. Dispose of it after use: its
/// memory then serves a later batch.
/// </summary>
internal sealed class PictureBatch(PictureLoader loader, Device device, int batchSize, int views, int blockWords) : IUploadedBatch
{
    private readonly Lock gate = new();
    private readonly List<PictureBlock> blocks = [];
    private int open;

    /// <summary>Number of pictures, B.</summary>
    public int Count => Samples.Length;

    public int Epoch { get; set; }

    /// <summary>Positions of the pictures in the epoch's order, the samples that stand there, and those that were used.</summary>
    public int[] Positions { get; } = new int[batchSize];

    public int[] Wanted { get; } = new int[batchSize];

    public int[] Samples { get; } = new int[batchSize];

    /// <summary>What has been written.</summary>
    public ReadOnlySpan<PictureBlock> Blocks => CollectionsMarshal.AsSpan(blocks)[..Math.Min(blocks.Count, open + 1)];

    /// <summary>Room for a picture and its crops.</summary>
    public (PictureBlock Block, int Address) Reserve(int words, int crops)
    {
        lock (gate)
        {
            if (blocks.Count > open && !blocks[open].HasRoom(words))
                open++;
            if (blocks.Count == open)
                blocks.Add(new PictureBlock(device, blockWords, batchSize * views));
            return (blocks[open], blocks[open].Reserve(words, crops));
        }
    }

    public void Clear()
    {
        foreach (var block in blocks)
            block.Clear();
        open = 0;
    }

    public bool IsUploading => blocks.Count > 0 && Blocks[^1].Upload.IsBusy;

    public void WaitForUpload()
    {
        if (blocks.Count > 0)
            Blocks[^1].Upload.Wait();
    }

    public void Dispose() => loader.Release(this);

    public void Free()
    {
        foreach (var block in blocks)
            block.Upload.Dispose();
    }
}

/// <summary>Words that go to the device in one piece.</summary>
internal sealed class PictureBlock(Device device, int words, int mostCrops)
{
    private readonly List<CropEntry> crops = [];

    /// <summary>The words, and behind them room for the index of as many crops as there may be.</summary>
    public UploadBuffer Upload { get; } = new(device, words + mostCrops * CropIndex.Words);

    public Span<int> Words => Upload.Ints[..words];

    /// <summary>Words that are written.</summary>
    public int Used { get; private set; }

    /// <summary>The crops of its pictures; the order is that in which workers came, and makes no difference.</summary>
    public ReadOnlySpan<CropEntry> Crops => CollectionsMarshal.AsSpan(crops);

    public bool HasRoom(int count) => words - Used >= count;

    public int Reserve(int count, int newCrops)
    {
        crops.EnsureCapacity(crops.Count + newCrops);
        int address = Used;
        Used += count;
        return address;
    }

    public void Add(CropEntry crop)
    {
        lock (crops)
            crops.Add(crop);
    }

    public void Clear()
    {
        crops.Clear();
        Used = 0;
    }
}
