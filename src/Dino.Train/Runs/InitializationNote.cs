using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dino.Tensors.Io;

namespace Dino.Train.Runs;

/// <summary>
/// What a run was initialised from; written beside its checkpoints as <c>init.json</c>. A method's own has the properties that it needs.
/// </summary>
public abstract record InitializationNote
{
    private static readonly JsonSerializerOptions json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>The note in a sentence.</summary>
    [JsonIgnore]
    public abstract string Summary { get; }

    /// <summary>Writes the note.</summary>
    public void Write(string path) =>
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(this, GetType(), json))));
}
