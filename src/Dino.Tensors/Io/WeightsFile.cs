using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Dino.Tensors.Io;

/// <summary>
/// A file of named tensors, of whatever format: safetensors, or PyTorch's <c>.pth</c> in its zip container or the stream used before 1.6.
/// </summary>
/// <remarks>
/// What a file says of itself is checked whole when it is opened; values are read when asked for. The file stays open until disposal, so
/// one that is renamed over it meanwhile does not mix with it.
/// </remarks>
public abstract class WeightsFile : IDisposable
{
    private readonly FileBytes bytes;
    private readonly Dictionary<string, StoredTensor> tensors;

    private protected WeightsFile(
        FileBytes bytes, string format, IEnumerable<StoredTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        (this.bytes, Format, Metadata) = (bytes, format, metadata);
        this.tensors = tensors.ToDictionary(tensor => tensor.Name);
        Names = [.. this.tensors.Keys];
    }

    /// <summary>Where the file is.</summary>
    public string Path => bytes.Path;

    /// <summary>The length of the file in bytes.</summary>
    public long Length => bytes.Length;

    /// <summary>The format, in words.</summary>
    public string Format { get; }

    /// <summary>The tensors' names, in the order of the file. In a PyTorch file, the keys that lead to a tensor, joined by dots.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>
    /// What the file says beside its tensors: the texts of a safetensors file; the numbers, texts and flags of a PyTorch file under the
    /// keys
    /// that lead to them, joined by dots, in invariant notation.
    /// </summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file of any format that is read here. The content decides which, never the name.</summary>
    /// <exception cref="InvalidDataException">The file is of another format or not well-formed; the message says what is wrong.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static WeightsFile Open(string path) => OpenAs(path, static bytes =>
    {
        byte[] head = bytes.Read(0, (int)Math.Min(bytes.Length, 512));
        if (PyTorchFile.Recognises(head))
            return PyTorchFile.Of(bytes);
        return head is [_, _, _, _, _, _, _, _, (byte)'{', ..]
            ? (WeightsFile)SafetensorsFile.Of(bytes)
            : throw new InvalidDataException($"{bytes.Path}: {OtherContent.Describe(head, bytes.Length)}.");
    });

    /// <summary>Whether the file has a tensor of this name.</summary>
    public bool Contains(string name) => tensors.ContainsKey(name);

    /// <summary>The element type of a tensor, as stored.</summary>
    /// <exception cref="InvalidDataException">The file has no tensor of this name.</exception>
    public ElementType Type(string name) => Stored(name).Type;

    /// <summary>The extents of a tensor, outermost first; none for a scalar.</summary>
    /// <exception cref="InvalidDataException">The file has no tensor of this name.</exception>
    public IReadOnlyList<long> Shape(string name) => Stored(name).Shape;

    /// <summary>The values of an F32, F16, BF16 or F64 tensor, in row-major order; F64 values are rounded.</summary>
    /// <exception cref="InvalidDataException">The file has no such tensor, or it has another type.</exception>
    public float[] Floats(string name)
    {
        float[] values = new float[Count(name)];
        ReadFloats(name, values);
        return values;
    }

    /// <summary>Reads an F32, F16, BF16 or F64 tensor into memory of exactly its number of values.</summary>
    /// <exception cref="InvalidDataException">The file has no such tensor, or it has another type or number of values.</exception>
    public void ReadFloats(string name, Span<float> destination)
    {
        var tensor = Stored(name);
        if (Count(name) != destination.Length)
            throw new InvalidDataException($"{Path}: tensor {StoredTensor.Quote(name)} has {Count(name)} values, "
                + $"{destination.Length} are wanted.");
        switch (tensor.Type)
        {
            case ElementType.F32:
                Read<float, float>(tensor, destination, x => x);
                break;
            case ElementType.F16:
                Read<Half, float>(tensor, destination, x => (float)x);
                break;
            case ElementType.BF16:
                Read<ushort, float>(tensor, destination, x => BitConverter.UInt32BitsToSingle((uint)x << 16));
                break;
            case ElementType.F64:
                Read<double, float>(tensor, destination, x => (float)x);
                break;
            default:
                throw OtherType(tensor, "F32, F16, BF16 or F64");
        }
    }

    /// <summary>The values of an F64, F32, F16 or BF16 tensor, in row-major order.</summary>
    /// <exception cref="InvalidDataException">The file has no such tensor, or it has another type.</exception>
    public double[] Doubles(string name) => Stored(name) switch
    {
        { Type: ElementType.F64 } tensor => Values<double, double>(tensor, x => x),
        { Type: ElementType.F32 or ElementType.F16 or ElementType.BF16 } => Array.ConvertAll(Floats(name), x => (double)x),
        var tensor => throw OtherType(tensor, "F64, F32, F16 or BF16"),
    };

    /// <summary>The values of an integer or BOOL tensor, in row-major order.</summary>
    /// <exception cref="InvalidDataException">The file has no such tensor, or it has another type.</exception>
    public long[] Longs(string name) => Stored(name) switch
    {
        { Type: ElementType.I64 } tensor => Values<long, long>(tensor, x => x),
        { Type: ElementType.I32 } tensor => Values<int, long>(tensor, x => x),
        { Type: ElementType.I16 } tensor => Values<short, long>(tensor, x => x),
        { Type: ElementType.I8 } tensor => Values<sbyte, long>(tensor, x => x),
        { Type: ElementType.U8 or ElementType.BOOL } tensor => Values<byte, long>(tensor, x => x),
        var tensor => throw OtherType(tensor, "I64, I32, I16, I8, U8 or BOOL"),
    };

    /// <summary>The values of a U8 or BOOL tensor, in row-major order.</summary>
    /// <exception cref="InvalidDataException">The file has no such tensor, or it has another type.</exception>
    public byte[] Bytes(string name) => Stored(name) switch
    {
        { Type: ElementType.U8 or ElementType.BOOL } tensor => Values<byte, byte>(tensor, x => x),
        var tensor => throw OtherType(tensor, "U8 or BOOL"),
    };

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        bytes.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Opens a file and closes it again if it cannot be understood.</summary>
    internal static T OpenAs<T>(string path, Func<FileBytes, T> read)
    {
        var bytes = FileBytes.Open(path);
        try
        {
            return read(bytes);
        }
        catch
        {
            bytes.Dispose();
            throw;
        }
    }

    private StoredTensor Stored(string name) => tensors.TryGetValue(name, out var tensor)
        ? tensor
        : throw new InvalidDataException($"{Path}: there is no tensor {StoredTensor.Quote(name)}.");

    private int Count(string name)
    {
        long count = Stored(name).Count;
        return count <= Array.MaxLength
            ? (int)count
            : throw new InvalidDataException($"{Path}: tensor {StoredTensor.Quote(name)} has {count} values, too many for an array.");
    }

    private TValue[] Values<TStored, TValue>(StoredTensor tensor, Func<TStored, TValue> convert)
        where TStored : unmanaged where TValue : unmanaged
    {
        var values = new TValue[Count(tensor.Name)];
        Read(tensor, values, convert);
        return values;
    }

    private void Read<TStored, TValue>(StoredTensor tensor, Span<TValue> values, Func<TStored, TValue> convert)
        where TStored : unmanaged where TValue : unmanaged
    {
        if (values.Length == 0)
            return;
        if (tensor.Strides is not null)
            ReadStrided(tensor, values, convert);
        else if (typeof(TStored) == typeof(TValue))
            ReadPlain(tensor.Start, values);
        else
            ReadConverted(tensor.Start, values, convert);
    }

    // Files are little-endian, and so is every machine that .NET's SIMD and ILGPU run on: values are read in place.
    private void ReadPlain<T>(long start, Span<T> values) where T : unmanaged
    {
        const int Piece = 1 << 20; // a span of bytes holds at most 2³¹, the values may be more
        for (int at = 0; at < values.Length; at += Piece)
            bytes.Read(MemoryMarshal.AsBytes(values.Slice(at, Math.Min(Piece, values.Length - at))), start + (long)at * Unsafe.SizeOf<T>());
    }

    private void ReadConverted<TStored, TValue>(long start, Span<TValue> values, Func<TStored, TValue> convert)
        where TStored : unmanaged where TValue : unmanaged
    {
        var piece = new TStored[Math.Min(1 << 14, values.Length)];
        for (int at = 0; at < values.Length; at += piece.Length)
        {
            var part = piece.AsSpan(0, Math.Min(piece.Length, values.Length - at));
            ReadPlain(start + (long)at * Unsafe.SizeOf<TStored>(), part);
            for (int i = 0; i < part.Length; i++)
                values[at + i] = convert(part[i]);
        }
    }

    /// <summary>
    /// Walks the dimensions by falling stride, so that the file is read once from front to back through a small window; strides whose
    /// elements overlap were refused, but for 0, which is walked innermost.
    /// </summary>
    private void ReadStrided<TStored, TValue>(StoredTensor tensor, Span<TValue> values, Func<TStored, TValue> convert)
        where TStored : unmanaged where TValue : unmanaged
    {
        int rank = tensor.Shape.Length, size = Unsafe.SizeOf<TStored>();
        long[] steps = new long[rank]; // in the values
        long step = 1;
        for (int i = rank - 1; i >= 0; step *= tensor.Shape[i--])
            steps[i] = step;
        int[] order = [.. Enumerable.Range(0, rank).OrderByDescending(i => tensor.Strides![i])];
        long[] extents = [.. order.Select(i => tensor.Shape[i])], from = [.. order.Select(i => tensor.Strides![i])],
            to = [.. order.Select(i => steps[i])];

        // Elements that lie far apart must not cost a wide window each.
        long inner = from.LastOrDefault(stride => stride > 0, 1);
        var window = new byte[inner * size <= 256 ? 1 << 16 : 1 << 9];
        long windowStart = 0, windowEnd = 0, end = tensor.Start + size * (1 + extents.Select((extent, i) => (extent - 1) * from[i]).Sum());
        long[] index = new long[rank];
        long source = 0, target = 0;
        for (int done = 0; ; done++)
        {
            long place = tensor.Start + source * size;
            if (place < windowStart || place + size > windowEnd)
            {
                (windowStart, windowEnd) = (place, Math.Min(end, place + window.Length));
                bytes.Read(window.AsSpan(0, (int)(windowEnd - windowStart)), windowStart);
            }
            values[(int)target] = convert(MemoryMarshal.Read<TStored>(window.AsSpan((int)(place - windowStart))));
            if (done == values.Length - 1)
                return;
            int dimension = rank - 1;
            for (; index[dimension] == extents[dimension] - 1; dimension--)
            {
                source -= index[dimension] * from[dimension];
                target -= index[dimension] * to[dimension];
                index[dimension] = 0;
            }
            index[dimension]++;
            source += from[dimension];
            target += to[dimension];
        }
    }

    private InvalidDataException OtherType(StoredTensor tensor, string wanted) =>
        new($"{Path}: tensor {StoredTensor.Quote(tensor.Name)} holds {tensor.Type}; {wanted} is wanted.");
}
