using System.Text.Json;
using Dino.Tensors.Io;

namespace Dino.Model;

/// <summary>A backbone's tensors under the names of other programs, bit for bit.</summary>
public static class WeightsExport
{
    /// <summary>The tensors under their official names, which are timm's too, in the official order.</summary>
    /// <param name="config">The sizes.</param>
    /// <param name="values">The values of a parameter by its official name, row-major.</param>
    public static IReadOnlyList<TensorEntry> Official(ViTConfig config, Func<string, float[]> values) =>
        [.. new VisionTransformer(config).Parameters.Select(parameter => TensorEntry.Of(parameter.Name, parameter.Shape.ToArray(), values(parameter.Name)))];

    /// <summary>The tensors under Hugging Face's names for a <c>ViTModel</c>: query, key and value apart.</summary>
    /// <param name="config">The sizes.</param>
    /// <param name="values">The values of a parameter by its official name, row-major.</param>
    public static IReadOnlyList<TensorEntry> HuggingFace(ViTConfig config, Func<string, float[]> values)
    {
        var entries = new List<TensorEntry>();
        foreach (var parameter in new VisionTransformer(config).Parameters)
        {
            var names = WeightNames.HuggingFace(parameter.Name);
            var all = values(parameter.Name).AsMemory();
            int[] shape = parameter.Shape.ToArray();
            shape[0] /= names.Count;
            int part = all.Length / names.Count;
            for (int i = 0; i < names.Count; i++)
                entries.Add(TensorEntry.Of(names[i], shape, all.Slice(i * part, part)));
        }
        return entries;
    }

    /// <summary>
    /// Hugging Face's <c>config.json</c> of these sizes. Its <c>layer_norm_eps</c> is the one that the network was trained with; those of the published
    /// conversions say 1e-12.
    /// </summary>
    public static void WriteHuggingFaceConfig(Stream stream, ViTConfig config)
    {
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" });
        json.WriteStartObject();
        json.WriteStartArray("architectures");
        json.WriteStringValue("ViTModel");
        json.WriteEndArray();
        json.WriteNumber("attention_probs_dropout_prob", 0.0);
        json.WriteString("hidden_act", "gelu");
        json.WriteNumber("hidden_dropout_prob", 0.0);
        json.WriteNumber("hidden_size", config.Dim);
        json.WriteNumber("image_size", config.ImageSize);
        json.WriteNumber("initializer_range", 0.02);
        json.WriteNumber("intermediate_size", (int)(config.Dim * config.MlpRatio));
        json.WriteNumber("layer_norm_eps", (double)(decimal)config.NormEps);
        json.WriteString("model_type", "vit");
        json.WriteNumber("num_attention_heads", config.Heads);
        json.WriteNumber("num_channels", config.Channels);
        json.WriteNumber("num_hidden_layers", config.Depth);
        json.WriteNumber("patch_size", config.Patch);
        json.WriteBoolean("qkv_bias", true);
        json.WriteString("torch_dtype", "float32");
        json.WriteEndObject();
    }
}
