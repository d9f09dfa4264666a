using System.Numerics;
using System.Runtime.CompilerServices;

namespace Dino.Tensors.Kernels.Host;

/// <summary>
/// <see cref="Real.ExpInParts"/>, <see cref="Real.ExpOfNegativeInParts"/> and <see cref="Real.NormalTailInParts"/> once more, to the same
/// bits, over plain vectors.
/// </summary>
/// <remarks>
/// The JIT inlines only so much into one method, whatever is asked of it, and then leaves calls in the loop, at thirty times the cost.
/// The vectors' own operations are instructions and do not count; those of <see cref="Simd"/> are calls to inline and do.
/// </remarks>
internal static class VectorMath
{
    // 1.5 · 2²³ rounds what it is added to; with 226 more, the lowest bits of the sum are the exponent bits of 2ⁿ⁺⁹⁹, and the rest of the
    // product is made 2⁻¹⁰⁰ times as large: it is rounded once where the result is subnormal.
    private const float Rounder = 12582912f + 226f, Small = 7.88860905e-31f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Exp(Vector<float> x)
    {
        // As below, but with 2ⁿ⁻¹ in two factors, the second of which is 1 unless the first would be subnormal.
        const float rounder = 12582912f + 126f;
        var y = Vector.MinNative(Vector.Create(89f), Vector.MaxNative(Vector.Create(Real.NothingLeftOfTwo), x));
        var log = Vector.Create(1.44269502f);
        var shifted = Vector.FusedMultiplyAdd(y, log, Vector.Create(rounder));
        var f = Vector.FusedMultiplyAdd(y, Vector.Create(1.92596303e-8f),
            Vector.FusedMultiplyAdd(y, log, Vector.Create(rounder) - shifted));
        var normal = Vector.MaxNative(shifted, Vector.Create(rounder - 125f));
        var rest = shifted - normal + Vector.Create(12582912f + 127f);
        return ScaledPower(f) * Vector.Create(1.26765060e30f) * Power(normal) * Power(rest);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> ExpOfNegative(Vector<float> x)
    {
        // The second operand of these comes out where one is NaN.
        var y = Vector.MinNative(Vector.Create(19f), Vector.MaxNative(Vector.Create(Real.NothingLeft), x));
        var log = Vector.Create(1.44269502f);
        var shifted = Vector.FusedMultiplyAdd(y, log, Vector.Create(Rounder));
        var f = Vector.FusedMultiplyAdd(y, log, Vector.Create(Rounder) - shifted);
        return PowerOfTwo(shifted, Vector.FusedMultiplyAdd(y, Vector.Create(1.92596303e-8f), f));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> NormalTail(Vector<float> x, out Vector<float> size, out Vector<float> ratio)
    {
        var a = Vector.MinNative(Vector.Create(14.5f), Vector.Abs(x));
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
    private static Vector<float> PowerOfTwo(Vector<float> shifted, Vector<float> f) => ScaledPower(f) * Power(shifted);

    /// <summary>2¹⁺ᶠ for |f| ≤ ½, times 2⁻¹⁰⁰.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> ScaledPower(Vector<float> f)
    {
        var square = f * f;
        var p = Vector.FusedMultiplyAdd(Vector.Create(0.0003070682f * Small), f, Vector.Create(0.0026798076f * Small));
        var middle = Vector.FusedMultiplyAdd(Vector.Create(0.0192370899f * Small), f, Vector.Create(0.111006893f * Small));
        var first = Vector.FusedMultiplyAdd(Vector.Create(0.480452925f * Small), f, Vector.Create(1.38629436f * Small));
        p = Vector.FusedMultiplyAdd(Vector.FusedMultiplyAdd(p, square, middle), square, first);
        return Vector.FusedMultiplyAdd(p, f, Vector.Create(2f * Small));
    }

    /// <summary>The power of two whose exponent's bits are the lowest of each lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Power(Vector<float> bits) => Vector.AsVectorSingle(Vector.AsVectorInt32(bits) << 23);
}
