using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Dino.Model;

/// <summary>
/// A backbone's sizes as JSON: an object with a property <c>kind</c>, the name of the record without <c>Config</c>. A Vision Transformer's
/// has none: the
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
        var type = BackboneKinds.Find(kind) ?? throw new JsonException($"There is no backbone of the kind '{kind}'.");
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
        writer.WriteString(Kind, BackboneKinds.NameOf(value.GetType()));
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
                return reader.TokenType == JsonTokenType.String ? reader.GetString()
                    : throw new JsonException("A backbone's kind is a text.");
            reader.Skip();
        }
        return null;
    }
}
