using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace Dino.Tensors.Io;

/// <summary>
/// The header of a safetensors file, read as written by a stranger: whatever it claims is checked before anything is allocated for it.
/// The rules are those of the format's own reader (github.com/huggingface/safetensors), plus no repeated key anywhere.
/// </summary>
internal sealed class SafetensorsHeader
{
    /// <summary>The format's own bound on the header, in bytes.</summary>
    public const int MaxLength = 100_000_000;

    // Bounds that no real file meets, so that what is made of a header stays small beside the file: tensors, dimensions, free text.
    private const int MaxTensors = 100_000, MaxRank = 32, MaxMetadata = 1 << 24;

    private const string MetadataKey = "__metadata__";

    private readonly string file;
    private readonly long dataLength;
    private readonly Dictionary<string, StoredTensor> tensors = [];
    private Dictionary<string, string>? metadata;
    private int headerSumAt;

    private SafetensorsHeader(string file, long dataLength) => (this.file, this.dataLength) = (file, dataLength);

    /// <summary>The tensors in the order of their data.</summary>
    public IReadOnlyList<StoredTensor> Tensors { get; private set; } = [];

    /// <summary>The texts of the metadata but for the checksums.</summary>
    public IReadOnlyDictionary<string, string> Metadata => metadata ?? [];

    /// <summary>
    /// The checksums that the file states of its header and, in the order of the data, of its tensors; null if it does not.
    /// </summary>
    public string? HeaderSum { get; private set; }

    /// <inheritdoc cref="HeaderSum"/>
    public string? TensorSums { get; private set; }

    /// <summary>The header's sum as it is.</summary>
    public ulong ActualHeaderSum { get; private set; }

    /// <summary>Parses the header of a file.</summary>
    public static SafetensorsHeader Parse(FileBytes bytes)
    {
        var (file, fileLength) = (bytes.Path, bytes.Length);
        if (fileLength < 8)
            throw new InvalidDataException($"{file}: {fileLength} bytes is too short for a safetensors file.");
        ulong claimed = BinaryPrimitives.ReadUInt64LittleEndian(bytes.Read(0, 8));
        if (claimed > MaxLength)
            throw new InvalidDataException($"{file}: not a safetensors file (a header of {claimed} bytes; at most {MaxLength} are "
                + $"allowed).");
        if (claimed > (ulong)(fileLength - 8))
            throw new InvalidDataException($"{file}: cut short (a header of {claimed} bytes in a file of {fileLength}).");

        byte[] text = bytes.Read(8, (int)claimed);
        long dataStart = 8 + (long)claimed;
        var header = new SafetensorsHeader(file, fileLength - dataStart);
        try
        {
            // The JSON reader looks at the bytes inside strings only when asked for them.
            _ = new UTF8Encoding(false, throwOnInvalidBytes: true).GetCharCount(text);
            header.ReadAll(text);
            header.TakeSums(text);
        }
        catch (Exception e) when (e is JsonException or DecoderFallbackException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"{file}: the header is not the JSON of a safetensors file: {e.Message}", e);
        }
        header.Arrange(dataStart);
        return header;
    }

    private void ReadAll(byte[] text)
    {
        var json = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = 4 });
        if (text is not [(byte)'{', ..] || !json.Read())
            throw new InvalidDataException($"{file}: the header does not begin with '{{'.");
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string name = json.GetString()!;
            json.Read();
            if (name == MetadataKey)
                ReadMetadata(ref json);
            else if (tensors.Count == MaxTensors)
                throw new InvalidDataException($"{file}: the header names more than {MaxTensors} tensors.");
            else if (!tensors.TryAdd(name, ReadTensor(name, ref json)))
                throw new InvalidDataException($"{file}: tensor {StoredTensor.Quote(name)} appears twice in the header.");
        }
        if (json.Read())
            throw new InvalidDataException($"{file}: the header goes on after its end.");
    }

    private void ReadMetadata(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartObject || metadata is not null)
            throw new InvalidDataException($"{file}: {MetadataKey} is not one map of strings.");
        metadata = [];
        long start = json.TokenStartIndex;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string key = json.GetString()!;
            json.Read();
            if (json.TokenStartIndex + json.ValueSpan.Length - start > MaxMetadata)
                throw new InvalidDataException($"{file}: {MetadataKey} holds more than {MaxMetadata} bytes.");
            if (key == SafetensorsChecksums.HeaderKey && json.ValueSpan.Length == SafetensorsChecksums.Digits)
                headerSumAt = (int)json.TokenStartIndex + 1;
            if (json.TokenType != JsonTokenType.String || !metadata.TryAdd(key, json.GetString()!))
                throw new InvalidDataException($"{file}: entry {StoredTensor.Quote(key)} of {MetadataKey} is repeated or is not a string.");
        }
    }

    private void TakeSums(byte[] text)
    {
        if (metadata is null)
            return;
        if (metadata.Remove(SafetensorsChecksums.HeaderKey, out string? headerSum))
            HeaderSum = headerSum;
        if (metadata.Remove(SafetensorsChecksums.TensorsKey, out string? tensorSums))
            TensorSums = tensorSums;
        if (headerSumAt > 0)
            ActualHeaderSum = SafetensorsChecksums.OfHeader(text, headerSumAt);
    }

    // Offsets are still relative to the data here; Arrange makes them absolute once they are known to lie inside.
    private StoredTensor ReadTensor(string name, ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.StartObject)
            throw Wrong(name, "is not described by a map");
        ElementType? type = null;
        long[]? shape = null, offsets = null;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string key = json.GetString()!;
            json.Read();
            switch (key)
            {
                case "dtype" when type is null && json.TokenType == JsonTokenType.String:
                    string tag = json.GetString()!;
                    // Enum.TryParse alone would also take "3" or " F32".
                    type = Enum.TryParse(tag, out ElementType known) && Enum.GetName(known) == tag
                        ? known
                        : throw Wrong(name, $"has the type {StoredTensor.Quote(tag)}; {string.Join(", ", Enum.GetNames<ElementType>())} "
                            + $"can be read");
                    break;
                case "shape" when shape is null && json.TokenType == JsonTokenType.StartArray:
                    shape = ReadLengths(name, ref json);
                    break;
                case "data_offsets" when offsets is null && json.TokenType == JsonTokenType.StartArray:
                    offsets = ReadLengths(name, ref json);
                    break;
                default:
                    throw Wrong(name, $"has the unknown, repeated or malformed field {StoredTensor.Quote(key)}");
            }
        }
        if (type is null || shape is null || offsets is not [long start, long end])
            throw Wrong(name, "lacks a dtype, a shape or two data_offsets");
        if (start > end || end > dataLength)
            throw Wrong(name, $"lies at bytes {start} to {end} of {dataLength}");
        if (ByteLength(name, type.Value, shape) is var needed && needed != end - start)
            throw Wrong(name, $"needs {needed} bytes for {type} [{string.Join(", ", shape)}] and has {end - start}");
        return new StoredTensor(name, type.Value, shape, start);
    }

    private long[] ReadLengths(string name, ref Utf8JsonReader json)
    {
        var values = new List<long>();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.Number || !json.TryGetInt64(out long value) || value < 0)
                throw Wrong(name, "has an extent or offset that is not a whole number from 0 to 2⁶³ − 1");
            if (values.Count == MaxRank)
                throw Wrong(name, $"has more than {MaxRank} dimensions");
            values.Add(value);
        }
        return [.. values];
    }

    private long ByteLength(string name, ElementType type, long[] shape)
    {
        try
        {
            return shape.Aggregate((long)type.Size(), (product, extent) => checked(product * extent));
        }
        catch (OverflowException)
        {
            throw Wrong(name, $"has the impossible shape [{string.Join(", ", shape)}]");
        }
    }

    /// <summary>Sorts the tensors by place and refuses overlaps, holes and bytes that belong to none: nothing hides in the file.</summary>
    private void Arrange(long dataStart)
    {
        var sorted = tensors.Values.OrderBy(tensor => tensor.Start).ThenBy(tensor => tensor.ByteLength).ToArray();
        long at = 0;
        foreach (var tensor in sorted)
        {
            if (tensor.Start != at)
                throw Wrong(tensor.Name, $"begins at byte {tensor.Start} where {at} was expected: tensors overlap or leave a hole");
            at += tensor.ByteLength;
        }
        if (at != dataLength)
            throw new InvalidDataException($"{file}: {dataLength - at} bytes after the last tensor belong to none.");
        Tensors = [.. sorted.Select(tensor => tensor with { Start = tensor.Start + dataStart })];
    }

    private InvalidDataException Wrong(string name, string what) => new($"{file}: tensor {StoredTensor.Quote(name)} {what}.");
}
