using System.Globalization;
using System.Text.Json;
using Dino.Tensors.Io;
using Dino.Tensors.Nn;
using Dino.Tensors.Ops;

namespace Dino.Model.Weights;

/// <summary>A backbone's tensors under the names of other programs, bit for bit.</summary>
public static class WeightsExport
{
    /// <summary>
    /// The tensors under the names of the official code of DINO, DINOv2 or DINOv3, in its order; timm takes the same. Whole for a strict
    /// loader: with
    /// a mask token of 0, which no feature depends on.
    /// </summary>
    /// <param name="config">The sizes.</param>
    /// <param name="values">The values of a parameter or buffer by its official name, row-major.</param>
    public static IReadOnlyList<TensorEntry> Official(BackboneConfig config, Func<string, float[]> values)
    {
        if (config is ViTConfig vit)
            return Official(vit, values);
        var network = config.Build();
        return [.. network.Parameters.Concat<ModuleTensor>(network.Buffers)
            .Select(tensor => TensorEntry.Of(tensor.Name, tensor.Shape.ToArray(), values(tensor.Name)))];
    }

    /// <summary>What a file of the backbone says beside its tensors: the number of attention heads, which is in no shape.</summary>
    /// <param name="config">The sizes.</param>
    public static Dictionary<string, string> Metadata(BackboneConfig config) =>
        config is ViTConfig vit ? new() { [HeadCount.MetadataKey] = vit.Heads.ToString(CultureInfo.InvariantCulture) } : [];

    private static List<TensorEntry> Official(ViTConfig config, Func<string, float[]> values)
    {
        var entries = new List<TensorEntry>();
        foreach (var tensor in Tensors(config))
        {
            if (tensor.Name == "patch_embed.proj.weight" && config.Family != ViTFamily.Dino)
                entries.Add(TensorEntry.Of("mask_token", [1, config.Dim], new float[config.Dim]));
            Add(entries, tensor, LaterNames.Own(config.Family, tensor.Name), values(tensor.Name));
            if (config is { QkvBias: true, KeyBias: false } && tensor.Name.EndsWith(".attn.qkv.bias", StringComparison.Ordinal))
                entries.Add(TensorEntry.Of(tensor.Name + "_mask", [3 * config.Dim], KeyMask(config.Dim)));
        }
        return entries;
    }

    /// <summary>
    /// The tensors under Hugging Face's names for a <c>ViTModel</c>, <c>Dinov2Model</c>, <c>Dinov2WithRegistersModel</c> or
    /// <c>DINOv3ViTModel</c>: query, key
    /// and value apart.
    /// </summary>
    /// <param name="config">The sizes.</param>
    /// <param name="values">The values of a parameter or buffer by its official name, row-major.</param>
    /// <exception cref="ArgumentException">Hugging Face has no such network.</exception>
    public static IReadOnlyList<TensorEntry> HuggingFace(BackboneConfig config, Func<string, float[]> values) =>
        HuggingFace(ViT(config), values);

    private static List<TensorEntry> HuggingFace(ViTConfig config, Func<string, float[]> values)
    {
        if (config.UntiedNorms || (config.Family == ViTFamily.DinoV2 && !config.QkvBias))
            throw new ArgumentException($"Hugging Face has no {config.Describe()} with "
                + $"{(config.UntiedNorms ? "a norm of its own for the class token" : "no bias of query, key and value")}.");
        var entries = new List<TensorEntry>();
        foreach (var tensor in Tensors(config))
        {
            float[] all = values(tensor.Name);
            if (tensor.Name == LaterNames.Periods
                && all.Zip(RotaryOp.Periods(all.Length), (period, usual) => Math.Abs(period / usual - 1)).Max() > 0.005f)
                throw new ArgumentException("Hugging Face's files have no periods of rotary positions, and these are not the usual 1 … "
                    + "100.");
            Add(entries, tensor, config.Family == ViTFamily.Dino ? OfficialNames.HuggingFace(tensor.Name)
                : LaterNames.HuggingFace(config, tensor.Name), all);
            if (tensor.Name == "cls_token" && config.Family != ViTFamily.Dino)
                entries.Add(TensorEntry.Of("embeddings.mask_token", config.Rotary ? [1, 1, config.Dim] : [1, config.Dim],
                    new float[config.Dim]));
            // Its networks always have LayerScale.
            if (!config.LayerScale && config.Family != ViTFamily.Dino && tensor.Name.EndsWith(".norm2.weight", StringComparison.Ordinal))
                foreach (string name in (string[])["ls1", "ls2"])
                    entries.Add(TensorEntry.Of(
                        LaterNames.HuggingFace(config, tensor.Name.Replace("norm2.weight", name + ".gamma", StringComparison.Ordinal))[0],
                        [config.Dim], Ones(config.Dim)));
        }
        return entries;
    }

    /// <summary>
    /// Hugging Face's <c>config.json</c> of these sizes. Its <c>layer_norm_eps</c> is the one that the network was trained with; those of
    /// the published
    /// conversions of DINO say 1e-12.
    /// </summary>
    /// <exception cref="ArgumentException">It has no words for them.</exception>
    public static void WriteHuggingFaceConfig(Stream stream, BackboneConfig config) => WriteConfig(stream, ViT(config));

    private static void WriteConfig(Stream stream, ViTConfig config)
    {
        var (architecture, type) = (config.Family, config.Registers) switch
        {
            (ViTFamily.Dino, _) => ("ViTModel", "vit"),
            (ViTFamily.DinoV2, 0) => ("Dinov2Model", "dinov2"),
            (ViTFamily.DinoV2, _) => ("Dinov2WithRegistersModel", "dinov2_with_registers"),
            _ => ("DINOv3ViTModel", "dinov3_vit"),
        };
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" });
        json.WriteStartObject();
        json.WriteStartArray("architectures");
        json.WriteStringValue(architecture);
        json.WriteEndArray();
        json.WriteNumber(config.Rotary ? "attention_dropout" : "attention_probs_dropout_prob", 0.0);
        json.WriteString("hidden_act", config.Rotary && config.SwiGlu ? "silu" : "gelu");
        if (!config.Rotary)
            json.WriteNumber("hidden_dropout_prob", 0.0);
        json.WriteNumber("hidden_size", config.Dim);
        json.WriteNumber("image_size", config.ImageSize);
        json.WriteNumber("initializer_range", 0.02);
        if (config.Family == ViTFamily.DinoV2)
            json.WriteNumber("mlp_ratio", HuggingFaceRatio(config));
        else
            json.WriteNumber("intermediate_size", config.Hidden);
        json.WriteNumber("layer_norm_eps", (double)(decimal)config.NormEps);
        if (config.Family != ViTFamily.Dino)
            json.WriteNumber("layerscale_value", 1.0);
        json.WriteString("model_type", type);
        json.WriteNumber("num_attention_heads", config.Heads);
        json.WriteNumber("num_channels", config.Channels);
        json.WriteNumber("num_hidden_layers", config.Depth);
        if (config.Registers > 0 || config.Rotary)
            json.WriteNumber("num_register_tokens", config.Registers);
        json.WriteNumber("patch_size", config.Patch);
        if (config.Rotary)
        {
            foreach (var (name, has) in ((string, bool)[])
                [("query_bias", config.QkvBias), ("key_bias", config.KeyBias), ("value_bias", config.QkvBias), ("proj_bias", true),
                    ("mlp_bias", true), ("use_gated_mlp", config.SwiGlu)])
                json.WriteBoolean(name, has);
            json.WriteNumber("rope_theta", 100.0);
        }
        else
            json.WriteBoolean("qkv_bias", true);
        json.WriteString("torch_dtype", "float32");
        if (config.Family == ViTFamily.DinoV2)
            json.WriteBoolean("use_swiglu_ffn", config.SwiGlu);
        json.WriteEndObject();
    }

    private static ViTConfig ViT(BackboneConfig config) =>
        config as ViTConfig ?? throw new ArgumentException(
            $"Hugging Face's files are written of Vision Transformers, not of {config.Describe()}.");

    private static IEnumerable<ModuleTensor> Tensors(ViTConfig config)
    {
        var network = new VisionTransformer(config);
        return network.Parameters.Concat<ModuleTensor>(network.Buffers);
    }

    private static float[] Ones(int count) => [.. Enumerable.Repeat(1f, count)];

    private static float[] KeyMask(int dim) => [.. Ones(dim), .. new float[dim], .. Ones(dim)];

    // Several names cut the tensor along its first dimension; what has none is left out.
    private static void Add(List<TensorEntry> entries, ModuleTensor tensor, IReadOnlyList<string> names, float[] values)
    {
        int[] shape = tensor.Shape.ToArray();
        shape[0] /= names.Count;
        int part = values.Length / names.Count;
        for (int i = 0; i < names.Count; i++)
            if (names[i].Length > 0)
                entries.Add(TensorEntry.Of(names[i], shape, values.AsMemory(i * part, part)));
    }

    // The hidden width of a gated MLP is two thirds of this, rounded up to a multiple of eight.
    private static double HuggingFaceRatio(ViTConfig config)
    {
        if (!config.SwiGlu)
            return config.MlpRatio;
        double ratio = config.Hidden * 1.5 / config.Dim;
        foreach (double candidate in (double[])[Math.Round(ratio), Math.Floor(ratio), ratio])
            if (((int)((int)(config.Dim * candidate) * 2 / 3.0) + 7) / 8 * 8 == config.Hidden)
                return candidate;
        throw new ArgumentException($"Hugging Face's gated MLP has a hidden width that is a multiple of 8, not {config.Hidden}.");
    }
}
