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
        {
            HostMemoryBlock.Free(storage.Pointer);
            storage.Pointer = null;
            storage.Buffer?.Dispose();
        }
        all.Clear();
        free.Clear();
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
        // The host promises more than it has, and ends the process when the promise is called in.
        if (device.IsHost && AllocatedBytes + 4L * capacity > device.MemoryBytes)
            throw Exhausted(capacity, null);
        var storage = new Storage(device, capacity);
        try
        {
            if (device.Accelerator is { } accelerator)
                storage.Buffer = accelerator.Allocate1D<float>(capacity);
            else
                storage.Pointer = HostMemoryBlock.Allocate(capacity);
        }
        catch (Exception e) when (e is OutOfMemoryException or AcceleratorException)
        {
            throw Exhausted(capacity, e);
        }
        all.Add(storage);
        Allocations++;
        AllocatedBytes += 4L * capacity;
        return storage;
    }

    private DeviceMemoryException Exhausted(int capacity, Exception? inner)
    {
        string message = $"Device {device.Name} could not provide {4L * capacity >> 20} MiB: {AllocatedBytes >> 20} MiB are held already"
            + (device.MemoryBytes > 0 ? $" of {device.MemoryBytes >> 20} MiB" : "") + ". A smaller batch or crop needs less.";
        return inner is null ? new DeviceMemoryException(message) : new DeviceMemoryException(message, inner);
    }
}

/// <summary>A device has not the memory that was asked for.</summary>
public sealed class DeviceMemoryException : Exception
{
    /// <summary>An exception without a message.</summary>
    public DeviceMemoryException() { }

    /// <summary>Says what was asked for and what there was.</summary>
    public DeviceMemoryException(string message) : base(message) { }

    /// <summary>Says what was asked for and what there was, and what the driver said.</summary>
    public DeviceMemoryException(string message, Exception inner) : base(message, inner) { }
}
