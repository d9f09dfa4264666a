using System.Numerics;
using Dino.Tensors.Kernels;
using ILGPU;
using ILGPU.Runtime;

namespace Dino.Tensors;

/// <summary>A piece of device memory, shared by the tensors that view it and back in the pool when the last has let go.</summary>
internal sealed unsafe class Storage(Device device, int capacity)
{
    public readonly Device Device = device;
    public readonly int Capacity = capacity; // floats
    public float* Pointer;
    public MemoryBuffer1D<float, Stride1D.Dense>? Buffer;
    public int References;

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
public sealed unsafe class BufferPool
{
    private readonly Device device;
    private readonly Dictionary<int, Stack<Storage>> free = [];
    private readonly List<Storage> all = [];

    internal BufferPool(Device device) => this.device = device;

    /// <summary>Bytes that the pool holds on the device, in use or not.</summary>
    public long AllocatedBytes { get; private set; }

    /// <summary>Bytes in use now.</summary>
    public long UsedBytes { get; private set; }

    /// <summary>The most bytes that were in use at one time.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>How many pieces of device memory have been allocated so far.</summary>
    public int Allocations { get; private set; }

    internal Storage Rent(int floats)
    {
        int capacity = RoundUp(floats);
        var storage = free.TryGetValue(capacity, out var stack) && stack.Count > 0 ? stack.Pop() : Allocate(capacity);
        storage.References = 1;
        UsedBytes += 4L * capacity;
        PeakBytes = Math.Max(PeakBytes, UsedBytes);
        return storage;
    }

    internal void Return(Storage storage)
    {
        UsedBytes -= 4L * storage.Capacity;
        if (!free.TryGetValue(storage.Capacity, out var stack))
            free.Add(storage.Capacity, stack = new Stack<Storage>());
        stack.Push(storage);
    }

    internal void FreeAll()
    {
        foreach (var storage in all)
            Free(storage);
        all.Clear();
        free.Clear();
        AllocatedBytes = 0;
    }

    /// <summary>Gives what nobody uses back to the system: pieces of sizes that are no longer asked for.</summary>
    private void FreeUnused()
    {
        if (UsedBytes == AllocatedBytes)
            return;
        device.Accelerator?.Synchronize(); // a kernel may still be at work in memory that was let go
        foreach (var storage in free.Values.SelectMany(stack => stack))
        {
            Free(storage);
            AllocatedBytes -= 4L * storage.Capacity;
        }
        free.Clear();
        all.RemoveAll(storage => storage.References == 0);
    }

    private static void Free(Storage storage)
    {
        HostMemoryBlock.Free(storage.Pointer);
        storage.Pointer = null;
        storage.Buffer?.Dispose();
    }

    /// <summary>The next multiple of an eighth of the power of two below: few classes, little waste.</summary>
    private static int RoundUp(int floats)
    {
        const int smallest = HostMemoryBlock.Alignment / sizeof(float);
        if (floats <= smallest)
            return smallest;
        int step = Math.Max(smallest, 1 << Math.Max(0, BitOperations.Log2((uint)floats) - 3));
        return (int)Math.Min(Array.MaxLength, ((long)floats + step - 1) / step * step);
    }

    private Storage Allocate(int capacity)
    {
        var storage = new Storage(device, capacity);
        if (!TryAllocate(storage, out var refused))
        {
            FreeUnused();
            if (!TryAllocate(storage, out refused))
                throw new DeviceMemoryException(device, 4L * capacity, refused);
        }
        all.Add(storage);
        Allocations++;
        AllocatedBytes += 4L * capacity;
        return storage;
    }

    private bool TryAllocate(Storage storage, out Exception? refused)
    {
        refused = null;
        if (AllocatedBytes + 4L * storage.Capacity > device.MemoryLimit)
            return false;
        try
        {
            if (device.Accelerator is { } accelerator)
                storage.Buffer = accelerator.Allocate1D<float>(storage.Capacity);
            else
                storage.Pointer = HostMemoryBlock.Allocate(storage.Capacity);
            return true;
        }
        catch (Exception e) when (e is OutOfMemoryException || DeviceLostException.IsOutOfMemory(e))
        {
            refused = e;
            return false;
        }
    }
}
