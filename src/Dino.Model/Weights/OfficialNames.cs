using System.Text.RegularExpressions;

namespace Dino.Model.Weights;

/// <summary>The part of a DINO network that a tensor belongs to.</summary>
internal enum WeightPart
{
    /// <summary>The Vision Transformer.</summary>
    Backbone,

    /// <summary>The projection head.</summary>
    Head,

    /// <summary>Known, and no part of the network: a classifier, a pooler, a counter, the token of masked patches.</summary>
    Aside,

    /// <summary>
    /// Inside a block, or among the tokens, and of no place in a network of DINO: of another kind of network, whose features would be
    /// others without it.
    /// </summary>
    Foreign,

    /// <summary>Not known.</summary>
    Unknown,
}

/// <summary>
/// The names that DINO's weights go by: those of the official code, which timm shares, the early ones of its heads, and Hugging Face's,
/// where
/// query, key and value are three tensors; those of DINOv2 and DINOv3 are in <see cref="LaterNames"/>. What programs put before them is
/// <see cref="WeightNetwork"/>'s.
/// </summary>
internal static partial class OfficialNames
{
    private static readonly string[] split = ["query", "key", "value"];

    // What compiling, data parallelism, sharding and recomputation put around modules, at any depth.
    private static readonly string[] wrappers =
        ["module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module"];

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
    /// A name without what wraps modules (<c>module.</c>, <c>_orig_mod.</c>, …, anywhere), and with blocks that are sharded in chunks
    /// numbered through:
    /// <c>blocks.0.3.norm1.weight</c>, chunk 0, block 3, is <c>blocks.3.norm1.weight</c>.
    /// </summary>
    public static string Plain(string name)
    {
        string plain = wrappers.Any(name.Contains) ? string.Join('.', name.Split('.').Where(segment => !wrappers.Contains(segment))) : name;
        return ChunkPattern().Replace(plain, "$1$2");
    }

    /// <summary>
    /// What a plain name behind a network's prefix means: its part and the official name within it, <c>blocks.0.attn.qkv.weight</c> or
    /// <c>mlp.0.bias</c>. For
    /// one piece of a tensor, which (of a <c>qkv</c> 0 query, 1 key, 2 value; of a <c>w12</c> 0 gate, 1 value); −1 for whole tensors.
    /// </summary>
    public static (WeightPart Part, string Official, int Piece) Meaning(string bare)
    {
        if (OfHead(bare) is { } inHead)
            return inHead.EndsWith(".num_batches_tracked", StringComparison.Ordinal) ? (WeightPart.Aside, inHead, -1)
                : (WeightPart.Head, inHead, -1);
        if (AsidePattern().IsMatch(bare))
            return (WeightPart.Aside, bare, -1);
        if (OfficialPattern().IsMatch(bare))
            return (WeightPart.Backbone, bare, -1);
        foreach (var (official, huggingFace) in whole)
            if (bare == huggingFace)
                return (WeightPart.Backbone, official, -1);
        if (LaterNames.Meaning(bare) is var (later, piece))
            return (WeightPart.Backbone, later, piece);
        if (HuggingFacePattern().Match(bare) is not { Success: true } match)
            return (ForeignPattern().IsMatch(bare) ? WeightPart.Foreign : WeightPart.Unknown, bare, -1);
        string block = match.Groups[1].Value, module = match.Groups[2].Value, leaf = match.Groups[3].Value;
        for (int i = 0; i < split.Length; i++)
            if (module == $"attention.attention.{split[i]}")
                return (WeightPart.Backbone, $"blocks.{block}.attn.qkv.{leaf}", i);
        foreach (var (official, huggingFace) in inBlock)
            if (module == huggingFace)
                return (WeightPart.Backbone, $"blocks.{block}.{official}.{leaf}", -1);
        return (WeightPart.Foreign, bare, -1);
    }

    /// <summary>
    /// Hugging Face's names for an official tensor of the backbone: three for a <c>qkv</c>, which is cut along its first dimension.
    /// </summary>
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

    /// <summary>The prefix of a projection head that a plain name is of, <c>teacher.head</c>; null if it is of none.</summary>
    internal static string? HeadPrefix(string plainName)
    {
        // A block's MLP has its layers by name.
        if (HeadInPathPattern().Match(plainName) is not { Success: true } match)
            return null;
        return match.Groups[1].Value;
    }

    /// <summary>Whether a name within a network is one of Hugging Face's.</summary>
    internal static bool IsHuggingFace(string bare) => bare.StartsWith("embeddings.", StringComparison.Ordinal);

    // Early checkpoints call the MLP projection_head and the last layer prototypes; PyTorch 2 keeps a weight norm's parts under
    // parametrizations.
    private static string? OfHead(string bare)
    {
        int dot = bare.IndexOf('.', StringComparison.Ordinal);
        string name = dot > 0 && WeightNetwork.IsHeadName(bare[..dot]) ? bare[(dot + 1)..] : bare;
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

    [GeneratedRegex(@"(\A|\.)(blocks\.)[0-9]+\.(?=[0-9]+\.)", RegexOptions.CultureInvariant)]
    private static partial Regex ChunkPattern();

    [GeneratedRegex(@"\A(?:head\.(?:weight|bias)|(?:classifier|pooler)\..*|(?:embeddings\.)?mask_token|masked_embed|local_cls_norm\.(?:weight|bias))\z", RegexOptions.CultureInvariant)]
    private static partial Regex AsidePattern();

    [GeneratedRegex(@"\A(?:(?:blocks|encoder\.layer|layer)\.[0-9]+\.|(?:embeddings\.)?(?:register_tokens|distillation_token)\z|(?:storage_tokens|reg_token|dist_token)\z|(?:rope_embed|rope_embeddings|norm_pre|rel_pos_bias)\.)", RegexOptions.CultureInvariant)]
    private static partial Regex ForeignPattern();

    [GeneratedRegex(@"\A(?:(.*)\.)?(?:(?:mlp|projection_head)(?:\.[0-9]{1,2})?\.(?:weight|bias|running_mean|running_var|num_batches_tracked)|(?:last_layer|prototypes)\.(?:weight(?:_[gv])?|parametrizations\.weight\.original[01]))\z", RegexOptions.CultureInvariant)]
    private static partial Regex HeadInPathPattern();

    [GeneratedRegex(@"\A(?:mlp(?:\.[0-9]{1,2})?\.(?:weight|bias|running_mean|running_var|num_batches_tracked)|last_layer\.weight(?:_[gv])?)\z", RegexOptions.CultureInvariant)]
    private static partial Regex HeadPattern();
}
