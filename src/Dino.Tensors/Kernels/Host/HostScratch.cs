namespace Dino.Tensors.Kernels.Host;

/// <summary>
/// Working memory of a thread for packed panels and tiles: grown when a larger shape comes, then reused, freed after its
/// thread has ended. A slot belongs to one purpose within a kernel; whoever rents it again gets the same memory.
/// </summary>
internal static unsafe class HostScratch
{
    private const int Slots = 11;

    [ThreadStatic] private static Block?[]? slots;

    /// <summary>At least <paramref name="count"/> floats, aligned to 64 bytes, contents undefined.</summary>
    public static float* Rent(int slot, long count)
    {
        Block?[] mine = slots ??= new Block[Slots];
        if (mine[slot] is { } block && block.Floats >= count)
            return block.Pointer;
        long grown = Math.Max(count, (mine[slot]?.Floats ?? 0) * 3 / 2);
        mine[slot]?.Dispose();
        mine[slot] = block = new Block(grown);
        return block.Pointer;
    }

    // A thread says nothing when it ends; its blocks are then found by the collector.
    private sealed class Block(long floats) : IDisposable
    {
        public readonly long Floats = floats;
        public readonly float* Pointer = (float*)HostMemoryBlock.Allocate(Math.Max(floats * sizeof(float), HostMemoryBlock.Alignment));

        ~Block() => HostMemoryBlock.Free(Pointer);

        public void Dispose()
        {
            GC.SuppressFinalize(this);
            HostMemoryBlock.Free(Pointer);
        }
    }
}
