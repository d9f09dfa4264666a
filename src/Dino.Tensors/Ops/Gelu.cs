using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>x · Φ(x) with the exact normal distribution function Φ(x) = (1 + erf(x/√2)) / 2 (Hendrycks and Gimpel, 2016).</summary>
public static class GeluOp
{
    /// <summary>x · Φ(x), element by element. Any shape; the result has the same.</summary>
    public static Tensor Gelu(this Tensor x) => Unary<Function>.Apply(x);

    internal readonly struct Function : IUnary
    {
        // max(x, 0) − |x| Φ(−|x|)
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Forward<T>(T x) where T : struct, IReal<T>
        {
            T e = Real.NormalTail(x, out T size, out T ratio);
            return T.Max(x, T.Of(0f)) - size * e * ratio;
        }

        // d/dx x Φ(x) = Φ(x) + x φ(x): below 0 it is Φ(−|x|) − |x| φ(x), above 0 what that lacks of 1.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Backward<T>(T x, T dy) where T : struct, IReal<T>
        {
            T e = Real.NormalTail(x, out T size, out T ratio), tail = e * T.Fma(T.Of(-0.398942280f), size, ratio);
            return dy * T.WhereLess(x, T.Of(0f), tail, T.Of(1f) - tail);
        }
    }
}
