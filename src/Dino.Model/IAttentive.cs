using Dino.Tensors;

namespace Dino.Model;

/// <summary>
/// What a backbone of tokens and attention has besides its output: the Vision Transformer. B images, K tokens before the patches (the class
/// token and
/// registers), N = K + patches tokens, D width, H heads.
/// </summary>
public interface IAttentive
{
    /// <summary>Pixels along the side of a patch.</summary>
    int Patch { get; }

    /// <summary>H, the attention heads of a block.</summary>
    int Heads { get; }

    /// <summary>The number of blocks.</summary>
    int Blocks { get; }

    /// <summary>The outputs of the last <paramref name="n"/> blocks, each through the final norm, oldest first: n × (B, N, D).</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are not so many.</exception>
    Tensor[] IntermediateLayers(Tensor images, int n);

    /// <summary>The first token of every image: (B, N, D) → (B, D).</summary>
    Tensor FirstToken(Tensor tokens);

    /// <summary>The tokens of patches, row by row: (B, N, D) → (B, patches, D).</summary>
    Tensor Patches(Tensor tokens);

    /// <summary>The attention weights of the last block: images (B, C, height, width) → (B, H, N, N).</summary>
    Tensor LastSelfAttention(Tensor images);

    /// <summary>
    /// Where the first token of the last block looks: images (B, C, height, width) → (B, H, patches), the patches row by row.
    /// </summary>
    Tensor FirstTokenAttention(Tensor images);
}
