using System.Text.RegularExpressions;

namespace Dino.Model.Weights;

/// <summary>Which published kind of network a file's names belong to, where it is another than can be built: for the refusal.</summary>
internal static partial class WeightFamily
{
    private static readonly (Func<Regex> Pattern, string Words)[] kinds =
    [
        (Rotary, "DINOv3 (rotary positions)"),
        (LayerScale, "DINOv2 (LayerScale)"),
        (Registers, "a ViT with registers"),
        (Beit, "BEiT or data2vec (relative positions or own biases in its attention)"),
        (ScaledBranches, "CaiT, XCiT or BEiT (scaled branches)"),
        (NormalisedQueries, "a ViT that normalises queries and keys"),
        (Distilled, "DeiT with a distillation token"),
        (Decoder, "a masked autoencoder with its decoder"),
        (Clip, "CLIP"),
        (Swin, "Swin"),
        (ConvNext, "ConvNeXt"),
        (ResNet, "ResNet"),
    ];

    /// <summary>The kind in words, or null.</summary>
    /// <param name="names">The file's names.</param>
    public static string? Of(IEnumerable<string> names)
    {
        string[] all = [.. names];
        if (all.Any(TimmRegisters().IsMatch))
        {
            return all.Any(ScaledBranches().IsMatch)
                ? "DINOv3 in timm's form (its own and Hugging Face's are read)"
                : "DINOv2 or a ViT with registers in timm's form, reg_token (its own and Hugging Face's are read)";
        }
        foreach (var (pattern, words) in kinds)
        {
            if (!all.Any(pattern().IsMatch))
                continue;
            string extra = words.StartsWith("DINOv2", StringComparison.Ordinal)
                ? (all.Any(Registers().IsMatch) ? ", with registers" : "") + (all.Any(SwiGlu().IsMatch) ? ", with SwiGLU" : "")
                : "";
            return words + extra;
        }
        return null;
    }

    [GeneratedRegex(@"(?:\A|\.)(?:rope_embed|rope_embeddings|storage_tokens|layer\.[0-9]+\.attention\.q_proj)(?:\.|\z)",
        RegexOptions.CultureInvariant)]
    private static partial Regex Rotary();

    [GeneratedRegex(@"\.(?:ls[12]\.gamma|layer_scale[12]\.lambda1)\z", RegexOptions.CultureInvariant)]
    private static partial Regex LayerScale();

    [GeneratedRegex(@"(?:\A|\.)(?:register_tokens|reg_token)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Registers();

    [GeneratedRegex(@"(?:\A|\.)reg_token\z", RegexOptions.CultureInvariant)]
    private static partial Regex TimmRegisters();

    [GeneratedRegex(@"\.mlp\.(?:w12|w1|weights_in)\.weight\z", RegexOptions.CultureInvariant)]
    private static partial Regex SwiGlu();

    [GeneratedRegex(@"blocks\.[0-9]+\.attn\.(?:relative_position_bias_table|q_bias|v_bias)\z|(?:\A|\.)rel_pos_bias\.",
        RegexOptions.CultureInvariant)]
    private static partial Regex Beit();

    [GeneratedRegex(@"blocks(?:_token_only)?\.[0-9]+\.gamma_?[123]\z", RegexOptions.CultureInvariant)]
    private static partial Regex ScaledBranches();

    [GeneratedRegex(@"blocks\.[0-9]+\.attn\.[qk]_norm\.", RegexOptions.CultureInvariant)]
    private static partial Regex NormalisedQueries();

    [GeneratedRegex(@"(?:\A|\.)(?:dist_token|distillation_token)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Distilled();

    [GeneratedRegex(@"(?:\A|\.)(?:decoder_blocks\.0|decoder\.decoder_layers\.0)\.", RegexOptions.CultureInvariant)]
    private static partial Regex Decoder();

    [GeneratedRegex(@"(?:\A|\.)(?:class_embedding|visual\.conv1\.weight|logit_scale)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Clip();

    [GeneratedRegex(@"layers\.[0-9]+\.blocks\.[0-9]+\.attn\.", RegexOptions.CultureInvariant)]
    private static partial Regex Swin();

    [GeneratedRegex(@"stages\.[0-9]+\.(?:blocks\.)?[0-9]+\.(?:dwconv|conv_dw)\.", RegexOptions.CultureInvariant)]
    private static partial Regex ConvNext();

    [GeneratedRegex(@"(?:\A|\.)layer1\.0\.conv1\.weight\z", RegexOptions.CultureInvariant)]
    private static partial Regex ResNet();
}
