using System.Numerics;
using Dino.Tensors.Kernels.Host;
using ILGPU;
using ILGPU.Runtime;

namespace Dino.Tensors.Memory;

/// <summary>A piece of device memory, shared by the tensors that view it and back in the pool when the last has let go.</summary>
internal sealed unsafe class Storage(Device device, long bytes)
{
    public readonly Device Device = device;
    public readonly long Bytes = bytes;
    public byte* Pointer;
    public MemoryBuffer1D<byte, Stride1D.Dense>? Buffer;
    public readonly WriteCount Writes = new();
    public int References;
    public long FreeSince; // by the pool's clock, while nobody uses it

    /// <summary>Whether the memory went back to the system, with its device or from the pool.</summary>
    public bool IsFreed => Pointer is null && Buffer is null;

    public void Retain() => References++;

    public void Release()
    {
        if (--References == 0)
            Device.Pool.Return(this);
    }
}

/// <summary>
/// The memory of a device: what is let go is kept by size and handed out again, so that a step at steady state allocates nothing.
/// Sizes are rounded up by at most an eighth.
/// </summary>
/// <remarks>
/// What nobody asked for in a long time goes back to the system. Time is counted in outermost arenas (or some thousand tensors outside
/// any):
/// pieces go after 1,024, and after 64 if they are a quarter of all that the pool holds.
/// </remarks>
public sealed unsafe class BufferPool
{
    /// <summary>
    /// The most elements of a tensor: places beyond its end, up to a launch's stride further, are still numbers of an int.
    /// </summary>
    internal const int MaxElements = int.MaxValue - 1024;

    private const int SweepEvery = 32, Long = 64, VeryLong = 1024, TensorsOfATick = 4096;

    private readonly Device device;
    private readonly Dictionary<long, List<Storage>> free = []; // of each size in bytes, let go earlier before let go later
    private readonly List<Storage> all = [];
    private long clock;
    private int rentsSinceTick;

    internal BufferPool(Device device) => this.device = device;

    /// <summary>Bytes that the pool holds on the device, in use or not.</summary>
    public long AllocatedBytes { get; private set; }

    /// <summary>Bytes in use now.</summary>
    public long UsedBytes { get; private set; }

    /// <summary>The most bytes that were in use at one time.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>How many pieces of device memory have been allocated so far.</summary>
    public int Allocations { get; private set; }

    /// <summary>Memory for so many elements, contents undefined.</summary>
    internal Storage Rent(int elements, DType type)
    {
        if (elements > MaxElements)
            throw new TensorSizeException($"A tensor of {elements} elements is larger than the {MaxElements} that an op can count.");
        if (++rentsSinceTick > TensorsOfATick)
            Tick();
        long bytes = Math.Min(RoundUp((long)elements * type.ItemSize), (long)MaxElements * type.ItemSize);
        Storage storage;
        if (free.TryGetValue(bytes, out var pieces) && pieces.Count > 0)
        {
            storage = pieces[^1];
            pieces.RemoveAt(pieces.Count - 1);
        }
        else
            storage = Allocate(bytes);
        storage.References = 1;
        UsedBytes += bytes;
        PeakBytes = Math.Max(PeakBytes, UsedBytes);
        return storage;
    }

    internal void Return(Storage storage)
    {
        if (storage.IsFreed)
            return; // with its device
        UsedBytes -= storage.Bytes;
        storage.FreeSince = clock;
        if (!free.TryGetValue(storage.Bytes, out var pieces))
            free.Add(storage.Bytes, pieces = []);
        pieces.Add(storage);
    }

    /// <summary>Lets time pass: an outermost arena has ended.</summary>
    internal void Tick()
    {
        clock++;
        rentsSinceTick = 0;
        if (clock % SweepEvery != 0)
            return;
        if (4 * BytesFreeSince(clock - Long) >= AllocatedBytes)
            FreeUnused(clock - Long);
        else
            FreeUnused(clock - VeryLong);
    }

    internal void FreeAll()
    {
        foreach (var storage in all)
            Free(storage);
        all.Clear();
        free.Clear();
        AllocatedBytes = UsedBytes = 0;
    }

    /// <summary>Gives what nobody has used since then back to the system.</summary>
    private void FreeUnused(long since)
    {
        long bytes = BytesFreeSince(since);
        if (bytes == 0)
            return;
        if (device.Accelerator is { } accelerator)
        {
            device.Waits++;
            accelerator.Synchronize(); // a kernel may still be at work in memory that was let go
        }
        foreach (var pieces in free.Values)
        {
            int old = CountFreeSince(pieces, since);
            for (int i = 0; i < old; i++)
                Free(pieces[i]);
            pieces.RemoveRange(0, old);
        }
        all.RemoveAll(static storage => storage.IsFreed);
        AllocatedBytes -= bytes;
    }

    private long BytesFreeSince(long since)
    {
        long sum = 0;
        foreach (var (bytes, pieces) in free)
            sum += bytes * CountFreeSince(pieces, since);
        return sum;
    }

    private static int CountFreeSince(List<Storage> pieces, long since)
    {
        int count = 0;
        while (count < pieces.Count && pieces[count].FreeSince <= since)
            count++;
        return count;
    }

    private static void Free(Storage storage)
    {
        HostMemoryBlock.Free(storage.Pointer);
        storage.Pointer = null;
        storage.Buffer?.Dispose();
        storage.Buffer = null;
    }

    /// <summary>The next multiple of an eighth of the power of two below: few classes, little waste.</summary>
    private static long RoundUp(long bytes)
    {
        const int smallest = HostMemoryBlock.Alignment;
        if (bytes <= smallest)
            return smallest;
        long step = Math.Max(smallest, 1L << (BitOperations.Log2((ulong)bytes) - 3));
        return (bytes + step - 1) / step * step;
    }

    private Storage Allocate(long bytes)
    {
        var storage = new Storage(device, bytes);
        if (!TryAllocate(storage, out var refused))
        {
            FreeUnused(clock);
            if (!TryAllocate(storage, out refused))
                throw new DeviceMemoryException(device, bytes, refused);
        }
        all.Add(storage);
        Allocations++;
        AllocatedBytes += bytes;
        return storage;
    }

    private bool TryAllocate(Storage storage, out Exception? refused)
    {
        refused = null;
        if (AllocatedBytes + storage.Bytes > device.MemoryLimit)
            return false;
        try
        {
            if (device.Accelerator is { } accelerator)
                storage.Buffer = accelerator.Allocate1D<byte>(storage.Bytes);
            else
                storage.Pointer = (byte*)HostMemoryBlock.Allocate(storage.Bytes);
            return true;
        }
        catch (Exception e) when (e is OutOfMemoryException || DeviceLostException.IsOutOfMemory(e))
        {
            refused = e;
            return false;
        }
    }
}
