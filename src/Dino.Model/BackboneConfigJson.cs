using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Dino.Model;

/// <summary>
/// A backbone's sizes as JSON: an object with a property <c>kind</c>, the name of the record without <c>Config</c>. A Vision Transformer's has none: the
/// first checkpoints knew no other kind.
/// </summary>
internal sealed class BackboneConfigJson : JsonConverter<BackboneConfig>
{
    private const string Kind = "kind";

    public override BackboneConfig? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        string? kind = KindOf(reader); // of a copy: the reader stays where it is
        if (kind is null)
            return JsonSerializer.Deserialize<ViTConfig>(ref reader, options);
        var type = TypeOf(kind) ?? throw new JsonException($"There is no backbone of the kind '{kind}'.");
        var node = JsonNode.Parse(ref reader)!.AsObject();
        node.Remove(Kind);
        return (BackboneConfig?)node.Deserialize(type, options);
    }

    public override void Write(Utf8JsonWriter writer, BackboneConfig value, JsonSerializerOptions options)
    {
        if (value is ViTConfig vit)
        {
            JsonSerializer.Serialize(writer, vit, options);
            return;
        }
        writer.WriteStartObject();
        writer.WriteString(Kind, KindOf(value.GetType()));
        foreach (var (name, member) in JsonSerializer.SerializeToNode(value, value.GetType(), options)!.AsObject())
        {
            writer.WritePropertyName(name);
            if (member is null)
                writer.WriteNullValue();
            else
                member.WriteTo(writer, options);
        }
        writer.WriteEndObject();
    }

    private static string? KindOf(Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            return null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool found = reader.ValueTextEquals(Kind);
            reader.Read();
            if (found)
                return reader.TokenType == JsonTokenType.String ? reader.GetString() : throw new JsonException("A backbone's kind is a text.");
            reader.Skip();
        }
        return null;
    }

    private static string KindOf(Type type) => type.Name.EndsWith("Config", StringComparison.Ordinal) ? type.Name[..^"Config".Length] : type.Name;

    // Also those of other assemblies that are loaded; a name from a file can lead to nothing else.
    private static Type? TypeOf(string kind) => AppDomain.CurrentDomain.GetAssemblies()
        .Where(assembly => assembly == typeof(BackboneConfig).Assembly || assembly.GetReferencedAssemblies().Any(name => name.Name == typeof(BackboneConfig).Assembly.GetName().Name))
        .SelectMany(assembly => assembly.GetTypes())
        .FirstOrDefault(type => type.IsSubclassOf(typeof(BackboneConfig)) && !type.IsAbstract && KindOf(type) == kind);
}
