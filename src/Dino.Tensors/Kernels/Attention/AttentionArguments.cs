using Dino.Tensors.Kernels.Gemm;

namespace Dino.Tensors.Kernels.Attention;

/// <summary>An <see cref="AttentionShape"/> as a kernel argument, and how its grid is laid out.</summary>
internal readonly struct AttentionArguments
{
    public readonly int Tokens, Heads, HeadDim, TokenBlocks, ColumnBlocks, Accumulate;
    public readonly float Scale;

    public AttentionArguments(in AttentionShape shape, int tileEdge, bool accumulate)
    {
        (Tokens, Heads, HeadDim, Scale) = (shape.Tokens, shape.Heads, shape.HeadDim, shape.Scale);
        TokenBlocks = (Tokens + tileEdge - 1) / tileEdge;
        ColumnBlocks = (HeadDim + 2 * tileEdge - 1) / (2 * tileEdge);
        Accumulate = accumulate ? 1 : 0;
    }

    /// <summary>
    /// The queries (part 0), keys (1) or values (2) of a head of an image, tokens as rows; heads are counted over all images.
    /// </summary>
    public OperandPlace PlaceOf(int head, int part)
    {
        int width = Heads * HeadDim, image = head / Heads;
        return new(image * Tokens * 3 * width + part * width + (head - image * Heads) * HeadDim, 3 * width, Tokens, HeadDim);
    }

    /// <summary>A head's part of the result (B, N, D).</summary>
    public OperandPlace PlaceOfResult(int head)
    {
        int width = Heads * HeadDim, image = head / Heads;
        return new(image * Tokens * width + (head - image * Heads) * HeadDim, width, Tokens, HeadDim);
    }
}
