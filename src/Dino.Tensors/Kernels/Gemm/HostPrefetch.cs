using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Dino.Tensors.Kernels.Gemm;

/// <summary>
/// Asks for memory before it is needed, where the machine can. The processor foresees one row after the other by itself, but not short
/// pieces of many rows, and waiting for each of them costs as much as the arithmetic.
/// </summary>
internal static unsafe class HostPrefetch
{
    private const int Line = 16; // floats

    /// <summary>The cache lines of a piece of a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Row(float* row, int floats)
    {
        for (int i = 0; Sse.IsSupported && i < floats; i += Line)
            Sse.Prefetch0(row + i);
    }

    /// <summary>Pieces of rows that lie <paramref name="ld"/> apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Rows(float* rows, long ld, int count, int floats)
    {
        for (int r = 0; Sse.IsSupported && r < count; r++)
            Row(rows + r * ld, floats);
    }
}
