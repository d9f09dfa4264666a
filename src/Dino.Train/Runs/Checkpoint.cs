using System.Text.Json;
using Dino.Model.Weights;
using Dino.Tensors.Io;
using Dino.Tensors.Nn;
using Dino.Train.Methods;

namespace Dino.Train.Runs;

/// <summary>
/// The state of a run in one safetensors file: the tensors of its method's <see cref="IState"/>s, with everything else as JSON in its
/// metadata, and again beside it for people. A run continued from it is the same run, bit for bit.
/// </summary>
public static class Checkpoint
{
    private const string MetadataKey = "dino";

    /// <summary>
    /// Whether one is being written now: a process that is asked to end waits for it, though half a one would do no harm.
    /// </summary>
    internal static bool IsSaving { get; private set; }

    /// <summary>Writes the state, replacing a file of that name only once all of it is on the disk.</summary>
    public static void Save(string path, IEnumerable<IState> state, CheckpointInfo info)
    {
        IsSaving = true;
        try
        {
            string json = JsonSerializer.Serialize(info, CheckpointInfo.Json);
            IState[] parts = [.. state];
            TensorEntry[] entries =
                [.. parts.SelectMany(part => part.Save().Select(tensor => Owned(tensor, part, parts).ToEntry(PrefixOf(part, tensor))))];
            SafetensorsFile.Write(path, entries, new Dictionary<string, string> { [MetadataKey] = json });
            WriteCopy(path, json);
        }
        finally
        {
            IsSaving = false;
        }
    }

    /// <summary>
    /// Writes the copy for people beside a checkpoint again where it is missing or of another moment, as a kill may leave it.
    /// </summary>
    public static void RefreshCopy(string path)
    {
        using var file = Open(path);
        _ = Info(path, file);
        string json = file.Metadata[MetadataKey], copy = Path.ChangeExtension(path, ".json");
        if (!File.Exists(copy) || File.ReadAllText(copy) != json)
            WriteCopy(path, json);
    }

    /// <summary>What a checkpoint says of its run.</summary>
    /// <exception cref="RunException">It is not a checkpoint of this program, or of a newer version.</exception>
    public static CheckpointInfo ReadInfo(string path)
    {
        using var file = Open(path);
        return Info(path, file);
    }

    /// <summary>Puts a run into the state of the checkpoint.</summary>
    /// <exception cref="RunException">The tensors are not those of this run's method or network.</exception>
    public static void Restore(string path, IEnumerable<IState> state)
    {
        using var file = Open(path);
        _ = Info(path, file);
        try
        {
            IState[] parts = [.. state];
            foreach (var part in parts)
                part.Load([.. file.Names.Where(name => OwnerOf(name, parts) == part).Select(name => TensorOf(file, name, part))]);
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException)
        {
            throw new RunException($"{path} does not fit this run: {e.Message}");
        }
    }

    /// <summary>What an open file says of its run; null if this program did not write it.</summary>
    /// <exception cref="RunException">It was written by a newer version, or says something unreadable.</exception>
    internal static CheckpointInfo? TryInfo(string path, WeightsFile file) =>
        file is SafetensorsFile own && own.Metadata.ContainsKey(MetadataKey) ? Info(path, own) : null;

    private static void WriteCopy(string path, string json) =>
        AtomicFile.Write(Path.ChangeExtension(path, ".json"), stream => stream.Write(System.Text.Encoding.UTF8.GetBytes(json)));

    private static string PrefixOf(IState part, HostTensor tensor) => tensor.Name.Length == 0 ? part.Name : part.Name + ".";

    /// <summary>The tensor, if a reader of the file will give it to this part.</summary>
    private static HostTensor Owned(HostTensor tensor, IState part, IState[] parts)
    {
        string name = PrefixOf(part, tensor) + tensor.Name;
        return OwnerOf(name, parts) == part
            ? tensor
            : throw new InvalidOperationException(
                $"'{part.Name}' and another part of the state both claim '{name}': give them other names.");
    }

    /// <summary>The part that a tensor belongs to: <c>queue.place</c> is of a part of that name sooner than of <c>queue</c>.</summary>
    private static IState? OwnerOf(string name, IState[] parts) =>
        parts.Where(part => name == part.Name || name.StartsWith(part.Name + ".", StringComparison.Ordinal))
            .MaxBy(part => part.Name.Length);

    private static HostTensor TensorOf(SafetensorsFile file, string name, IState part) =>
        name == part.Name ? HostTensor.Read(file, name) with { Name = "" } : HostTensor.Read(file, name, part.Name + ".");

    private static SafetensorsFile Open(string path)
    {
        var file = OpenWeights(path);
        if (file is SafetensorsFile own)
            return own;
        file.Dispose();
        throw new RunException($"{path} cannot be read as a checkpoint of dino train: it is of the format {file.Format}.");
    }

    private static WeightsFile OpenWeights(string path)
    {
        try
        {
            return CheckpointPath.Open(path);
        }
        catch (WeightsException e)
        {
            throw new RunException(e.Message, e);
        }
    }

    private static CheckpointInfo Info(string path, SafetensorsFile file)
    {
        if (!file.Metadata.TryGetValue(MetadataKey, out string? json))
            throw new RunException($"{path} holds tensors, but was not written by dino train.");
        try
        {
            // First the layout: a newer one may hold what this version cannot place.
            using (var document = JsonDocument.Parse(json))
            {
                if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("format", out var layout)
                    && layout.TryGetInt32(out int number) && number > CheckpointInfo.CurrentFormat)
                    throw new RunException($"{path} was written by a newer version of the program: its layout is {number}, this one "
                        + $"reads up to {CheckpointInfo.CurrentFormat}.");
            }
            var info = JsonSerializer.Deserialize<CheckpointInfo>(json, CheckpointInfo.Json)
                ?? throw new JsonException("its hyperparameters are missing.");
            CheckpointCheck.Verify(path, info);
            return info with { Path = path };
        }
        catch (JsonException e)
        {
            throw new RunException($"{path} says something unreadable of its run: {e.Message}");
        }
    }
}
