using System.Runtime.InteropServices;
using Dino.Tensors.Kernels.Copies;
using ILGPU.Runtime;

namespace Dino.Tensors;

/// <summary>
/// A row-major, contiguous block of numbers on a <see cref="Device"/>.
/// </summary>
/// <remarks>
/// A tensor belongs to the <see cref="Arena"/> that was open when it was made and ends with it, unless <see cref="Arena.Keep"/> named it;
/// one made while no arena was open lives until <see cref="Dispose"/>, and all end with their device. Using the numbers of one that has
/// ended
/// is an <see cref="ObjectDisposedException"/>, however much later. (A loop may waive that: see <see cref="Device.BeginArena"/>.)
/// </remarks>
public sealed partial class Tensor : IDisposable
{
    internal Tensor(Device device) => Device = device;

    /// <summary>Where the numbers are.</summary>
    public Device Device { get; }

    /// <summary>The sizes.</summary>
    public Shape Shape { get; private set; }

    /// <summary>What the elements are.</summary>
    public DType DType { get; private set; }

    /// <summary>The number of elements.</summary>
    public int Count => Shape.Count;

    /// <summary>
    /// Whether gradients are to reach this tensor; true for what an op made from such tensors while a <see cref="Tape"/> records.
    /// </summary>
    /// <remarks>Set to false, the result of a recording that has ended is a plain tensor, and may be used in another recording.</remarks>
    /// <exception cref="InvalidOperationException">A recording holds the tensor, or it is of whole numbers.</exception>
    public bool RequiresGrad
    {
        get => requiresGrad;
        set
        {
            if (value && DType != DType.Float32)
                throw new InvalidOperationException($"{Summary} holds {DType}: only Float32 has gradients.");
            if (value != requiresGrad && (Producer is not null || shellHolders > 1))
                throw new InvalidOperationException(
                    $"{Summary} is part of a recording; whether it requires a gradient is decided before or after.");
            (requiresGrad, IsOfEndedRecording) = (value, false);
        }
    }

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

    /// <summary>A new vector of these numbers: <c>Tensor.From(device, [0, 1])</c> has the shape (2).</summary>
    public static Tensor From(Device device, ReadOnlySpan<float> values) => From(device, values, new Shape(values.Length));

    /// <summary>A new tensor with these numbers, row-major.</summary>
    /// <exception cref="ArgumentException">The numbers are not as many as the shape has elements.</exception>
    public static Tensor From(Device device, ReadOnlySpan<float> values, Shape shape)
    {
        ArgumentNullException.ThrowIfNull(device);
        ThrowIfNotAsMany(values.Length, shape);
        var tensor = device.Rent(shape);
        tensor.Write(values);
        return tensor;
    }

    /// <summary>A new vector of whole numbers: labels, row numbers.</summary>
    public static Tensor FromInts(Device device, ReadOnlySpan<int> values) => FromInts(device, values, new Shape(values.Length));

    /// <summary>A new tensor of whole numbers, row-major.</summary>
    /// <inheritdoc cref="From(Device, ReadOnlySpan{float}, Shape)"/>
    public static Tensor FromInts(Device device, ReadOnlySpan<int> values, Shape shape)
    {
        ArgumentNullException.ThrowIfNull(device);
        ThrowIfNotAsMany(values.Length, shape);
        var tensor = device.Rent(shape, DType.Int32);
        tensor.Write(MemoryMarshal.Cast<int, float>(values));
        return tensor;
    }

    /// <summary>A new tensor of the current arena with anything in it, for an op to fill.</summary>
    public static Tensor Empty(Device device, Shape shape, DType type = DType.Float32) => device.Rent(shape, type);

    /// <summary>A new tensor of zeros.</summary>
    public static Tensor Zeros(Device device, Shape shape) => Full(device, shape, 0);

    /// <summary>A new tensor of ones.</summary>
    public static Tensor Ones(Device device, Shape shape) => Full(device, shape, 1);

    /// <summary>A new tensor whose elements are all this number.</summary>
    public static Tensor Full(Device device, Shape shape, float value)
    {
        ArgumentNullException.ThrowIfNull(device);
        var tensor = device.Rent(shape);
        tensor.Fill(value);
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
    public void CopyFromInts(ReadOnlySpan<int> values)
    {
        ThrowIfNot(DType.Int32);
        Write(MemoryMarshal.Cast<int, float>(values));
    }

    /// <summary>Overwrites all elements with those of a tensor of the same shape and type on the same device.</summary>
    /// <exception cref="ArgumentException">Shape, type or device differ, or the two overlap in part.</exception>
    public unsafe void CopyFrom(Tensor source)
    {
        ArgumentNullException.ThrowIfNull(source);
        ThrowIfShapeDiffers(source);
        source.ThrowIfNot(DType);
        ThrowIfOverlaps(source);
        BeginWrite();
        try
        {
            if (Count == 0)
                source.ThrowIfEnded();
            else if (Device.Accelerator is null)
                new ReadOnlySpan<float>(source.Pointer, Count).CopyTo(new Span<float>(Pointer, Count));
            else
                source.View.CopyTo(Device.Stream, View);
        }
        finally
        {
            Device.Claim.Leave();
        }
    }

    /// <summary>Adds a tensor of as many elements in place. Not recorded.</summary>
    /// <exception cref="ArgumentException">
    /// The number of elements or the device differ, one holds no floats, or the two overlap in part.
    /// </exception>
    public void Accumulate(Tensor other)
    {
        Operands.Check(this, other);
        if (other.Count != Count)
            throw new ArgumentException($"Accumulate: {other.Shape} has {other.Count} elements, {Shape} has {Count}.", nameof(other));
        ThrowIfOverlaps(other);
        NoteWrite();
        AddInPlace.Run(this, other);
    }

    /// <summary>Sets every element; of a tensor of whole numbers, to a whole number.</summary>
    /// <exception cref="ArgumentException">The tensor holds whole numbers and the value is none, or too large.</exception>
    public void Fill(float value)
    {
        BeginWrite();
        try
        {
            if (DType == DType.Float32)
                FillBits(value);
            else if (value >= int.MinValue && value < -(float)int.MinValue && MathF.Truncate(value) == value)
                FillBits(BitConverter.Int32BitsToSingle((int)value));
            else
                throw new ArgumentException($"{Summary} holds {DType} and cannot be filled with {value}.", nameof(value));
        }
        finally
        {
            Device.Claim.Leave();
        }
    }

    /// <summary>Reads all elements, row-major; waits for the device.</summary>
    /// <exception cref="ArgumentException">
    /// The destination's length is not the number of elements, or the tensor holds whole numbers.
    /// </exception>
    public void CopyTo(Span<float> destination)
    {
        ThrowIfNot(DType.Float32);
        Read(destination);
    }

    /// <summary>Reads all elements of a tensor of whole numbers, row-major; waits for the device.</summary>
    /// <exception cref="ArgumentException">The destination's length is not the number of elements, or the tensor holds floats.</exception>
    public void CopyTo(Span<int> destination)
    {
        ThrowIfNot(DType.Int32);
        Read(MemoryMarshal.Cast<int, float>(destination));
    }

    /// <summary>All elements, row-major; waits for the device.</summary>
    public float[] ToArray()
    {
        ThrowIfNot(DType.Float32);
        float[] values = new float[ArrayLength()];
        Read(values);
        return values;
    }

    /// <summary>All elements of a tensor of whole numbers, row-major; waits for the device.</summary>
    public int[] ToIntArray()
    {
        ThrowIfNot(DType.Int32);
        int[] values = new int[ArrayLength()];
        Read(MemoryMarshal.Cast<int, float>(values.AsSpan()));
        return values;
    }

    /// <summary>The only element; waits for the device.</summary>
    /// <exception cref="InvalidOperationException">There is not exactly one, or it is a whole number that no float is equal to.</exception>
    public float Item()
    {
        if (Count != 1)
            throw new InvalidOperationException($"A tensor of {Shape} is not one number.");
        float value = 0;
        Read(new Span<float>(ref value));
        if (DType == DType.Float32)
            return value;
        int whole = BitConverter.SingleToInt32Bits(value);
        float rounded = whole;
        if ((double)rounded != whole)
            throw new InvalidOperationException($"{whole} has more digits than a float; read it by {nameof(ToIntArray)}.");
        return rounded;
    }

    /// <summary>Ends the tensor now, before its arena does; a recording tape keeps what it needs. A second time it does nothing.</summary>
    /// <exception cref="InvalidOperationException">Another thread uses the device.</exception>
    public void Dispose()
    {
        if (!isHeld)
            return;
        Device.Claim.Enter();
        try
        {
            EndBeforeArena();
        }
        finally
        {
            Device.Claim.Leave();
        }
    }

    /// <summary>
    /// A line of shape, type and device, and below it the numbers as NumPy prints them: of more than a thousand only the first and last
    /// three
    /// of each dimension. Waits for the device. A tensor that has ended, or is in the hands of another thread, has the line alone.
    /// </summary>
    public override string ToString()
    {
        string line = $"Tensor {Shape} {DType} on {Device.Name}";
        if (storage is not { IsFreed: false })
            return line + " (ended)";
        try
        {
            return line + "\n" + TensorText.Of(Shape, DType, (start, values) => ReadPart(start, values));
        }
        catch (InvalidOperationException)
        {
            return line;
        }
    }

    /// <summary>
    /// The same numbers as a tensor that no recording knows of: an op on it sends no gradient back to this one. Shares the memory, so
    /// writing
    /// to one shows in the other.
    /// </summary>
    public Tensor Detach() => Alias(Shape);

    /// <summary>
    /// The tensor on another device, as a new one of the arena that is open there; itself if that is the device it is on. Not recorded: a
    /// recording is of one device. Waits for both.
    /// </summary>
    public Tensor To(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        ThrowIfEnded();
        if (device == Device)
            return this;
        float[] values = new float[ArrayLength()]; // of whole numbers, their bits
        Read(values);
        var copy = device.Rent(Shape, DType);
        copy.Write(values);
        return copy;
    }

    /// <summary>
    /// The same numbers under another shape, or a part of them from element <paramref name="start"/> on: shares the memory, so writing to
    /// one
    /// shows in the other. Not recorded; see the Reshape and Slice ops for that.
    /// </summary>
    /// <exception cref="ArgumentException">There are not so many elements.</exception>
    public Tensor Alias(Shape shape, int start = 0)
    {
        if (start < 0 || shape.Count > Count || start > Count - shape.Count)
            throw new ArgumentException($"{shape} from element {start} does not fit into the {Count} elements of {Shape}.");
        return Alias(shape, start, writes);
    }

    private static void ThrowIfNotAsMany(int numbers, Shape shape)
    {
        if (numbers != shape.Count)
            throw new ArgumentException($"{numbers} numbers for the {shape.Count} elements of {shape}.");
    }

    /// <summary>Demands that the other is this one's memory exactly, or lies wholly elsewhere: parts are worked on in any order.</summary>
    private void ThrowIfOverlaps(Tensor other)
    {
        if (other.storage == storage && other.offset != offset && Math.Abs((long)other.offset - offset) < Math.Max(Count, other.Count))
            throw new ArgumentException($"{Summary} and {other.Summary} are parts of one tensor that overlap.");
    }

    /// <summary>What messages say of a tensor, as in <c>Tensor (2, 197, 384) on cpu</c>.</summary>
    internal string Summary => $"Tensor {Shape} on {Device.Name}";

    private int ArrayLength() => Count <= Array.MaxLength
        ? Count
        : throw new TensorSizeException($"An array has at most {Array.MaxLength} elements, {Shape} has {Count}; read parts of it (Alias).");

    /// <summary>Claims the device, for somebody who overwrites the numbers.</summary>
    private void BeginWrite()
    {
        ThrowIfEnded();
        Device.Claim.Enter();
        NoteWrite();
    }

    private unsafe void Write(ReadOnlySpan<float> values)
    {
        ThrowIfNotAsMany(values.Length, Shape);
        fixed (float* pinned = values)
        {
            StartWrite(values);
            if (Count > 0 && Device.Accelerator is not null)
                Device.Synchronize(); // the caller may reuse its memory as soon as this returns
        }
    }

    /// <summary>
    /// Starts to overwrite the numbers; until the device has come so far, the values must stay as they are, where they are.
    /// </summary>
    internal unsafe void StartWrite(ReadOnlySpan<float> values)
    {
        BeginWrite();
        try
        {
            if (Count == 0)
                return;
            if (Device.Accelerator is null)
                values.CopyTo(new Span<float>(Pointer, Count));
            else
                View.CopyFromCPUUnsafeAsync(Device.Stream, ref MemoryMarshal.GetReference(values), values.Length);
        }
        finally
        {
            Device.Claim.Leave();
        }
    }

    private void Read(Span<float> destination)
    {
        if (destination.Length != Count)
            throw new ArgumentException($"{destination.Length} places for the {Count} elements of {Shape}.", nameof(destination));
        ReadPart(0, destination);
    }

    /// <summary>Reads the elements from <paramref name="start"/> on, which are there.</summary>
    private unsafe void ReadPart(int start, Span<float> destination)
    {
        ThrowIfEnded();
        Device.Claim.Enter();
        try
        {
            if (destination.Length == 0)
                return;
            if (Device.Accelerator is null)
                new ReadOnlySpan<float>(Pointer + start, destination.Length).CopyTo(destination);
            else
            {
                View.SubView(start, destination.Length).CopyToCPU(Device.Stream, destination);
                Device.Synchronize();
            }
        }
        finally
        {
            Device.Claim.Leave();
        }
    }
}
