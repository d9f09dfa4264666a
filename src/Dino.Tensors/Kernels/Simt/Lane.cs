using ILGPU;

namespace Dino.Tensors.Kernels.Simt;

/// <summary>One float: the number of an accelerator's thread.</summary>
public readonly struct Lane(float value) : IReal<Lane>
{
    internal readonly float Value = value;

    /// <inheritdoc/>
    public static int Width => 1;

    /// <inheritdoc/>
    public static Lane Of(float value) => new(value);

    /// <inheritdoc/>
    public static Lane operator +(Lane a, Lane b) => new(a.Value + b.Value);

    /// <inheritdoc/>
    public static Lane operator -(Lane a, Lane b) => new(a.Value - b.Value);

    /// <inheritdoc/>
    public static Lane operator *(Lane a, Lane b) => new(a.Value * b.Value);

    /// <inheritdoc/>
    public static Lane operator /(Lane a, Lane b) => new(a.Value / b.Value);

    /// <inheritdoc/>
    public static Lane operator -(Lane a) => new(-a.Value);

    /// <inheritdoc/>
    public static Lane Fma(Lane a, Lane b, Lane c) => new(Intrinsics.Fma(a.Value, b.Value, c.Value));

    /// <inheritdoc/>
    public static Lane Max(Lane a, Lane b) => new(MathF.Max(a.Value, b.Value));

    /// <inheritdoc/>
    public static Lane Min(Lane a, Lane b) => new(MathF.Min(a.Value, b.Value));

    /// <inheritdoc/>
    public static Lane Abs(Lane a) => new(MathF.Abs(a.Value));

    /// <inheritdoc/>
    public static Lane Sqrt(Lane a) => new(MathF.Sqrt(a.Value));

    /// <inheritdoc/>
    public static Lane WhereLess(Lane a, Lane b, Lane then, Lane otherwise) => new(a.Value < b.Value ? then.Value : otherwise.Value);

    /// <inheritdoc/>
    public static Lane KeepNaN(Lane x, Lane result) => new(float.IsNaN(x.Value) ? x.Value : result.Value);

    /// <inheritdoc/>
    public static Lane WhereNaN(Lane x, Lane then, Lane otherwise) => new(float.IsNaN(x.Value) ? then.Value : otherwise.Value);

    /// <inheritdoc/>
    public static Lane NonFinite(Lane x) => new((Interop.FloatAsInt(x.Value) & 0x7f800000u) == 0x7f800000u ? 1f : 0f);

    /// <inheritdoc/>
    public static Lane Pow2(Lane n) => new(Interop.IntAsFloat((uint)((int)n.Value + 127) << 23));

    /// <inheritdoc/>
    public static Lane Exponent(Lane x, out Lane mantissa)
    {
        // Subtracting the bits of √½ first puts the boundary between exponents at √½ instead of 1.
        int bits = (int)Interop.FloatAsInt(x.Value), exponent = (bits - 0x3f3504f3) >> 23;
        mantissa = new(Interop.IntAsFloat((uint)(bits - (exponent << 23))));
        return new(exponent);
    }

    /// <inheritdoc/>
    public static Lane RoundToTf32(Lane x) => KeepNaN(x, new(Interop.IntAsFloat((Interop.FloatAsInt(x.Value) + 0x1000) & ~0x1fffu)));

    /// <inheritdoc/>
    public static Lane RoundToBf16(Lane x)
    {
        uint bits = Interop.FloatAsInt(x.Value);
        return KeepNaN(x, new(Interop.IntAsFloat((bits + 0x7fff + ((bits >> 16) & 1)) & ~0xffffu)));
    }

    /// <inheritdoc/>
    public static Lane Exp(Lane x) => Real.ExpInParts(x);

    /// <inheritdoc/>
    public static Lane ExpOfNegative(Lane x) => Real.ExpOfNegativeInParts(x);

    /// <inheritdoc/>
    public static Lane NormalTail(Lane x, out Lane size, out Lane ratio) => Real.NormalTailInParts(x, out size, out ratio);

    /// <inheritdoc/>
    public static float Sum(Lane value) => value.Value;

    /// <inheritdoc/>
    public static float Highest(Lane value) => value.Value;
}
