using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Dino.Tensors.Kernels.Gemm;

/// <summary>
/// Copies of matrix blocks in the order in which the microkernel reads them: a panel of <c>width</c> rows of the source,
/// stored as [k][width]; the width is a multiple of 8. For B the "rows" are columns of op(B).
/// </summary>
/// <remarks>
/// Rows beyond the source hold numbers of others, or 0. They are multiplied like the rest, and what happened to be in memory may be
/// subnormal:
/// Intel's processors take a hundred times as long for that.
/// </remarks>
internal static unsafe class HostPacking
{
    // Rows of the source between the one that is read and the one that is asked for.
    private const int Ahead = 16;

    /// <summary>Panel from <paramref name="rows"/> rows that are contiguous along k: source[row · ld + k].</summary>
    public static void Along(float* source, long ld, int rows, int k, int width, float* panel)
    {
        for (int row = 0; row < width; row += 8)
            AlongEight(source + row * ld, ld, Math.Min(rows - row, 8), k, width, panel + row);
    }

    /// <summary>
    /// Panels from rows that are contiguous across the panel: source[k · ld + row]; <paramref name="rows"/> rows make
    /// ⌈rows / width⌉ panels, each <paramref name="panelStride"/> floats after the one before. All panels are filled in one
    /// sweep over k, so that every source line is read once, whatever its distance to the next.
    /// </summary>
    public static void Across(float* source, long ld, int rows, int k, int width, float* panels, long panelStride)
    {
        int full = rows / width, rest = rows - full * width;
        for (int p = 0; p < k; p++, source += ld, panels += width)
        {
            if (p + Ahead < k)
                HostPrefetch.Row(source + Ahead * ld, rows);
            float* from = source, to = panels;
            for (int i = 0; i < full; i++, from += width, to += panelStride)
                Copy(from, to, width);
            if (rest == 0)
                continue;
            new ReadOnlySpan<float>(from, rest).CopyTo(new Span<float>(to, rest));
            new Span<float>(to + rest, width - rest).Clear();
        }
    }

    /// <summary>target[k · targetLd + row] = source[row · ld + k]; nothing else is written.</summary>
    public static void Transpose(float* source, long ld, int rows, int k, float* target, int targetLd)
    {
        int row = 0;
        for (; row + 8 <= rows; row += 8)
        {
            HostPrefetch.Rows(source + (row + Ahead) * ld, ld, Math.Min(8, rows - row - Ahead), k);
            AlongEight(source + row * ld, ld, 8, k, targetLd, target + row);
        }
        for (; row < rows; row++)
        {
            for (int p = 0; p < k; p++)
                target[(long)p * targetLd + row] = source[row * ld + p];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(float* from, float* to, int count)
    {
        for (int i = 0; i < count; i += 8)
            Vector256.Store(Vector256.Load(from + i), to + i);
    }

    // Eight of the panel's rows, of which the source has at least some.
    private static void AlongEight(float* source, long ld, int rows, int k, int width, float* panel)
    {
        int p = 0;
        if (rows <= 0)
        {
            for (; p < k; p++, panel += width)
                new Span<float>(panel, 8).Clear();
            return;
        }
        if (Avx.IsSupported)
        {
            // In place of a missing row the first is read again.
            float* r0 = source, r1 = source + (rows > 1 ? ld : 0), r2 = source + (rows > 2 ? 2 * ld : 0);
            float* r3 = source + (rows > 3 ? 3 * ld : 0), r4 = source + (rows > 4 ? 4 * ld : 0), r5 = source + (rows > 5 ? 5 * ld : 0);
            float* r6 = source + (rows > 6 ? 6 * ld : 0), r7 = source + (rows > 7 ? 7 * ld : 0);
            for (; p + 8 <= k; p += 8)
                Transpose(r0 + p, r1 + p, r2 + p, r3 + p, r4 + p, r5 + p, r6 + p, r7 + p, panel + (long)p * width, width);
        }
        if (p == k)
            return;
        int start = p;
        for (int r = 0; r < 8; r++)
        {
            float* from = source + (r < rows ? r * ld : 0), to = panel + r + (long)start * width;
            for (p = start; p < k; p++, to += width)
                *to = from[p];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(
        float* r0, float* r1, float* r2, float* r3, float* r4, float* r5, float* r6, float* r7, float* to, int stride)
    {
        Vector256<float> a0 = Vector256.Load(r0), a1 = Vector256.Load(r1), a2 = Vector256.Load(r2), a3 = Vector256.Load(r3);
        Vector256<float> a4 = Vector256.Load(r4), a5 = Vector256.Load(r5), a6 = Vector256.Load(r6), a7 = Vector256.Load(r7);
        Vector256<float> b0 = Avx.UnpackLow(a0, a1), b1 = Avx.UnpackHigh(a0, a1), b2 = Avx.UnpackLow(a2, a3), b3 = Avx.UnpackHigh(a2, a3);
        Vector256<float> b4 = Avx.UnpackLow(a4, a5), b5 = Avx.UnpackHigh(a4, a5), b6 = Avx.UnpackLow(a6, a7), b7 = Avx.UnpackHigh(a6, a7);
        a0 = Avx.Shuffle(b0, b2, 0x44);
        a1 = Avx.Shuffle(b0, b2, 0xEE);
        a2 = Avx.Shuffle(b1, b3, 0x44);
        a3 = Avx.Shuffle(b1, b3, 0xEE);
        a4 = Avx.Shuffle(b4, b6, 0x44);
        a5 = Avx.Shuffle(b4, b6, 0xEE);
        a6 = Avx.Shuffle(b5, b7, 0x44);
        a7 = Avx.Shuffle(b5, b7, 0xEE);
        Avx.Permute2x128(a0, a4, 0x20).Store(to);
        Avx.Permute2x128(a1, a5, 0x20).Store(to + stride);
        Avx.Permute2x128(a2, a6, 0x20).Store(to + 2 * stride);
        Avx.Permute2x128(a3, a7, 0x20).Store(to + 3 * stride);
        Avx.Permute2x128(a0, a4, 0x31).Store(to + 4 * stride);
        Avx.Permute2x128(a1, a5, 0x31).Store(to + 5 * stride);
        Avx.Permute2x128(a2, a6, 0x31).Store(to + 6 * stride);
        Avx.Permute2x128(a3, a7, 0x31).Store(to + 7 * stride);
    }
}
