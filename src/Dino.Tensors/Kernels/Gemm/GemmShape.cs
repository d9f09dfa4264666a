namespace Dino.Tensors.Kernels.Gemm;

/// <summary>
/// C[b] (M×N) = Alpha · op(A[b]) (M×K) · op(B[b]) (K×N) + Beta · C[b] for b in 0 … Batch − 1, all row-major.
/// op(X) = X or, when transposed, Xᵀ: then A is stored K×M, B is stored N×K. The leading dimension (Ld…) is the distance
/// between stored rows, the stride that between matrices of a batch, in elements. With Beta = 0, C is not read.
/// </summary>
internal readonly record struct GemmShape(int M, int N, int K)
{
    public bool TransposeA { get; init; }

    public bool TransposeB { get; init; }

    public int LdA { get; init; } = K;

    public int LdB { get; init; } = N;

    public int LdC { get; init; } = N;

    public int Batch { get; init; } = 1;

    public long StrideA { get; init; }

    public long StrideB { get; init; }

    public long StrideC { get; init; }

    public float Alpha { get; init; } = 1;

    public float Beta { get; init; }

    /// <summary>The shape of densely stored matrices: no gaps between rows, nor between the matrices of a batch.</summary>
    public static GemmShape Dense(int m, int n, int k, bool transposeA = false, bool transposeB = false, int batch = 1) => new(m, n, k)
    {
        TransposeA = transposeA,
        TransposeB = transposeB,
        LdA = transposeA ? m : k,
        LdB = transposeB ? k : n,
        Batch = batch,
        StrideA = (long)m * k,
        StrideB = (long)k * n,
        StrideC = (long)m * n,
    };
}
