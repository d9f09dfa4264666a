using Dino.Model;
using Dino.Tensors;

namespace Dino.Train.Evaluation.Features;

/// <summary>What is taken from a backbone as the feature of a picture.</summary>
/// <param name="Name">What to call it.</param>
/// <param name="Width">The length of a feature.</param>
/// <param name="Compute">Pictures (B, 3, height, width) → features (B, Width).</param>
public sealed record FeatureKind(string Name, Func<ViTConfig, int> Width, Func<VisionTransformer, Tensor, Tensor> Compute)
{
    /// <summary>The class token after the last block and the final norm, (B, D): k-NN and retrieval.</summary>
    public static FeatureKind ClassToken { get; } =
        new("class token of the last block", config => config.Dim, (backbone, pictures) => backbone.Forward(pictures));

    /// <summary>The class token and the patch tokens' generalised mean with p = 4, (B, 2·D): copy detection.</summary>
    public static FeatureKind CopyDetection { get; } =
        new("class token, GeM of the patch tokens (p = 4)", config => 2 * config.Dim, (backbone, pictures) => backbone.CopyDetection(pictures));

    /// <summary>The class tokens of the last n blocks, oldest first, or of the last one interleaved with the mean of its patch tokens.</summary>
    /// <seealso cref="Dino.Model.Features.LinearProbe"/>
    public static FeatureKind LinearProbe(int blocks, bool averagePool) => new(
        averagePool ? "class token and mean patch token of the last block, interleaved" : $"class tokens of the last {blocks} blocks",
        config => (averagePool ? 2 : blocks) * config.Dim,
        (backbone, pictures) => backbone.LinearProbe(pictures, blocks, averagePool));
}
