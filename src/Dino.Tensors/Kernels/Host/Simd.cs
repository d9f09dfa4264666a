using System.Numerics;
using System.Runtime.CompilerServices;

namespace Dino.Tensors.Kernels.Host;

/// <summary>A vector of floats as wide as the machine's registers: the number of a host core.</summary>
internal readonly unsafe struct Simd(Vector<float> value) : IVectorNumber<Simd>
{
    public readonly Vector<float> Value = value;

    public static int Width => Vector<float>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd Load(float* source) => new(Vector.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Simd value, float* target) => value.Value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePastCaches(Simd value, float* target) => value.Value.StoreAlignedNonTemporal(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd Of(float value) => new(Vector.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd operator +(Simd a, Simd b) => new(a.Value + b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd operator -(Simd a, Simd b) => new(a.Value - b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd operator *(Simd a, Simd b) => new(a.Value * b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd operator /(Simd a, Simd b) => new(a.Value / b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd operator -(Simd a) => new(-a.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd Fma(Simd a, Simd b, Simd c) => new(Vector.FusedMultiplyAdd(a.Value, b.Value, c.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd Max(Simd a, Simd b) => new(Vector.MaxNative(a.Value, b.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd Min(Simd a, Simd b) => new(Vector.MinNative(a.Value, b.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd Abs(Simd a) => new(Vector.Abs(a.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd Sqrt(Simd a) => new(Vector.SquareRoot(a.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd WhereLess(Simd a, Simd b, Simd then, Simd otherwise) =>
        new(Vector.ConditionalSelect(Vector.LessThan(a.Value, b.Value), then.Value, otherwise.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd KeepNaN(Simd x, Simd result) =>
        new(Vector.ConditionalSelect(Vector.Equals(x.Value, x.Value), result.Value, x.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd WhereNaN(Simd x, Simd then, Simd otherwise) =>
        new(Vector.ConditionalSelect(Vector.Equals(x.Value, x.Value), otherwise.Value, then.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd NonFinite(Simd x)
    {
        var exponent = new Vector<int>(0x7f800000);
        return new(Vector.ConditionalSelect(Vector.Equals(Vector.AsVectorInt32(x.Value) & exponent, exponent),
            Vector<float>.One, Vector<float>.Zero));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd Pow2(Simd n) => new(Vector.AsVectorSingle((Vector.ConvertToInt32Native(n.Value) + new Vector<int>(127)) << 23));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd Exponent(Simd x, out Simd mantissa)
    {
        var bits = Vector.AsVectorInt32(x.Value);
        var exponent = (bits - new Vector<int>(0x3f3504f3)) >> 23;
        mantissa = new(Vector.AsVectorSingle(bits - (exponent << 23)));
        return new(Vector.ConvertToSingle(exponent));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd RoundToTf32(Simd x)
    {
        var bits = Vector.AsVectorInt32(x.Value) + new Vector<int>(0x1000);
        return KeepNaN(x, new(Vector.AsVectorSingle(bits & new Vector<int>(~0x1fff))));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd RoundToBf16(Simd x)
    {
        var bits = Vector.AsVectorInt32(x.Value);
        bits += new Vector<int>(0x7fff) + ((bits >> 16) & Vector<int>.One);
        return KeepNaN(x, new(Vector.AsVectorSingle(bits & new Vector<int>(~0xffff))));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd Exp(Simd x) => new(VectorMath.Exp(x.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd ExpOfNegative(Simd x) => new(VectorMath.ExpOfNegative(x.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Simd NormalTail(Simd x, out Simd size, out Simd ratio)
    {
        var e = VectorMath.NormalTail(x.Value, out var a, out var r);
        (size, ratio) = (new(a), new(r));
        return new(e);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Simd value) => Vector.Sum(value.Value);

    public static float Highest(Simd value)
    {
        float highest = value.Value[0];
        for (int i = 1; i < Width; i++)
            highest = MathF.Max(highest, value.Value[i]);
        return highest;
    }
}
