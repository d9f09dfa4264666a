using System.Runtime.Intrinsics;
using Dino.Tensors.Kernels.Host;

namespace Dino.Tensors.Kernels.Attention;

/// <summary>
/// Sizes of one self-attention: B images, N tokens, H heads of d = D / H. Rows of <c>qkv</c> (B, N, 3D) hold the queries,
/// then the keys, then the values of all heads; results are (B, N, D).
/// </summary>
internal readonly record struct AttentionShape(int Images, int Tokens, int Heads, int HeadDim)
{
    /// <summary>D, the length of a row of the result.</summary>
    public int Width => Heads * HeadDim;

    /// <summary>The factor on Q·Kᵀ, 1 / √d unless set.</summary>
    public float Scale { get; init; } = 1 / MathF.Sqrt(HeadDim);
}

/// <summary>softmax(Scale · Q·Kᵀ) · V for every head, on the host (Vaswani et al. 2017, section 3.2.1).</summary>
/// <remarks>
/// No N×N matrix is stored: the forward pass keeps two numbers of each row (B, H, N, 2), from which the backward pass makes the
/// probabilities again (Dao et al. 2022, section 3.1): the largest score and log₂ Σ 2^(score − largest), scores in units of ln 2. They stay
/// apart, since in the sum of both the logarithm would lose its digits to a large score. The split of the work depends on the shape alone.
/// </remarks>
internal static unsafe class HostAttention
{
    /// <summary>
    /// Writes the result (B, N, D) and what the backward pass wants of each row (B, H, N, 2); <paramref name="stats"/> may be null.
    /// </summary>
    public static void Forward(HostTeam team, in AttentionShape shape, float* qkv, float* result, float* stats)
    {
        if (Vector512.IsHardwareAccelerated)
            HostAttention<Vector512<float>, Simd512>.Forward(team, shape, qkv, result, stats);
        else if (Vector256.IsHardwareAccelerated)
            HostAttention<Vector256<float>, Simd256>.Forward(team, shape, qkv, result, stats);
        else
            HostAttention<Vector128<float>, Simd128>.Forward(team, shape, qkv, result, stats);
    }

    /// <summary>
    /// The gradient (B, N, 3D) of <c>qkv</c> from that of the result, with the forward pass's result and numbers of the rows; it is
    /// added to <paramref name="gradQkv"/> when <paramref name="accumulate"/> is set, else it replaces what is there.
    /// </summary>
    public static void Backward(
        HostTeam team, in AttentionShape shape, float* qkv, float* result, float* stats, float* gradResult, float* gradQkv, bool accumulate)
    {
        if (Vector512.IsHardwareAccelerated)
            HostAttention<Vector512<float>, Simd512>.Backward(team, shape, qkv, result, stats, gradResult, gradQkv, accumulate);
        else if (Vector256.IsHardwareAccelerated)
            HostAttention<Vector256<float>, Simd256>.Backward(team, shape, qkv, result, stats, gradResult, gradQkv, accumulate);
        else
            HostAttention<Vector128<float>, Simd128>.Backward(team, shape, qkv, result, stats, gradResult, gradQkv, accumulate);
    }

    /// <summary>Writes the probabilities themselves (B, H, N, N), rows are queries: for looking, not for training.</summary>
    public static void Weights(HostTeam team, in AttentionShape shape, float* qkv, float* weights)
    {
        if (Vector512.IsHardwareAccelerated)
            HostAttention<Vector512<float>, Simd512>.Weights(team, shape, qkv, weights);
        else if (Vector256.IsHardwareAccelerated)
            HostAttention<Vector256<float>, Simd256>.Weights(team, shape, qkv, weights);
        else
            HostAttention<Vector128<float>, Simd128>.Weights(team, shape, qkv, weights);
    }
}
