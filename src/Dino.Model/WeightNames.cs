using System.Text.RegularExpressions;

namespace Dino.Model;

/// <summary>The part of a DINO network that a tensor belongs to.</summary>
public enum WeightPart
{
    /// <summary>The Vision Transformer.</summary>
    Backbone,

    /// <summary>The projection head.</summary>
    Head,

    /// <summary>Known, and no part of the network: a classifier, a pooler, a counter.</summary>
    Aside,

    /// <summary>Not known.</summary>
    Unknown,
}

/// <summary>
/// The names that DINO's weights go by: those of the official code, which timm shares, the early ones of its heads, and Hugging Face's, where
/// query, key and value are three tensors.
/// </summary>
public static partial class WeightNames
{
    private static readonly string[] split = ["query", "key", "value"];

    private static readonly (string Official, string HuggingFace)[] whole =
    [
        ("cls_token", "embeddings.cls_token"), ("pos_embed", "embeddings.position_embeddings"),
        ("patch_embed.proj.weight", "embeddings.patch_embeddings.projection.weight"),
        ("patch_embed.proj.bias", "embeddings.patch_embeddings.projection.bias"), ("norm.weight", "layernorm.weight"),
        ("norm.bias", "layernorm.bias"),
    ];

    private static readonly (string Official, string HuggingFace)[] inBlock =
    [
        ("norm1", "layernorm_before"), ("attn.proj", "attention.output.dense"), ("norm2", "layernorm_after"),
        ("mlp.fc1", "intermediate.dense"), ("mlp.fc2", "output.dense"),
    ];

    /// <summary>
    /// What a name in a file means: its part and the official name within it, <c>blocks.0.attn.qkv.weight</c> or <c>mlp.0.bias</c>. For one
    /// third of a <c>qkv</c>, which third (0 query, 1 key, 2 value); −1 for whole tensors.
    /// </summary>
    public static (WeightPart Part, string Official, int Third) Meaning(string name)
    {
        string bare = name;
        while (bare.StartsWith("module.", StringComparison.Ordinal))
            bare = bare["module.".Length..];
        foreach (string prefix in (ReadOnlySpan<string>)["backbone.", "vit."])
            if (bare.StartsWith(prefix, StringComparison.Ordinal))
                bare = bare[prefix.Length..];
        if (OfHead(bare) is { } inHead)
            return inHead.EndsWith(".num_batches_tracked", StringComparison.Ordinal) ? (WeightPart.Aside, inHead, -1) : (WeightPart.Head, inHead, -1);
        if (bare is "head.weight" or "head.bias" || bare.StartsWith("classifier.", StringComparison.Ordinal) || bare.StartsWith("pooler.", StringComparison.Ordinal))
            return (WeightPart.Aside, bare, -1);
        if (OfficialPattern().IsMatch(bare))
            return (WeightPart.Backbone, bare, -1);
        foreach (var (official, huggingFace) in whole)
            if (bare == huggingFace)
                return (WeightPart.Backbone, official, -1);
        if (HuggingFacePattern().Match(bare) is not { Success: true } match)
            return (WeightPart.Unknown, bare, -1);
        string block = match.Groups[1].Value, module = match.Groups[2].Value, leaf = match.Groups[3].Value;
        for (int i = 0; i < split.Length; i++)
            if (module == $"attention.attention.{split[i]}")
                return (WeightPart.Backbone, $"blocks.{block}.attn.qkv.{leaf}", i);
        foreach (var (official, huggingFace) in inBlock)
            if (module == huggingFace)
                return (WeightPart.Backbone, $"blocks.{block}.{official}.{leaf}", -1);
        return (WeightPart.Unknown, bare, -1);
    }

    /// <summary>Hugging Face's names for an official tensor of the backbone: three for a <c>qkv</c>, which is cut along its first dimension.</summary>
    public static IReadOnlyList<string> HuggingFace(string official)
    {
        foreach (var (name, huggingFace) in whole)
            if (official == name)
                return [huggingFace];
        if (OfficialPattern().Match(official) is { Success: true } match && match.Groups[1].Success)
        {
            string start = $"encoder.layer.{match.Groups[1].Value}.", module = match.Groups[2].Value, leaf = match.Groups[3].Value;
            if (module == "attn.qkv")
                return [.. split.Select(part => $"{start}attention.attention.{part}.{leaf}")];
            foreach (var (name, huggingFace) in inBlock)
                if (module == name)
                    return [$"{start}{huggingFace}.{leaf}"];
        }
        throw new ArgumentException($"'{official}' is no tensor of a Vision Transformer.", nameof(official));
    }

    // Early checkpoints call the MLP projection_head and the last layer prototypes; PyTorch 2 keeps a weight norm's parts under parametrizations.
    private static string? OfHead(string bare)
    {
        string name = bare.StartsWith("head.", StringComparison.Ordinal) ? bare["head.".Length..] : bare;
        if (name.StartsWith("projection_head.", StringComparison.Ordinal))
            name = "mlp." + name["projection_head.".Length..];
        if (name.StartsWith("prototypes.", StringComparison.Ordinal))
            name = "last_layer." + name["prototypes.".Length..];
        name = name switch
        {
            "last_layer.parametrizations.weight.original0" => "last_layer.weight_g",
            "last_layer.parametrizations.weight.original1" => "last_layer.weight_v",
            _ => name,
        };
        return HeadPattern().IsMatch(name) ? name : null;
    }

    [GeneratedRegex(@"\A(?:cls_token|pos_embed|patch_embed\.proj\.(?:weight|bias)|norm\.(?:weight|bias)|blocks\.(0|[1-9][0-9]{0,3})\.(norm1|norm2|attn\.qkv|attn\.proj|mlp\.fc1|mlp\.fc2)\.(weight|bias))\z", RegexOptions.CultureInvariant)]
    private static partial Regex OfficialPattern();

    [GeneratedRegex(@"\Aencoder\.layer\.(0|[1-9][0-9]{0,3})\.([a-z_.0-9]+)\.(weight|bias)\z", RegexOptions.CultureInvariant)]
    private static partial Regex HuggingFacePattern();

    [GeneratedRegex(@"\A(?:mlp(?:\.[0-9]{1,2})?\.(?:weight|bias|running_mean|running_var|num_batches_tracked)|last_layer\.weight(?:_[gv])?)\z", RegexOptions.CultureInvariant)]
    private static partial Regex HeadPattern();
}
