using System.Text.Json;
using Dino.Tensors.Io.Pickle;

namespace Dino.Tensors.Io;

/// <summary>
/// A file that <c>torch.save</c> wrote: a pickle that describes tensors, and their memory, in a zip container or in the stream that was
/// used
/// before PyTorch 1.6. Read as data only (docs/design/0010-weights-in-and-out.md).
/// </summary>
public sealed class PyTorchFile : WeightsFile
{
    // No pickle of a state dict comes near: a full checkpoint of ViT-B has 0.2 MiB.
    private const int MaxPickle = 16 << 20;

    private static readonly byte[] StreamHead = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, (byte)'.'];

    // A member beside PyTorch's own, which its reader passes over: texts, as in the metadata of a safetensors file.
    internal const string MetadataMember = "dino.json";

    private const int MaxMetadata = 1 << 16;

    private PyTorchFile(FileBytes bytes, string format, PyTorchTree tree, IEnumerable<KeyValuePair<string, string>>? texts = null)
        : base(bytes, format, tree.Tensors, new Dictionary<string, string>([.. tree.Metadata, .. texts ?? []]))
    {
    }

    /// <summary>Opens a file and checks it whole, checksums included.</summary>
    /// <exception cref="InvalidDataException">The file is not well-formed, or holds more than tensors and plain data.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static PyTorchFile Read(string path) => OpenAs(path, Of);

    /// <summary>
    /// Writes an ordered state dict that <c>torch.load</c> reads, also with <c>weights_only=True</c>, by a temporary name that is renamed.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="entries">The tensors.</param>
    /// <param name="metadata">Texts that are read here as <see cref="WeightsFile.Metadata"/>; PyTorch passes over them.</param>
    /// <exception cref="ArgumentException">Two entries share a name, or they need more than the 4 GiB that the container holds.</exception>
    /// <exception cref="IOException">The file cannot be written; an existing one is left as it was.</exception>
    public static void Write(string path, IReadOnlyList<TensorEntry> entries, IReadOnlyDictionary<string, string>? metadata = null) =>
        PyTorchWriter.Write(path, entries, metadata ?? new Dictionary<string, string>());

    internal static bool Recognises(ReadOnlySpan<byte> head) => ZipDirectory.Recognises(head) || head is [0x80, 2, ..];

    internal static PyTorchFile Of(FileBytes bytes) => ZipDirectory.Recognises(bytes.Read(0, (int)Math.Min(bytes.Length, 4)))
        ? OfZip(bytes)
        : OfStream(bytes);

    private static PyTorchFile OfZip(FileBytes bytes)
    {
        var members = ZipDirectory.Read(bytes, name => ThrowIfProgram(bytes, name));
        string root = members.Count == 0 ? "" : members[0].Name[..(members[0].Name.IndexOf('/') + 1)];
        if (root.Length == 0 || members.Any(member => !member.Name.StartsWith(root, StringComparison.Ordinal)))
            throw new InvalidDataException($"{bytes.Path}: a zip file, but not one of PyTorch (its members are not in one folder).");
        var places = members.ToDictionary(member => member.Name[root.Length..]);
        if (!places.TryGetValue("data.pkl", out var pickle))
            throw new InvalidDataException($"{bytes.Path}: a zip file, but not one of PyTorch (it has no data.pkl).");
        if (pickle.Length > MaxPickle)
            throw new InvalidDataException($"{bytes.Path}: its pickle has {pickle.Length} bytes; at most {MaxPickle} are read.");
        if (places.TryGetValue("byteorder", out var order)
            && (order.Length != 6 || !bytes.Read(order.Start, 6).AsSpan().SequenceEqual("little"u8)))
            throw new InvalidDataException($"{bytes.Path}: its numbers are not little-endian.");

        var budget = new PickleBudget(bytes.Path);
        var reader = new PickleReader(bytes.Path, bytes.Read(pickle.Start, (int)pickle.Length), budget);
        var value = reader.Read();
        if (reader.At != pickle.Length)
            throw new InvalidDataException($"{bytes.Path}: {pickle.Length - reader.At} bytes follow its pickle.");
        var starts = new Dictionary<string, long>();
        foreach (var storage in reader.Storages)
        {
            if (!places.TryGetValue("data/" + storage.Key, out var member))
                throw new InvalidDataException($"{bytes.Path}: the storage {StoredTensor.Quote(storage.Key)} is missing.");
            if ((Int128)storage.Count * storage.Type.Size() != member.Length)
                throw new InvalidDataException(
                    $"{bytes.Path}: the storage {StoredTensor.Quote(storage.Key)} should hold {storage.Count} values "
                    + $"of type {storage.Type} and has {member.Length} bytes.");
            starts.Add(storage.Key, member.Start);
        }
        var tree = new PyTorchTree(bytes, starts, budget).Of(value);
        return new PyTorchFile(bytes, "PyTorch, zip container", tree,
            places.TryGetValue(MetadataMember, out var texts) ? Texts(bytes, texts, tree) : null);
    }

    private static Dictionary<string, string> Texts(FileBytes bytes, ZipMember member, PyTorchTree tree)
    {
        if (member.Length > MaxMetadata)
            throw new InvalidDataException($"{bytes.Path}: its {MetadataMember} has {member.Length} bytes; at most {MaxMetadata} are "
                + $"read.");
        try
        {
            var texts = JsonSerializer.Deserialize<Dictionary<string, string>>(bytes.Read(member.Start, (int)member.Length)) ?? [];
            return texts.Any(text => text.Value is null || tree.Metadata.ContainsKey(text.Key))
                ? throw new JsonException("an entry is no text, or is in the pickle too") : texts;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{bytes.Path}: its {MetadataMember} is not a map of texts: {e.Message}", e);
        }
    }

    // Their entries are compressed, which would be refused in other words.
    private static void ThrowIfProgram(FileBytes bytes, string name)
    {
        string inside = name[(name.IndexOf('/') + 1)..];
        if (inside == "constants.pkl" || inside.StartsWith("code/", StringComparison.Ordinal))
            throw new InvalidDataException($"{bytes.Path}: a TorchScript program. Save its state_dict() instead.");
        if (inside == "archive_format" || inside.StartsWith("models/", StringComparison.Ordinal))
            throw new InvalidDataException($"{bytes.Path}: an exported program (.pt2). Save its state_dict() instead.");
    }

    /// <summary>
    /// Five pickles (a magic number, the version, the machine, the object, the storages' keys), then length and bytes of each storage.
    /// </summary>
    private static PyTorchFile OfStream(FileBytes bytes)
    {
        byte[] head = bytes.Read(0, (int)Math.Min(bytes.Length, MaxPickle));
        if (!head.AsSpan().StartsWith(StreamHead))
            throw new InvalidDataException($"{bytes.Path}: a pickle that torch.save did not write.");
        var budget = new PickleBudget(bytes.Path);
        var reader = new PickleReader(bytes.Path, head, budget) { At = StreamHead.Length };
        if (reader.Read() is not PickleScalar { Kind: PickleScalar.Integer, Value: "1001" })
            throw new InvalidDataException($"{bytes.Path}: a version of PyTorch's stream other than 1001.");
        if (reader.Read() is not PickleMap machine || !machine.Entries.TryGetValue("little_endian", out var little)
            || little is not PickleScalar { Value: "True" })
            throw new InvalidDataException($"{bytes.Path}: its numbers are not little-endian.");
        var value = reader.Read();
        if (reader.Read() is not PickleSequence { IsTuple: false } keys)
            throw new InvalidDataException($"{bytes.Path}: it does not list its storages.");

        var storages = reader.Storages.ToDictionary(storage => storage.Key);
        var starts = new Dictionary<string, long>();
        long at = reader.At;
        foreach (var item in keys.Items)
        {
            if (item is not PickleScalar { Kind: PickleScalar.Text } key || !storages.TryGetValue(key.Value, out var storage))
                throw new InvalidDataException($"{bytes.Path}: it lists a storage that no tensor lies in.");
            if (bytes.Length - at < 8 || BitConverter.ToInt64(bytes.Read(at, 8)) != storage.Count)
                throw new InvalidDataException(
                    $"{bytes.Path}: the storage {StoredTensor.Quote(storage.Key)} is missing or has not the {storage.Count} values that "
                        + $"are announced.");
            at += 8;
            if ((Int128)storage.Count * storage.Type.Size() > bytes.Length - at)
                throw new InvalidDataException($"{bytes.Path}: cut short in the storage {StoredTensor.Quote(storage.Key)}.");
            if (!starts.TryAdd(storage.Key, at))
                throw new InvalidDataException($"{bytes.Path}: it lists the storage {StoredTensor.Quote(storage.Key)} twice.");
            at += storage.Count * storage.Type.Size();
        }
        if (starts.Count != storages.Count)
            throw new InvalidDataException($"{bytes.Path}: {storages.Count - starts.Count} of its storages are missing.");
        if (at != bytes.Length)
            throw new InvalidDataException($"{bytes.Path}: {bytes.Length - at} bytes after the last storage belong to none.");
        return new PyTorchFile(bytes, "PyTorch, stream of before 1.6", new PyTorchTree(bytes, starts, budget).Of(value));
    }
}
