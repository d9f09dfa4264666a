using Dino.Tensors;
using Dino.Tensors.Nn;
using Dino.Tensors.Ops;

namespace Dino.Model;

/// <summary>
/// Backbone and head over crops of several resolutions: one backbone pass for each resolution, one head pass over all
/// (the reference's MultiCropWrapper).
/// </summary>
public sealed class MultiCropModel : Module
{
    /// <summary>Declares both parts under the names <c>backbone</c> and <c>head</c>.</summary>
    public MultiCropModel(ViTConfig backbone, DinoHeadConfig head)
    {
        Backbone = Register("backbone", new VisionTransformer(backbone));
        Head = Register("head", new DinoHead(backbone.Dim, head));
    }

    /// <summary>The Vision Transformer.</summary>
    public VisionTransformer Backbone { get; }

    /// <summary>The projection head.</summary>
    public DinoHead Head { get; }

    /// <summary>The logits of crops of one resolution, (rows, C, S, S) → (rows, K), crop-major: all images of crop 0, then of crop 1, …</summary>
    public Tensor Forward(Tensor crops, StochasticDepth? depth = null)
    {
        using var scope = crops.Device.BeginArena();
        return scope.Keep(Head.Forward(Backbone.Forward(crops, depth)));
    }

    /// <summary>The logits of global and local crops, rows in this order; null locals are absent.</summary>
    public Tensor Forward(Tensor globals, Tensor? locals, StochasticDepth? globalDepth, StochasticDepth? localDepth)
    {
        if (locals is null)
            return Forward(globals, globalDepth);
        using var scope = globals.Device.BeginArena();
        var features = ConcatOp.Concat(0, Backbone.Forward(globals, globalDepth), Backbone.Forward(locals, localDepth));
        return scope.Keep(Head.Forward(features));
    }
}
