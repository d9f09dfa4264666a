using Dino.Model;
using Dino.Tensors;

namespace Dino.Train.Evaluation.Features;

/// <summary>What is taken from a backbone as the feature of a picture.</summary>
/// <param name="Name">What to call it.</param>
/// <param name="Width">The length of a feature.</param>
/// <param name="Compute">
/// Pictures (B, C, height, width) → features (B, Width); an <see cref="ArgumentException"/> where the backbone lacks what it needs.
/// </param>
public sealed record FeatureKind(string Name, Func<Backbone, int> Width, Func<Backbone, Tensor, Tensor> Compute)
{
    /// <summary>
    /// What the backbone gives, (B, D), of a Vision Transformer the class token after the last block and the final norm: k-NN and
    /// retrieval.
    /// </summary>
    public static FeatureKind OutputOf(Backbone backbone) =>
        new(backbone.OutputName, backbone => backbone.Width, (backbone, pictures) => backbone.Forward(pictures));

    /// <summary>The class token and the patch tokens' generalised mean with p = 4, (B, 2·D): copy detection.</summary>
    public static FeatureKind CopyDetection { get; } =
        new("class token, GeM of the patch tokens (p = 4)", backbone => 2 * backbone.Width,
            (backbone, pictures) => backbone.CopyDetection(pictures));

    /// <summary>
    /// What the reference gives its linear classifiers: of a width of 768 or more the last block with the mean of its patch tokens, of less
    /// the class
    /// tokens of four blocks. Of a backbone without tokens, what it gives.
    /// </summary>
    public static FeatureKind LinearProbeOf(Backbone backbone) =>
        backbone is not IAttentive attentive ? OutputOf(backbone)
        : backbone.Width >= 768 ? LinearProbe(1, averagePool: true)
        : LinearProbe(Math.Min(4, attentive.Blocks), averagePool: false);

    /// <summary>
    /// The class tokens of the last n blocks, oldest first, or of the last one interleaved with the mean of its patch tokens.
    /// </summary>
    /// <seealso cref="Dino.Model.Features.LinearProbe"/>
    public static FeatureKind LinearProbe(int blocks, bool averagePool) => new(
        averagePool ? "class token and mean patch token of the last block, interleaved" : $"class tokens of the last {blocks} blocks",
        backbone => (averagePool ? 2 : blocks) * backbone.Width,
        (backbone, pictures) => backbone.LinearProbe(pictures, blocks, averagePool));
}
