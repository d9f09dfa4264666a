using System.Numerics;
using System.Runtime.CompilerServices;

namespace Dino.Tensors.Kernels;

/// <summary>
/// <see cref="Real.ExpInParts"/> and <see cref="Real.NormalTailInParts"/> once more, to the same bits, over plain vectors.
/// </summary>
/// <remarks>
/// The JIT inlines only so much into one method, whatever is asked of it, and then leaves calls in the loop, at thirty times the cost.
/// The vectors' own operations are instructions and do not count; those of <see cref="Simd"/> are calls to inline and do.
/// </remarks>
internal static class VectorMath
{
    // 1.5 · 2²³ rounds what it is added to; with 126 more, the lowest bits of the sum are the exponent bits of 2ⁿ⁻¹.
    private const float Rounder = 12582912f + 126f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Exp(Vector<float> x)
    {
        // The second operand of these comes out where one is NaN.
        var y = Vector.MinNative(Vector.Create(89f), Vector.MaxNative(Vector.Create(-87.3f), x));
        var log = Vector.Create(1.44269502f);
        var shifted = Vector.FusedMultiplyAdd(y, log, Vector.Create(Rounder));
        var f = Vector.FusedMultiplyAdd(y, log, Vector.Create(Rounder) - shifted);
        return PowerOfTwo(shifted, Vector.FusedMultiplyAdd(y, Vector.Create(1.92596303e-8f), f));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> NormalTail(Vector<float> x, out Vector<float> size, out Vector<float> ratio)
    {
        var a = Vector.MinNative(Vector.Create(13.2f), Vector.Abs(x));
        var p = a + Vector.Create(9.95257568f);
        p = Vector.FusedMultiplyAdd(p, a, Vector.Create(45.1520576f));
        p = Vector.FusedMultiplyAdd(p, a, Vector.Create(108.546906f));
        p = Vector.FusedMultiplyAdd(p, a, Vector.Create(124.637085f));
        var q = Vector.FusedMultiplyAdd(Vector.Create(2.50659204f), a, Vector.Create(24.9492702f));
        q = Vector.FusedMultiplyAdd(q, a, Vector.Create(115.64444f));
        q = Vector.FusedMultiplyAdd(q, a, Vector.Create(297.574768f));
        q = Vector.FusedMultiplyAdd(q, a, Vector.Create(415.985901f));
        q = Vector.FusedMultiplyAdd(q, a, Vector.Create(249.27417f));
        (size, ratio) = (a, p / q);
        Vector<float> square = a * a, scale = Vector.Create(-0.5f * 1.44269502f);
        var shifted = Vector.FusedMultiplyAdd(square, scale, Vector.Create(Rounder));
        return PowerOfTwo(shifted, Vector.FusedMultiplyAdd(square, scale, Vector.Create(Rounder) - shifted));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> PowerOfTwo(Vector<float> shifted, Vector<float> f)
    {
        var square = f * f;
        var p = Vector.FusedMultiplyAdd(Vector.Create(0.0003070682f), f, Vector.Create(0.0026798076f));
        var middle = Vector.FusedMultiplyAdd(Vector.Create(0.0192370899f), f, Vector.Create(0.111006893f));
        var first = Vector.FusedMultiplyAdd(Vector.Create(0.480452925f), f, Vector.Create(1.38629436f));
        p = Vector.FusedMultiplyAdd(Vector.FusedMultiplyAdd(p, square, middle), square, first);
        return Vector.FusedMultiplyAdd(p, f, Vector.Create(2f)) * Vector.AsVectorSingle(Vector.AsVectorInt32(shifted) << 23);
    }
}
