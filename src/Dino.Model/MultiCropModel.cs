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
    public MultiCropModel(BackboneConfig backbone, DinoHeadConfig head)
    {
        Backbone = Register("backbone", backbone.Build());
        Head = Register("head", new DinoHead(Backbone.Width, head));
    }

    /// <summary>The network that is evaluated.</summary>
    public Backbone Backbone { get; }

    /// <summary>The projection head.</summary>
    public DinoHead Head { get; }

    /// <summary>
    /// The logits of crops of one resolution, (rows, C, S, S) → (rows, K), crop-major: all images of crop 0, then of crop 1, …
    /// </summary>
    public Tensor Forward(Tensor crops, in Pass pass)
    {
        using var scope = crops.Device.BeginArena();
        return scope.Keep(Head.Forward(Backbone.Forward(crops, pass), pass));
    }

    /// <summary>The logits of global and local crops, rows in this order; null locals are absent.</summary>
    /// <param name="globals">(rows, C, S, S), crop-major.</param>
    /// <param name="locals">(rows, C, s, s), crop-major, or null.</param>
    /// <param name="pass">How both are run, with the dropped branches of the global crops.</param>
    /// <param name="localDepth">The dropped branches of the local crops.</param>
    /// <returns>(rows, K)</returns>
    public Tensor Forward(Tensor globals, Tensor? locals, in Pass pass, StochasticDepth? localDepth)
    {
        if (locals is null)
            return Forward(globals, pass);
        using var scope = globals.Device.BeginArena();
        var features = ConcatOp.Concat(0, Backbone.Forward(globals, pass), Backbone.Forward(locals, pass with { Depth = localDepth }));
        return scope.Keep(Head.Forward(features, pass));
    }
}
