using System.Numerics;
using System.Runtime.CompilerServices;

namespace Dino.Tensors.Kernels;

/// <summary>
/// <see cref="Real.ExpInParts"/> and <see cref="Real.NormalDistributionInParts"/> once more, to the same bits, over plain vectors.
/// </summary>
/// <remarks>
/// The JIT inlines only so much into one method, whatever is asked of it, and then leaves calls in the loop, at thirty times the cost.
/// The vectors' own operations are instructions and do not count; those of <see cref="Simd"/> are calls to inline and do.
/// </remarks>
internal static class VectorMath
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Exp(Vector<float> x)
    {
        Vector<float> low = Vector.Create(-86.9f), high = Vector.Create(88.7228f);
        var p = ScaledExp(x);
        p = Vector.ConditionalSelect(Vector.LessThan(x, low), Vector<float>.Zero, p);
        p = Vector.ConditionalSelect(Vector.LessThan(high, x), Vector.Create(float.PositiveInfinity), p);
        return Vector.ConditionalSelect(Vector.Equals(x, x), p, x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> NormalDistribution(Vector<float> x, out Vector<float> density)
    {
        Vector<float> end = Vector.Create(13.15f), size = Vector.Abs(x);
        var a = Vector.MinNative(size, end);
        var e = ScaledExp(Vector.Create(-0.5f) * a * size); // size and not a: a NaN must come through
        e = Vector.ConditionalSelect(Vector.LessThan(end, size), Vector<float>.Zero, e);
        density = Vector.Create(0.398942280f) * e;
        var p = a + Vector.Create(9.95257568f);
        p = Vector.FusedMultiplyAdd(p, a, Vector.Create(45.1520576f));
        p = Vector.FusedMultiplyAdd(p, a, Vector.Create(108.546906f));
        p = Vector.FusedMultiplyAdd(p, a, Vector.Create(124.637085f));
        var q = Vector.FusedMultiplyAdd(Vector.Create(2.50659204f), a, Vector.Create(24.9492702f));
        q = Vector.FusedMultiplyAdd(q, a, Vector.Create(115.64444f));
        q = Vector.FusedMultiplyAdd(q, a, Vector.Create(297.574768f));
        q = Vector.FusedMultiplyAdd(q, a, Vector.Create(415.985901f));
        q = Vector.FusedMultiplyAdd(q, a, Vector.Create(249.27417f));
        var tail = e * (p / q);
        return Vector.ConditionalSelect(Vector.LessThan(x, Vector<float>.Zero), tail, Vector<float>.One - tail);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> ScaleByPowerOfTwo(Vector<float> a, Vector<int> n) => Vector.AsVectorSingle(Vector.AsVectorInt32(a) + (n << 23));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> ScaledExp(Vector<float> x)
    {
        var shifted = Vector.FusedMultiplyAdd(x, Vector.Create(1.44269504f), Vector.Create(12582912f)); // its lowest bits are n
        var n = shifted - Vector.Create(12582912f);
        var r = Vector.FusedMultiplyAdd(n, Vector.Create(-0.693145752f), x);
        r = Vector.FusedMultiplyAdd(n, Vector.Create(-1.42860677e-6f), r);
        var square = r * r;
        var p = Vector.FusedMultiplyAdd(Vector.Create(0.00139411087f), r, Vector.Create(0.00837512640f));
        var middle = Vector.FusedMultiplyAdd(Vector.Create(0.0416663529f), r, Vector.Create(0.166664155f));
        var first = Vector.FusedMultiplyAdd(Vector.Create(0.500000005f), r, Vector.Create(1.00000004f));
        p = Vector.FusedMultiplyAdd(Vector.FusedMultiplyAdd(p, square, middle), square, first);
        return ScaleByPowerOfTwo(Vector.FusedMultiplyAdd(p, r, Vector<float>.One), Vector.AsVectorInt32(shifted));
    }
}
