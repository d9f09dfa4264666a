using System.Runtime.InteropServices;
using Dino.Tensors.Memory;
using ILGPU.Runtime.Cuda;

namespace Dino.Tensors;

/// <summary>
/// Host memory that a device copies from while the host goes on. Several of them in turn are a ring: one is filled while the copies of the
/// others
/// are still to come. NVIDIA's GPUs read it without a detour, as its pages are locked.
/// </summary>
/// <remarks>Filling it may be any thread's work; copies are started, and waited for, by the thread that uses the device.</remarks>
public sealed unsafe class UploadBuffer : IDisposable
{
    private readonly Device device;
    private readonly StreamEvent? copied; // null where a copy is done when it returns
    private void* memory;
    private bool isPageLocked;

    /// <summary>Takes the memory; its contents are undefined.</summary>
    /// <param name="device">The device that will copy from it.</param>
    /// <param name="length">How many elements of four bytes.</param>
    /// <exception cref="OutOfMemoryException">The host has not so much.</exception>
    public UploadBuffer(Device device, int length)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        device.ThrowIfDisposed();
        (this.device, Length) = (device, length);
        nuint bytes = (nuint)Math.Max(1, length) * sizeof(float);
        if (device.Accelerator is CudaAccelerator cuda)
        {
            using var binding = cuda.BindScoped();
            isPageLocked = CudaAPI.CurrentAPI.AllocateHostMemory(out nint locked, (nint)bytes) == CudaError.CUDA_SUCCESS;
            memory = (void*)locked;
        }
        if (!isPageLocked)
            memory = NativeMemory.AlignedAlloc(bytes, 64);
        copied = StreamEvent.Of(device);
    }

    /// <summary>The number of elements.</summary>
    public int Length { get; }

    /// <summary>The elements as floats. What is written while <see cref="IsBusy"/> may or may not be in the copy.</summary>
    public Span<float> Floats => new(Memory, Length);

    /// <summary>The elements as whole numbers; the same memory.</summary>
    public Span<int> Ints => new(Memory, Length);

    /// <summary>Whether the last copy may still read the memory. A look, without waiting.</summary>
    public bool IsBusy => memory is not null && !device.IsDisposed && copied is { IsDone: false };

    /// <summary>
    /// Starts a copy of the first elements to a tensor, in the order of the device's other work; on the host it is done at once.
    /// </summary>
    /// <param name="tensor">Of this device, floats or whole numbers; all its elements are overwritten.</param>
    /// <exception cref="ArgumentException">The tensor has more elements than there are, or is of another device.</exception>
    public void CopyTo(Tensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        if (tensor.Device != device || tensor.Count > Length)
            throw new ArgumentException($"An upload of {Length} elements to {device.Name} does not fill {tensor}.", nameof(tensor));
        tensor.StartWrite(new ReadOnlySpan<float>(Memory, tensor.Count));
        copied?.Record();
    }

    /// <summary>Waits until the last copy has read the memory.</summary>
    public void Wait()
    {
        if (IsBusy)
            copied!.Wait();
    }

    /// <summary>Waits for the last copy and gives the memory back. A second time it does nothing.</summary>
    public void Dispose()
    {
        if (memory is null)
            return;
        try
        {
            Wait();
        }
        catch (Exception e) when (DeviceLostException.From(e) is not null)
        {
            // A device that was lost reads no more, and whoever ends this already knows.
        }
        copied?.Dispose();
        if (!isPageLocked)
            NativeMemory.AlignedFree(memory);
        else if (!device.IsDisposed) // else it went with the device
        {
            using var binding = device.Accelerator!.BindScoped();
            _ = CudaAPI.CurrentAPI.FreeHostMemory((nint)memory);
        }
        memory = null;
    }

    private void* Memory
    {
        get
        {
            ObjectDisposedException.ThrowIf(memory is null, this);
            return memory;
        }
    }
}
