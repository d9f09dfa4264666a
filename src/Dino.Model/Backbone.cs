using Dino.Tensors;
using Dino.Tensors.Nn;

namespace Dino.Model;

/// <summary>
/// A network that makes one vector of a picture: what methods train and evaluations look with. A new kind of network derives from it, and
/// from
/// <see cref="BackboneConfig"/> with its sizes; what only some networks have, attention and tokens, is in <see cref="IAttentive"/>.
/// </summary>
public abstract class Backbone : Module
{
    /// <summary>The length of the vector of a picture.</summary>
    public abstract int Width { get; }

    /// <summary>The least that the height and the width of a picture may be, in pixels.</summary>
    public abstract int SmallestSize { get; }

    /// <summary>Colour channels of the pictures.</summary>
    public abstract int Channels { get; }

    /// <summary>The kind of network with all of its sizes: what features of it are told apart by.</summary>
    public virtual string Architecture => GetType().Name;

    /// <summary>What <see cref="Forward(Tensor, in Pass)"/> gives, in words: "class token of the last block".</summary>
    public virtual string OutputName => "output of the backbone";

    /// <summary>The vectors of pictures.</summary>
    /// <param name="images">(B, <see cref="Channels"/>, height, width), normalised; of any size from <see cref="SmallestSize"/> on.</param>
    /// <param name="pass">Whether it is training, who shares the batch, and which branches are dropped.</param>
    /// <returns>(B, <see cref="Width"/>) in the current arena.</returns>
    public abstract Tensor Forward(Tensor images, in Pass pass);

    /// <summary>The vectors of pictures as evaluation takes them: <see cref="Pass.Evaluation"/>.</summary>
    /// <param name="images">(B, <see cref="Channels"/>, height, width), normalised.</param>
    /// <returns>(B, <see cref="Width"/>) in the current arena.</returns>
    public Tensor Forward(Tensor images) => Forward(images, Pass.Evaluation);

    /// <summary>
    /// About how many bytes of the device a forward pass takes at its height, beside the weights: what would not fit is refused before it
    /// is begun.
    /// A network that does not say it counts its pictures alone.
    /// </summary>
    /// <param name="images">B.</param>
    /// <param name="height">Of the pictures, in pixels.</param>
    /// <param name="width">Of the pictures, in pixels.</param>
    public virtual long ForwardBytes(int images, int height, int width) =>
        (long)Math.Min(long.MaxValue / 2, 4.0 * images * Channels * height * width);

    /// <summary>The tokens and the attention of the network, for what cannot do without.</summary>
    /// <exception cref="ArgumentException">It has none.</exception>
    public IAttentive Attentive() => this as IAttentive
        ?? throw new ArgumentException($"A {GetType().Name} has neither patch tokens nor attention; this is for networks that have, as "
            + $"Vision Transformers.");
}
