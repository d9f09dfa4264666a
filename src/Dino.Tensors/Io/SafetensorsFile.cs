using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Dino.Tensors.Io;

/// <summary>
/// A file of named tensors in the safetensors format (github.com/huggingface/safetensors): eight bytes of header length, a JSON
/// header, the values in little-endian order without gaps.
/// </summary>
/// <remarks>
/// The header is checked whole when the file is opened; values are read when asked for. The file stays open until disposal, so a file
/// that is renamed over meanwhile does not mix with the old one.
/// </remarks>
public sealed class SafetensorsFile : IDisposable
{
    private readonly string path;
    private readonly SafeFileHandle handle;
    private readonly Dictionary<string, SafetensorsSlot> slots;

    private SafetensorsFile(string path, SafeFileHandle handle)
    {
        (this.path, this.handle) = (path, handle);
        var header = SafetensorsHeader.Parse(path, RandomAccess.GetLength(handle), (bytes, offset) => ReadExactly(bytes.Span, offset));
        Metadata = header.Metadata;
        Names = [.. header.Slots.Select(slot => slot.Name)];
        slots = header.Slots.ToDictionary(slot => slot.Name);
    }

    /// <summary>The tensors' names, in the order of their values in the file.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Free text stored with the tensors; empty when the file has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="InvalidDataException">The file is not well-formed; the message names the file, the tensor and what is wrong.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static SafetensorsFile Read(string path)
    {
        var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, FileOptions.RandomAccess);
        try
        {
            return new SafetensorsFile(path, handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Whether the file has a tensor of this name.</summary>
    public bool Contains(string name) => slots.ContainsKey(name);

    /// <summary>The element type of a tensor, as stored.</summary>
    /// <exception cref="InvalidDataException">The file has no tensor of this name.</exception>
    public SafetensorsType Type(string name) => Slot(name).Type;

    /// <summary>The extents of a tensor, outermost first; none for a scalar.</summary>
    /// <exception cref="InvalidDataException">The file has no tensor of this name.</exception>
    public IReadOnlyList<long> Shape(string name) => Slot(name).Shape;

    /// <summary>The values of an F32, F16 or BF16 tensor, in row-major order.</summary>
    /// <exception cref="InvalidDataException">The file has no such tensor, or it has another type.</exception>
    public float[] Floats(string name)
    {
        float[] values = new float[Count(name)];
        ReadFloats(name, values);
        return values;
    }

    /// <summary>Reads an F32, F16 or BF16 tensor into memory of exactly its number of values.</summary>
    /// <exception cref="InvalidDataException">The file has no such tensor, or it has another type or number of values.</exception>
    public void ReadFloats(string name, Span<float> destination)
    {
        var slot = Slot(name);
        if (Count(name) != destination.Length)
            throw new InvalidDataException($"{path}: tensor {SafetensorsHeader.Quote(name)} has {Count(name)} values, "
                + $"{destination.Length} are wanted.");
        switch (slot.Type)
        {
            case SafetensorsType.F32:
                ReadInto(slot, destination);
                break;
            case SafetensorsType.F16:
                var halves = Values<Half>(slot);
                for (int i = 0; i < halves.Length; i++)
                    destination[i] = (float)halves[i];
                break;
            case SafetensorsType.BF16:
                var words = Values<ushort>(slot);
                for (int i = 0; i < words.Length; i++)
                    destination[i] = BitConverter.UInt32BitsToSingle((uint)words[i] << 16);
                break;
            default:
                throw OtherType(slot, "F32, F16 or BF16");
        }
    }

    /// <summary>The values of an F64, F32, F16 or BF16 tensor, in row-major order.</summary>
    /// <exception cref="InvalidDataException">The file has no such tensor, or it has another type.</exception>
    public double[] Doubles(string name) => Slot(name) switch
    {
        { Type: SafetensorsType.F64 } slot => Values<double>(slot),
        { Type: SafetensorsType.F32 or SafetensorsType.F16 or SafetensorsType.BF16 } => Array.ConvertAll(Floats(name), x => (double)x),
        var slot => throw OtherType(slot, "F64, F32, F16 or BF16"),
    };

    /// <summary>The values of an I64, I32, U8 or BOOL tensor, in row-major order.</summary>
    /// <exception cref="InvalidDataException">The file has no such tensor, or it has another type.</exception>
    public long[] Longs(string name) => Slot(name) switch
    {
        { Type: SafetensorsType.I64 } slot => Values<long>(slot),
        { Type: SafetensorsType.I32 } slot => Array.ConvertAll(Values<int>(slot), x => (long)x),
        { Type: SafetensorsType.U8 or SafetensorsType.BOOL } slot => Array.ConvertAll(Values<byte>(slot), x => (long)x),
        var slot => throw OtherType(slot, "I64, I32, U8 or BOOL"),
    };

    /// <summary>The values of a U8 or BOOL tensor, in row-major order.</summary>
    /// <exception cref="InvalidDataException">The file has no such tensor, or it has another type.</exception>
    public byte[] Bytes(string name) => Slot(name) switch
    {
        { Type: SafetensorsType.U8 or SafetensorsType.BOOL } slot => Values<byte>(slot),
        var slot => throw OtherType(slot, "U8 or BOOL"),
    };

    /// <summary>
    /// Writes a file by a temporary name, flushes it and renames it. Values go from the entries' memory to the disk; entries with wide
    /// elements come first, so that every tensor is aligned, otherwise in the order given.
    /// </summary>
    /// <exception cref="ArgumentException">Two entries share a name, or a name is reserved.</exception>
    /// <exception cref="IOException">The file cannot be written; an existing one is left as it was.</exception>
    public static void Write(
        string path, IReadOnlyList<SafetensorsEntry> entries, IReadOnlyDictionary<string, string>? metadata = null)
    {
        SafetensorsEntry[] ordered = [.. entries.OrderByDescending(entry => entry.Type.Size())];
        byte[] header = Header(ordered, metadata);
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            stream.Write(length);
            stream.Write(header);
            foreach (var entry in ordered)
                entry.WriteTo(stream);
        });
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => handle.Dispose();

    private static byte[] Header(SafetensorsEntry[] entries, IReadOnlyDictionary<string, string>? metadata)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata)
                    json.WriteString(key, value);
                json.WriteEndObject();
            }
            var names = new HashSet<string> { "__metadata__" };
            long at = 0;
            foreach (var entry in entries)
            {
                if (!names.Add(entry.Name))
                    throw new ArgumentException($"The tensor name '{entry.Name}' is used twice or is reserved.");
                json.WriteStartObject(entry.Name);
                json.WriteString("dtype", entry.Type.ToString());
                WriteNumbers(json, "shape", entry.Shape.Select(extent => (long)extent));
                WriteNumbers(json, "data_offsets", [at, at + entry.ByteLength]);
                json.WriteEndObject();
                at += entry.ByteLength;
            }
            json.WriteEndObject();
        }
        while (buffer.Length % 8 != 0)
            buffer.WriteByte((byte)' ');
        return buffer.Length <= SafetensorsHeader.MaxLength
            ? buffer.ToArray()
            : throw new ArgumentException($"The header would be {buffer.Length} bytes; the format allows {SafetensorsHeader.MaxLength}.");
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, IEnumerable<long> values)
    {
        json.WriteStartArray(name);
        foreach (long value in values)
            json.WriteNumberValue(value);
        json.WriteEndArray();
    }

    private SafetensorsSlot Slot(string name) => slots.TryGetValue(name, out var slot)
        ? slot
        : throw new InvalidDataException($"{path}: there is no tensor {SafetensorsHeader.Quote(name)}.");

    private int Count(string name)
    {
        var slot = Slot(name);
        long count = (slot.End - slot.Start) / slot.Type.Size();
        return count <= Array.MaxLength
            ? (int)count
            : throw new InvalidDataException($"{path}: tensor {SafetensorsHeader.Quote(name)} has {count} values, too many for an array.");
    }

    private T[] Values<T>(SafetensorsSlot slot) where T : unmanaged
    {
        var values = new T[Count(slot.Name)];
        ReadInto<T>(slot, values);
        return values;
    }

    // Files are little-endian, and so is every machine that .NET's SIMD and ILGPU run on: values are read in place.
    private void ReadInto<T>(SafetensorsSlot slot, Span<T> values) where T : unmanaged
    {
        const int Piece = 1 << 20; // a span of bytes holds at most 2³¹, the values may be more
        int size = Unsafe.SizeOf<T>();
        for (int at = 0; at < values.Length; at += Piece)
            ReadExactly(MemoryMarshal.AsBytes(values.Slice(at, Math.Min(Piece, values.Length - at))), slot.Start + (long)at * size);
    }

    private void ReadExactly(Span<byte> bytes, long offset)
    {
        while (bytes.Length > 0)
        {
            int got = RandomAccess.Read(handle, bytes, offset);
            if (got == 0)
                throw new InvalidDataException($"{path}: the file became shorter while it was read.");
            bytes = bytes[got..];
            offset += got;
        }
    }

    private InvalidDataException OtherType(SafetensorsSlot slot, string wanted) =>
        new($"{path}: tensor {SafetensorsHeader.Quote(slot.Name)} holds {slot.Type}; {wanted} is wanted.");
}
