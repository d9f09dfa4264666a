using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;

namespace Dino.Tensors;

/// <summary>
/// A row-major, contiguous block of numbers on a <see cref="Device"/>.
/// </summary>
/// <remarks>
/// A tensor belongs to the <see cref="Arena"/> that was open when it was made and ends with it, unless <see cref="Arena.Keep"/> named it;
/// one made while no arena was open lives until <see cref="Dispose"/>. Using one that has ended is an <see cref="ObjectDisposedException"/>.
/// </remarks>
public sealed class Tensor : IDisposable
{
    private Storage? storage;
    private int offset;
    private int shellHolders, valueHolders;
    private Tensor? grad;
    private bool gradIsStale;

    internal Tensor(Device device) => Device = device;

    /// <summary>Where the numbers are.</summary>
    public Device Device { get; }

    /// <summary>The sizes.</summary>
    public Shape Shape { get; private set; }

    /// <summary>What the elements are.</summary>
    public DType DType { get; private set; }

    /// <summary>The number of elements.</summary>
    public int Count => Shape.Count;

    /// <summary>Whether gradients are to reach this tensor; true for what an op made from such tensors while a <see cref="Tape"/> records.</summary>
    public bool RequiresGrad { get; set; }

    /// <summary>
    /// The gradient that backward passes left here, of this shape: for parameters and for tensors whose <see cref="RequiresGrad"/> was set
    /// by hand. Further passes add to it.
    /// </summary>
    public Tensor? Grad
    {
        get
        {
            if (TakeStaleGrad() is { } stale)
                stale.Fill(0);
            return grad;
        }
        internal set => (grad, gradIsStale) = (value, false);
    }

    /// <summary>The node that made this tensor while the tape recorded.</summary>
    internal Node? Producer { get; set; }

    internal Arena? Owner { get; set; }

    /// <summary>Whether the numbers are still there; a node that only tracks the tensor may outlive them.</summary>
    internal bool HasNumbers => storage is not null;

    /// <summary>Whether another holder shares the memory, so that it must not be written in place.</summary>
    internal bool IsShared => Live().References > 1 || valueHolders > 1;

    internal ArrayView<float> View => Live().Buffer!.View.BaseView.SubView(offset, Count);

    /// <summary>Whether the first element lies on 16 bytes.</summary>
    internal bool IsAligned => offset % 4 == 0;

    internal unsafe float* Pointer => Live().Pointer + offset;

    /// <summary>A new tensor with these numbers, row-major.</summary>
    /// <exception cref="ArgumentException">The numbers are not as many as the shape has elements.</exception>
    public static Tensor From(Device device, ReadOnlySpan<float> values, Shape shape)
    {
        var tensor = device.Rent(shape);
        tensor.CopyFrom(values);
        return tensor;
    }

    /// <summary>A new tensor of whole numbers.</summary>
    /// <inheritdoc cref="From(Device, ReadOnlySpan{float}, Shape)"/>
    public static Tensor From(Device device, ReadOnlySpan<int> values, Shape shape)
    {
        var tensor = device.Rent(shape, DType.Int32);
        tensor.Write(MemoryMarshal.Cast<int, float>(values));
        return tensor;
    }

    /// <summary>A new tensor of zeros.</summary>
    public static Tensor Zeros(Device device, Shape shape)
    {
        var tensor = device.Rent(shape);
        tensor.Fill(0);
        return tensor;
    }

    /// <summary>Overwrites all elements, row-major.</summary>
    /// <exception cref="ArgumentException">The numbers are not as many as the elements.</exception>
    public void CopyFrom(ReadOnlySpan<float> values)
    {
        ThrowIfNot(DType.Float32);
        Write(values);
    }

    /// <summary>Overwrites all elements of a tensor of whole numbers, row-major.</summary>
    /// <inheritdoc cref="CopyFrom(ReadOnlySpan{float})"/>
    public void CopyFrom(ReadOnlySpan<int> values)
    {
        ThrowIfNot(DType.Int32);
        Write(MemoryMarshal.Cast<int, float>(values));
    }

    /// <summary>Overwrites all elements with those of a tensor of the same shape on the same device.</summary>
    public unsafe void CopyFrom(Tensor source)
    {
        ThrowIfShapeDiffers(source);
        if (Count == 0)
            return;
        if (Device.Accelerator is null)
            new ReadOnlySpan<float>(source.Pointer, Count).CopyTo(new Span<float>(Pointer, Count));
        else
            source.View.CopyTo(Device.Stream, View);
    }

    /// <summary>Adds a tensor of as many elements in place. Not recorded.</summary>
    public void Accumulate(Tensor other) => Ops.AddInPlace.Run(this, other);

    /// <summary>Sets every element.</summary>
    public unsafe void Fill(float value)
    {
        if (Count == 0)
            return;
        if (Device.Accelerator is null)
            new Span<float>(Pointer, Count).Fill(value);
        else if (value == 0 && offset == 0) // OpenCL refuses to clear a part that begins elsewhere
            View.MemSetToZero(Device.Stream);
        else
            Device.FillOnAccelerator(this, value);
    }

    /// <summary>Reads all elements, row-major; waits for the device.</summary>
    /// <exception cref="ArgumentException">The destination's length is not the number of elements.</exception>
    public unsafe void CopyTo(Span<float> destination)
    {
        if (destination.Length != Count)
            throw new ArgumentException($"{destination.Length} places for the {Count} elements of {Shape}.", nameof(destination));
        if (Count == 0)
            return;
        if (Device.Accelerator is null)
            new ReadOnlySpan<float>(Pointer, Count).CopyTo(destination);
        else
        {
            View.CopyToCPU(Device.Stream, destination);
            Device.Synchronize();
        }
    }

    /// <summary>All elements, row-major; waits for the device.</summary>
    public float[] ToArray()
    {
        ThrowIfNot(DType.Float32);
        float[] values = new float[Count];
        CopyTo(values);
        return values;
    }

    /// <summary>All elements of a tensor of whole numbers, row-major; waits for the device.</summary>
    public int[] ToIntArray()
    {
        ThrowIfNot(DType.Int32);
        int[] values = new int[Count];
        CopyTo(MemoryMarshal.Cast<int, float>(values.AsSpan()));
        return values;
    }

    /// <summary>The only element; waits for the device.</summary>
    public float Item()
    {
        if (Count != 1)
            throw new InvalidOperationException($"A tensor of {Shape} is not one number.");
        float value = 0;
        CopyTo(new Span<float>(ref value));
        return value;
    }

    /// <summary>Ends the tensor now, before its arena does; a recording tape keeps what it needs.</summary>
    public void Dispose()
    {
        Owner?.Disown(this);
        if (valueHolders > 0)
            Drop(value: true);
    }

    /// <summary>As in <c>Tensor (2, 197, 384) on cpu</c>.</summary>
    public override string ToString() => $"Tensor {Shape} on {Device.Name}";

    /// <summary>
    /// The same numbers under another shape, or a part of them from element <paramref name="start"/> on: shares the memory, so writing to one
    /// shows in the other. Not recorded; see the Reshape and Slice ops for that.
    /// </summary>
    /// <exception cref="ArgumentException">There are not so many elements.</exception>
    public Tensor Alias(Shape shape, int start = 0)
    {
        if (start < 0 || start + shape.Count > Count)
            throw new ArgumentException($"{shape} from element {start} does not fit into the {Count} elements of {Shape}.");
        Live().Retain();
        return Device.Adopt(storage!, offset + start, shape, DType);
    }

    /// <summary>A view that no arena owns: part of a flat buffer that outlives every step.</summary>
    internal Tensor PermanentAlias(Shape shape, int start)
    {
        var alias = Alias(shape, start);
        return alias.Owner?.Disown(alias) ?? alias;
    }

    /// <summary>Makes the gradient 0, but writes no zeros yet: the next backward pass overwrites what is there.</summary>
    internal void ZeroGrad() => gradIsStale = grad is not null;

    /// <summary>The gradient if it counts as 0 and holds something else: whoever takes it must overwrite it.</summary>
    internal Tensor? TakeStaleGrad()
    {
        if (!gradIsStale)
            return null;
        gradIsStale = false;
        return grad;
    }

    internal void Begin(Storage memory, int start, Shape shape, DType type)
    {
        (storage, offset, Shape, DType) = (memory, start, shape, type);
        (shellHolders, valueHolders) = (1, 1);
        RequiresGrad = false;
    }

    /// <summary>One more holder of the tensor; of its numbers too, or of its identity alone.</summary>
    internal void Hold(bool value)
    {
        shellHolders++;
        if (!value)
            return;
        Live();
        valueHolders++;
    }

    /// <summary>One holder fewer: memory goes with the last holder of the numbers, the object with the last of any kind.</summary>
    internal void Drop(bool value)
    {
        if (value && --valueHolders == 0)
        {
            storage!.Release();
            storage = null;
        }
        if (--shellHolders > 0)
            return;
        if (grad is not null && Producer is null)
            grad.Drop(value: true);
        (Grad, Producer, Owner) = (null, null, null);
        Device.Recycle(this);
    }

    internal void ThrowIfNot(DType type)
    {
        if (DType != type)
            throw new ArgumentException($"{this} holds {DType}, not {type}.");
    }

    internal void ThrowIfShapeDiffers(Tensor other)
    {
        if (other.Device != Device)
            throw new ArgumentException($"{this} and {other} are on different devices.");
        if (other.Shape != Shape)
            throw new ArgumentException($"Shapes differ: {Shape} and {other.Shape}.");
    }

    private unsafe void Write(ReadOnlySpan<float> values)
    {
        if (values.Length != Count)
            throw new ArgumentException($"{values.Length} numbers for the {Count} elements of {Shape}.", nameof(values));
        if (Count == 0)
            return;
        if (Device.Accelerator is null)
            values.CopyTo(new Span<float>(Pointer, Count));
        else
        {
            View.CopyFromCPU(Device.Stream, values);
            Device.Synchronize(); // the caller may reuse its memory as soon as this returns
        }
    }

    private Storage Live()
    {
        if (storage is null)
            ThrowEnded();
        return storage;
    }

    [DoesNotReturn]
    private void ThrowEnded() => throw new ObjectDisposedException(nameof(Tensor),
        $"A tensor of {Shape} has ended with its arena, or with the backward pass that used it last. Keep it by name if it must live longer.");
}
