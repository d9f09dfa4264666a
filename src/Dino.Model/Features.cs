using Dino.Tensors;
using Dino.Tensors.Ops;

namespace Dino.Model;

/// <summary>What the evaluation protocols take from a backbone. B images, N tokens, D width.</summary>
public static class Features
{
    /// <summary>
    /// The linear probe's features (paper, appendix F.2): the class tokens of the last n blocks side by side, (B, n·D); with
    /// <paramref name="averagePool"/>, for n = 1 alone, each followed by the mean of the patch tokens: c₀, a₀, c₁, a₁, …, (B, 2·D).
    /// </summary>
    /// <exception cref="ArgumentException">Average pooling of more than one block, or a backbone without tokens.</exception>
    public static Tensor LinearProbe(this Backbone backbone, Tensor images, int n, bool averagePool)
    {
        var attentive = backbone.Attentive();
        if (averagePool && n != 1)
            throw new ArgumentException($"Average pooling is defined for the last block alone, not for {n}.", nameof(n));
        using var scope = images.Device.BeginArena();
        var layers = attentive.IntermediateLayers(images, n);
        var tokens = Array.ConvertAll(layers, attentive.FirstToken);
        if (!averagePool)
            return scope.Keep(ConcatOp.Concat(1, tokens));
        int b = images.Shape[0], d = backbone.Width;
        var mean = attentive.Patches(layers[0]).Mean(1);
        var pairs = ConcatOp.Concat(2, tokens[0].Reshape(new Shape(b, d, 1)), mean.Reshape(new Shape(b, d, 1)));
        return scope.Keep(pairs.Reshape(new Shape(b, 2 * d)));
    }

    /// <summary>
    /// The copy-detection feature (paper, section 4.3.1): the class token, then the GeM-pooled patch tokens with p = 4, (B, 2·D).
    /// </summary>
    /// <exception cref="ArgumentException">A backbone without tokens.</exception>
    public static Tensor CopyDetection(this Backbone backbone, Tensor images, float power = 4)
    {
        var attentive = backbone.Attentive();
        using var scope = images.Device.BeginArena();
        var tokens = attentive.IntermediateLayers(images, 1)[0];
        return scope.Keep(ConcatOp.Concat(1, attentive.FirstToken(tokens), attentive.Patches(tokens).GeneralizedMean(power)));
    }
}
