using System.Text.RegularExpressions;

namespace Dino.Model.Weights;

/// <summary>
/// Names of the parts that DINOv2 and DINOv3 have besides, in their own files and in Hugging Face's, and how both layouts divide what is
/// one tensor here.
/// </summary>
/// <remarks>
/// Here the names are DINOv2's: <c>register_tokens</c>, <c>ls1.gamma</c>, <c>mlp.w12</c>. DINOv3 calls registers <c>storage_tokens</c>, and
/// has gate and
/// value of SwiGLU in two maps, <c>w1</c> and <c>w2</c>.
/// </remarks>
internal static partial class LaterNames
{
    /// <summary>The buffer of rotary positions, which Hugging Face's files leave out.</summary>
    public const string Periods = "rope_embed.periods";

    // As they are; the first of the names in a file is the one that is written.
    private static readonly Dictionary<string, string> whole = new()
    {
        ["register_tokens"] = "register_tokens",
        ["storage_tokens"] = "register_tokens",
        ["embeddings.register_tokens"] = "register_tokens",
        ["embeddings.patch_embeddings.weight"] = "patch_embed.proj.weight",
        ["embeddings.patch_embeddings.bias"] = "patch_embed.proj.bias",
        [Periods] = Periods,
        ["cls_norm.weight"] = "cls_norm.weight",
        ["cls_norm.bias"] = "cls_norm.bias",
    };

    private static readonly Dictionary<string, (string Official, int Piece)> own = new()
    {
        ["mlp.w12"] = ("mlp.w12", -1),
        ["mlp.w1"] = ("mlp.w12", 0),
        ["mlp.w2"] = ("mlp.w12", 1),
        ["mlp.w3"] = ("mlp.w3", -1),
        ["ls1.gamma"] = ("ls1.gamma", -1),
        ["ls2.gamma"] = ("ls2.gamma", -1),
        ["attn.qkv.bias_mask"] = ("attn.qkv.bias_mask", -1),
    };

    private static readonly Dictionary<string, (string Official, int Piece)> huggingFace = new()
    {
        ["norm1"] = ("norm1", -1),
        ["norm2"] = ("norm2", -1),
        ["layer_scale1.lambda1"] = ("ls1.gamma", -1),
        ["layer_scale2.lambda1"] = ("ls2.gamma", -1),
        // DINOv2
        ["mlp.fc1"] = ("mlp.fc1", -1),
        ["mlp.fc2"] = ("mlp.fc2", -1),
        ["mlp.weights_in"] = ("mlp.w12", -1),
        ["mlp.weights_out"] = ("mlp.w3", -1),
        // DINOv3
        ["attention.q_proj"] = ("attn.qkv", 0),
        ["attention.k_proj"] = ("attn.qkv", 1),
        ["attention.v_proj"] = ("attn.qkv", 2),
        ["attention.o_proj"] = ("attn.proj", -1),
        ["mlp.gate_proj"] = ("mlp.w12", 0),
        ["mlp.up_proj"] = ("mlp.fc1", -1), // beside a gate it is the value: WeightPieces
        ["mlp.down_proj"] = ("mlp.fc2", -1),
    };

    /// <summary>
    /// The name here of a tensor, and which piece of it the file's is (−1 for all of it); null if it is none of these parts.
    /// </summary>
    public static (string Official, int Piece)? Meaning(string bare)
    {
        if (whole.TryGetValue(bare, out string? name))
            return (name, -1);
        if (BlockPattern().Match(bare) is not { Success: true } match)
            return null;
        var table = match.Groups[1].Value == "blocks" ? own : huggingFace;
        string block = match.Groups[2].Value, module = match.Groups[3].Value, leaf = match.Groups[4].Value;
        bool known = table.TryGetValue(module + leaf, out var found);
        if (known)
            leaf = "";
        else if (leaf.Length == 0 || !table.TryGetValue(module, out found))
            return null;
        return ($"blocks.{block}.{found.Official}{leaf}", found.Piece);
    }

    /// <summary>Whether it is a part that the network of DINO has not.</summary>
    public static bool IsLater(string official) =>
        official is "register_tokens" or Periods || official.StartsWith("cls_norm.", StringComparison.Ordinal);

    /// <summary>How a tensor of the network is called in the family's own files; several names cut it into equal parts.</summary>
    public static IReadOnlyList<string> Own(ViTFamily family, string official)
    {
        if (family != ViTFamily.DinoV3)
            return [official];
        if (official == "register_tokens")
            return ["storage_tokens"];
        return official.Contains(".mlp.w12.", StringComparison.Ordinal)
            ? [official.Replace("w12", "w1", StringComparison.Ordinal), official.Replace("w12", "w2", StringComparison.Ordinal)]
            : [official];
    }

    /// <summary>
    /// How a tensor of the network is called in Hugging Face's files of the family, in as many equal parts; an empty name is of a part that
    /// is left out.
    /// </summary>
    public static IReadOnlyList<string> HuggingFace(ViTConfig config, string official)
    {
        bool v3 = config.Family == ViTFamily.DinoV3;
        if (OwnBlockPattern().Match(official) is not { Success: true } match)
            return official switch
            {
                "cls_token" or "register_tokens" => [$"embeddings.{official}"],
                Periods => [""],
                "pos_embed" => ["embeddings.position_embeddings"],
                _ when official.StartsWith("patch_embed.proj.", StringComparison.Ordinal) =>
                    [$"embeddings.patch_embeddings{(v3 ? "" : ".projection")}{official["patch_embed.proj".Length..]}"],
                _ => [(v3 ? "norm" : "layernorm") + official["norm".Length..]],
            };
        string module = match.Groups[2].Value, leaf = match.Groups[3].Value,
            start = $"{(v3 ? "" : "encoder.")}layer.{match.Groups[1].Value}.";
        string[] names = module switch
        {
            "attn.qkv" when v3 => ["attention.q_proj", leaf == ".bias" && !config.KeyBias ? "" : "attention.k_proj", "attention.v_proj"],
            "attn.qkv" => ["attention.attention.query", "attention.attention.key", "attention.attention.value"],
            "attn.proj" => [v3 ? "attention.o_proj" : "attention.output.dense"],
            "ls1" => ["layer_scale1"],
            "ls2" => ["layer_scale2"],
            "mlp.fc1" when v3 => ["mlp.up_proj"],
            "mlp.fc2" when v3 => ["mlp.down_proj"],
            "mlp.w12" => v3 ? ["mlp.gate_proj", "mlp.up_proj"] : ["mlp.weights_in"],
            "mlp.w3" => [v3 ? "mlp.down_proj" : "mlp.weights_out"],
            _ => [module],
        };
        string last = leaf == ".gamma" ? ".lambda1" : leaf;
        return [.. names.Select(name => name.Length == 0 ? "" : start + name + last)];
    }

    [GeneratedRegex(@"\A(blocks|encoder\.layer|layer)\.(0|[1-9][0-9]{0,3})\.([a-z0-9_.]+?)(\.(?:weight|bias))?\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex BlockPattern();

    [GeneratedRegex(@"\Ablocks\.([0-9]+)\.([a-z0-9_.]+?)(\.(?:weight|bias|gamma))\z", RegexOptions.CultureInvariant)]
    private static partial Regex OwnBlockPattern();
}
