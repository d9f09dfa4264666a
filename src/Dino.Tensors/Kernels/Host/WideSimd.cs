using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dino.Tensors.Kernels.Host;

/// <summary>
/// Sixteen floats: the number of a host core within a matrix product whose tiles are of AVX-512 registers, where <see cref="Vector{T}"/>,
/// and <see cref="Simd"/> with it, has eight. The same bits come out.
/// </summary>
internal readonly unsafe struct WideSimd(Vector512<float> value) : IVectorNumber<WideSimd>
{
    public readonly Vector512<float> Value = value;

    public static int Width => Vector512<float>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideSimd Load(float* source) => new(Vector512.Load(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(WideSimd value, float* target) => value.Value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePastCaches(WideSimd value, float* target) => value.Value.StoreAlignedNonTemporal(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideSimd Of(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideSimd operator +(WideSimd a, WideSimd b) => new(a.Value + b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideSimd operator -(WideSimd a, WideSimd b) => new(a.Value - b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideSimd operator *(WideSimd a, WideSimd b) => new(a.Value * b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideSimd operator /(WideSimd a, WideSimd b) => new(a.Value / b.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideSimd operator -(WideSimd a) => new(-a.Value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideSimd Fma(WideSimd a, WideSimd b, WideSimd c) => new(Vector512.FusedMultiplyAdd(a.Value, b.Value, c.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideSimd Max(WideSimd a, WideSimd b) => new(Vector512.MaxNative(a.Value, b.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideSimd Min(WideSimd a, WideSimd b) => new(Vector512.MinNative(a.Value, b.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideSimd Abs(WideSimd a) => new(Vector512.Abs(a.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideSimd Sqrt(WideSimd a) => new(Vector512.Sqrt(a.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideSimd WhereLess(WideSimd a, WideSimd b, WideSimd then, WideSimd otherwise) =>
        new(Vector512.ConditionalSelect(Vector512.LessThan(a.Value, b.Value), then.Value, otherwise.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideSimd KeepNaN(WideSimd x, WideSimd result) => WhereNaN(x, x, result);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideSimd WhereNaN(WideSimd x, WideSimd then, WideSimd otherwise) =>
        new(Vector512.ConditionalSelect(Vector512.Equals(x.Value, x.Value), otherwise.Value, then.Value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideSimd NonFinite(WideSimd x)
    {
        var exponent = Vector512.Create(0x7f800000);
        var highest = Vector512.Equals(x.Value.AsInt32() & exponent, exponent).AsSingle();
        return new(Vector512.ConditionalSelect(highest, Vector512<float>.One, Vector512<float>.Zero));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideSimd Pow2(WideSimd n) => new(((Vector512.ConvertToInt32Native(n.Value) + Vector512.Create(127)) << 23).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideSimd Exponent(WideSimd x, out WideSimd mantissa)
    {
        var bits = x.Value.AsInt32();
        var exponent = (bits - Vector512.Create(0x3f3504f3)) >> 23;
        mantissa = new((bits - (exponent << 23)).AsSingle());
        return new(Vector512.ConvertToSingle(exponent));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideSimd RoundToTf32(WideSimd x) =>
        KeepNaN(x, new(((x.Value.AsInt32() + Vector512.Create(0x1000)) & Vector512.Create(~0x1fff)).AsSingle()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideSimd RoundToBf16(WideSimd x)
    {
        var bits = x.Value.AsInt32();
        bits += Vector512.Create(0x7fff) + ((bits >> 16) & Vector512<int>.One);
        return KeepNaN(x, new((bits & Vector512.Create(~0xffff)).AsSingle()));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideSimd Exp(WideSimd x) => Real.ExpInParts(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideSimd ExpOfNegative(WideSimd x) => Real.ExpOfNegativeInParts(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static WideSimd NormalTail(WideSimd x, out WideSimd size, out WideSimd ratio)
    {
        // The second operand comes out where it is NaN.
        var a = Vector512.MinNative(Vector512.Create(14.5f), Vector512.Abs(x.Value));
        var e = HostMath<Vector512<float>, Simd512>.NormalTail(a, out var p, out var q);
        (size, ratio) = (new(a), new(p / q));
        return new(e);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(WideSimd value) => Vector512.Sum(value.Value);

    public static float Highest(WideSimd value)
    {
        float highest = value.Value[0];
        for (int i = 1; i < Width; i++)
            highest = MathF.Max(highest, value.Value[i]);
        return highest;
    }
}
