using System.Buffers.Binary;
using System.IO.Hashing;
using System.Text.Json;

namespace Dino.Tensors.Io;

/// <summary>
/// A file of named tensors in the safetensors format (github.com/huggingface/safetensors): eight bytes of header length, a JSON
/// header, the values in little-endian order without gaps.
/// </summary>
public sealed class SafetensorsFile : WeightsFile
{
    private SafetensorsFile(FileBytes bytes, SafetensorsHeader header) : base(bytes, "safetensors", header.Tensors, header.Metadata)
    {
    }

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="InvalidDataException">
    /// The file is not well-formed; the message names the file, the tensor and what is wrong.
    /// </exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static SafetensorsFile Read(string path) => OpenAs(path, Of);

    /// <summary>
    /// Writes a file by a temporary name, flushes it and renames it. Values go from the entries' memory to the disk, once, and their
    /// checksums into the
    /// metadata, where reading finds a flipped bit; entries with wide elements come first, so that every tensor is aligned, otherwise in
    /// the order given.
    /// </summary>
    /// <exception cref="ArgumentException">Two entries share a name, or a name is reserved.</exception>
    /// <exception cref="IOException">The file cannot be written; an existing one is left as it was.</exception>
    public static void Write(
        string path, IReadOnlyList<TensorEntry> entries, IReadOnlyDictionary<string, string>? metadata = null)
    {
        TensorEntry[] ordered = [.. entries.OrderByDescending(entry => entry.Type.Size())];
        byte[] header = Header(ordered, metadata, out int headerSum, out int sums);
        AtomicFile.Write(path, stream =>
        {
            long start = stream.Position;
            WriteHeader();
            var hash = new XxHash3();
            var hashing = new HashingStream(stream, hash);
            for (int i = 0; i < ordered.Length; i++)
            {
                ordered[i].WriteTo(hashing);
                SafetensorsChecksums.Format(hash.GetCurrentHashAsUInt64(), header.AsSpan(sums + i * SafetensorsChecksums.Digits));
                hash.Reset();
            }
            SafetensorsChecksums.Format(SafetensorsChecksums.OfHeader(header, headerSum), header.AsSpan(headerSum));
            // The sums are known behind the values and stand before them.
            long end = stream.Position;
            stream.Position = start;
            WriteHeader();
            stream.Position = end;

            void WriteHeader()
            {
                Span<byte> length = stackalloc byte[8];
                BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
                stream.Write(length);
                stream.Write(header);
            }
        });
    }

    internal static SafetensorsFile Of(FileBytes bytes)
    {
        var header = SafetensorsHeader.Parse(bytes);
        SafetensorsChecksums.Verify(bytes, header);
        return new SafetensorsFile(bytes, header);
    }

    // Zeros stand where the sums will, at the places that are given back.
    private static byte[] Header(TensorEntry[] entries, IReadOnlyDictionary<string, string>? metadata, out int headerSum, out int sums)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            foreach (var (key, value) in metadata ?? new Dictionary<string, string>())
                json.WriteString(key, SafetensorsChecksums.IsKey(key)
                    ? throw new ArgumentException($"The metadata key '{key}' is reserved.") : value);
            headerSum = WriteZeros(SafetensorsChecksums.HeaderKey, 1);
            sums = WriteZeros(SafetensorsChecksums.TensorsKey, entries.Length);
            json.WriteEndObject();
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

            int WriteZeros(string key, int count)
            {
                json.WritePropertyName(key);
                json.Flush();
                json.WriteStringValue(new string('0', count * SafetensorsChecksums.Digits));
                return (int)buffer.Length + 1; // the quotation mark
            }
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
}
