using System.Numerics;
using System.Runtime.CompilerServices;

namespace Dino.Tensors.Kernels;

/// <summary>
/// <see cref="Real.ExpInParts"/> and <see cref="Real.ErfInParts"/> once more, to the same bits, over plain vectors.
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
        var p = ExpRemainder(Vector.MinNative(Vector.MaxNative(x, low), high), out var n);
        p = p * Pow2(n - Vector<float>.One) * Vector.Create(2f);
        p = Vector.ConditionalSelect(Vector.LessThan(x, low), Vector<float>.Zero, p);
        p = Vector.ConditionalSelect(Vector.LessThan(high, x), Vector.Create(float.PositiveInfinity), p);
        return Vector.ConditionalSelect(Vector.Equals(x, x), p, x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Erf(Vector<float> x)
    {
        var a = Vector.MinNative(Vector.Abs(x), Vector.Create(4f));
        var t = a * a;
        var small = Vector.FusedMultiplyAdd(Vector.Create(7.87587545e-5f), t, Vector.Create(-0.000801686441f));
        small = Vector.FusedMultiplyAdd(small, t, Vector.Create(0.00518908744f));
        small = Vector.FusedMultiplyAdd(small, t, Vector.Create(-0.0268542120f));
        small = Vector.FusedMultiplyAdd(small, t, Vector.Create(0.112835947f));
        small = Vector.FusedMultiplyAdd(small, t, Vector.Create(-0.376126267f));
        small = Vector.FusedMultiplyAdd(small, t, Vector.Create(1.12837917f)) * a;
        var large = Vector.FusedMultiplyAdd(Vector.Create(-1.63714691e-6f), a, Vector.Create(4.60580438e-5f));
        large = Vector.FusedMultiplyAdd(large, a, Vector.Create(-0.000596805635f));
        large = Vector.FusedMultiplyAdd(large, a, Vector.Create(0.00475959634f));
        large = Vector.FusedMultiplyAdd(large, a, Vector.Create(-0.0264211361f));
        large = Vector.FusedMultiplyAdd(large, a, Vector.Create(0.110080083f));
        large = Vector.FusedMultiplyAdd(large, a, Vector.Create(0.631826051f));
        large = Vector.FusedMultiplyAdd(large, a, Vector.Create(1.13023343f));
        large = Vector.FusedMultiplyAdd(large, a, Vector.Create(-0.000320138082f));
        large = Vector<float>.One - ExpRemainder(-large, out var n) * Pow2(n);
        small = Vector.ConditionalSelect(Vector.LessThan(a, Vector<float>.One), small, large);
        return Vector.ConditionalSelect(Vector.Equals(x, x), Vector.CopySign(small, x), x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> ExpRemainder(Vector<float> x, out Vector<float> n)
    {
        n = Vector.FusedMultiplyAdd(x, Vector.Create(1.44269504f), Vector.Create(12582912f)) - Vector.Create(12582912f);
        var r = Vector.FusedMultiplyAdd(n, Vector.Create(-0.693145752f), x);
        r = Vector.FusedMultiplyAdd(n, Vector.Create(-1.42860677e-6f), r);
        var p = Vector.FusedMultiplyAdd(Vector.Create(0.00139411087f), r, Vector.Create(0.00837512640f));
        p = Vector.FusedMultiplyAdd(p, r, Vector.Create(0.0416663529f));
        p = Vector.FusedMultiplyAdd(p, r, Vector.Create(0.166664155f));
        p = Vector.FusedMultiplyAdd(p, r, Vector.Create(0.500000005f));
        p = Vector.FusedMultiplyAdd(p, r, Vector.Create(1.00000004f));
        return Vector.FusedMultiplyAdd(p, r, Vector<float>.One);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Pow2(Vector<float> n) =>
        Vector.AsVectorSingle((Vector.ConvertToInt32Native(n) + Vector.Create(127)) << 23);
}
