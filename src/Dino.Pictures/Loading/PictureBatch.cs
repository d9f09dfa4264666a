using System.Runtime.InteropServices;
using Dino.Tensors.Pictures;

namespace Dino.Pictures.Loading;

/// <summary>
/// The pictures of one training step and what is to be made of them, in blocks that a device takes whole. Dispose of it after use: its
/// memory then serves a later batch.
/// </summary>
internal sealed class PictureBatch(PictureLoader loader, int batchSize, int blockWords) : IDisposable
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
                blocks.Add(new PictureBlock(blockWords));
            return (blocks[open], blocks[open].Reserve(words, crops));
        }
    }

    public void Clear()
    {
        foreach (var block in blocks)
            block.Clear();
        open = 0;
    }

    public void Dispose() => loader.Release(this);
}

/// <summary>Words that go to the device in one piece.</summary>
internal sealed class PictureBlock(int words)
{
    // Pinned, so that a device can copy from it without a detour.
    private readonly int[] all = GC.AllocateUninitializedArray<int>(words, pinned: true);
    private readonly List<CropEntry> crops = [];
    private int used;

    public Span<int> Words => all;

    public ReadOnlySpan<int> Written => all.AsSpan(0, used);

    /// <summary>The crops of its pictures; the order is that in which workers came, and makes no difference.</summary>
    public ReadOnlySpan<CropEntry> Crops => CollectionsMarshal.AsSpan(crops);

    public bool HasRoom(int count) => all.Length - used >= count;

    public int Reserve(int count, int newCrops)
    {
        crops.EnsureCapacity(crops.Count + newCrops);
        int address = used;
        used += count;
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
        used = 0;
    }
}
