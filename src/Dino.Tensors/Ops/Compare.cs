using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>
/// Masks: 1 where a comparison holds, 0 elsewhere. NaN is less than, greater than and equal to nothing. Not differentiable.
/// </summary>
/// <remarks>Shapes of two tensors are the same, or fit as in <see cref="AddOp.Add(Tensor, Tensor)"/>.</remarks>
public static class CompareOp
{
    /// <summary>x &lt; y</summary>
    public static Tensor Less(this Tensor x, Tensor y) => Of<LessFunction>(x, y, swapped: false);

    /// <summary>x &lt; value</summary>
    public static Tensor Less(this Tensor x, float value) => Of<LessFunction>(x, value, numberFirst: false);

    /// <summary>x ≤ y</summary>
    public static Tensor LessEqual(this Tensor x, Tensor y) => Of<LessEqualFunction>(x, y, swapped: false);

    /// <summary>x ≤ value</summary>
    public static Tensor LessEqual(this Tensor x, float value) => Of<LessEqualFunction>(x, value, numberFirst: false);

    /// <summary>x &gt; y</summary>
    public static Tensor Greater(this Tensor x, Tensor y) => Of<LessFunction>(x, y, swapped: true);

    /// <summary>x &gt; value</summary>
    public static Tensor Greater(this Tensor x, float value) => Of<LessFunction>(x, value, numberFirst: true);

    /// <summary>x ≥ y</summary>
    public static Tensor GreaterEqual(this Tensor x, Tensor y) => Of<LessEqualFunction>(x, y, swapped: true);

    /// <summary>x ≥ value</summary>
    public static Tensor GreaterEqual(this Tensor x, float value) => Of<LessEqualFunction>(x, value, numberFirst: true);

    /// <summary>x = y</summary>
    public static Tensor Eq(this Tensor x, Tensor y) => Of<EqualFunction>(x, y, swapped: false);

    /// <summary>x = value</summary>
    public static Tensor Eq(this Tensor x, float value) => Of<EqualFunction>(x, value, numberFirst: false);

    /// <summary>x ≠ y: what is not equal, NaN among it.</summary>
    public static Tensor NotEqual(this Tensor x, Tensor y) => Inverted(x.Eq(y));

    /// <summary>x ≠ value: what is not equal, NaN among it.</summary>
    public static Tensor NotEqual(this Tensor x, float value) => Inverted(x.Eq(value));

    private static Tensor Of<TFunction>(Tensor x, Tensor y, bool swapped, [CallerMemberName] string op = "")
        where TFunction : struct, IBinary
    {
        Operands.Check(x, y, op: op);
        (x, y) = (x.Detach(), y.Detach());
        Operands.Broadcast(ref x, ref y, op);
        var mask = x.Device.Rent(x.Shape);
        if (swapped)
            Binary<TFunction>.Run(y.Expand(x.Shape), x, mask);
        else
            Binary<TFunction>.Run(x, y, mask);
        return mask;
    }

    private static Tensor Of<TFunction>(Tensor x, float value, bool numberFirst, [CallerMemberName] string op = "")
        where TFunction : struct, IBinary
    {
        Operands.Check(x, op: op);
        var mask = x.Device.Rent(x.Shape);
        Binary<TFunction>.Run(x, value, mask, numberFirst);
        return mask;
    }

    private static Tensor Inverted(Tensor mask)
    {
        Binary<SubtractOp.Function>.Run(mask, 1, mask, numberFirst: true);
        return mask;
    }

    /// <summary>0 where one of the two is NaN, otherwise the result.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Ordered<T>(T a, T b, T result) where T : struct, IReal<T> => T.WhereNaN(a, T.Of(0f), T.WhereNaN(b, T.Of(0f), result));

    internal readonly struct LessFunction : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Apply<T>(T a, T b) where T : struct, IReal<T> => Ordered(a, b, T.WhereLess(a, b, T.Of(1f), T.Of(0f)));
    }

    internal readonly struct LessEqualFunction : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Apply<T>(T a, T b) where T : struct, IReal<T> => Ordered(a, b, T.WhereLess(b, a, T.Of(0f), T.Of(1f)));
    }

    internal readonly struct EqualFunction : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Apply<T>(T a, T b) where T : struct, IReal<T> =>
            Ordered(a, b, T.WhereLess(a, b, T.Of(0f), T.WhereLess(b, a, T.Of(0f), T.Of(1f))));
    }
}
