using System.Runtime.InteropServices;

namespace Dino.Tensors.Io;

/// <summary>
/// One tensor to be written by <see cref="SafetensorsFile.Write"/>: a name, a shape and memory that is read while writing.
/// </summary>
public abstract class TensorEntry
{
    private TensorEntry(string name, ElementType type, ReadOnlySpan<int> shape, long length)
    {
        long count = 1;
        foreach (int extent in shape)
            count = checked(count * (extent >= 0 ? extent
                : throw new ArgumentException($"Tensor '{name}' has the negative extent {extent}.")));
        if (count != length)
            throw new ArgumentException($"Tensor '{name}' of shape [{string.Join(", ", shape.ToArray())}] needs {count} values, not "
                + $"{length}.");
        (Name, Type, Shape) = (name, type, shape.ToArray());
        ByteLength = checked(length * type.Size());
    }

    /// <summary>The tensor's name, unique in its file.</summary>
    public string Name { get; }

    /// <summary>The element type in the file.</summary>
    public ElementType Type { get; }

    /// <summary>The extents, outermost first; none for a scalar.</summary>
    public IReadOnlyList<int> Shape { get; }

    /// <summary>The length of the data in bytes.</summary>
    public long ByteLength { get; }

    /// <summary>An F32 tensor. Throws <see cref="ArgumentException"/> when the shape does not hold exactly the values.</summary>
    public static TensorEntry Of(string name, ReadOnlySpan<int> shape, ReadOnlyMemory<float> values) =>
        new Values<float>(name, ElementType.F32, shape, values);

    /// <summary>An F64 tensor; see the first overload.</summary>
    public static TensorEntry Of(string name, ReadOnlySpan<int> shape, ReadOnlyMemory<double> values) =>
        new Values<double>(name, ElementType.F64, shape, values);

    /// <summary>An I64 tensor; see the first overload.</summary>
    public static TensorEntry Of(string name, ReadOnlySpan<int> shape, ReadOnlyMemory<long> values) =>
        new Values<long>(name, ElementType.I64, shape, values);

    /// <summary>An I32 tensor; see the first overload.</summary>
    public static TensorEntry Of(string name, ReadOnlySpan<int> shape, ReadOnlyMemory<int> values) =>
        new Values<int>(name, ElementType.I32, shape, values);

    /// <summary>A U8 tensor; see the first overload.</summary>
    public static TensorEntry Of(string name, ReadOnlySpan<int> shape, ReadOnlyMemory<byte> values) =>
        new Values<byte>(name, ElementType.U8, shape, values);

    /// <summary>A BOOL tensor; see the first overload.</summary>
    public static TensorEntry Of(string name, ReadOnlySpan<int> shape, ReadOnlyMemory<bool> values) =>
        new Values<bool>(name, ElementType.BOOL, shape, values);

    internal abstract void WriteTo(Stream stream);

    private sealed class Values<T>(string name, ElementType type, ReadOnlySpan<int> shape, ReadOnlyMemory<T> values)
        : TensorEntry(name, type, shape, values.Length)
        where T : struct
    {
        internal override void WriteTo(Stream stream)
        {
            const int Piece = 1 << 20; // a span of bytes holds at most 2³¹, the values may be more
            for (var rest = values; rest.Length > 0; rest = rest[Math.Min(Piece, rest.Length)..])
                stream.Write(MemoryMarshal.AsBytes(rest.Span[..Math.Min(Piece, rest.Length)]));
        }
    }
}
