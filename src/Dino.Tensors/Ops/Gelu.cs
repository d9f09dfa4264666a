using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Gemm;

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

    /// <summary>GELU within a product.</summary>
    internal readonly struct Fused : IActivation
    {
        /// <summary>On the host off by 1.6e-7 of |x| or of 1, whichever is more, as libtorch's.</summary>
        /// <remarks>
        /// There max(x, 0) − |x| Φ(−|x|), the latter as |x|/2 − s P(s) / Q(s) with s = x²: the best rational approximation of these degrees
        /// up to
        /// 5.4, where in this arithmetic it is 0. It takes half the work of the normal tail, whose every digit is right; here only the sum
        /// counts.
        /// </remarks>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Forward<T>(T x) where T : struct, IReal<T>
        {
            if (T.Width == 1)
                return Function.Forward(x);
            T a = T.Min(T.Of(5.39999962f), T.Abs(x)), s = a * a;
            T p = T.Fma(T.Of(2.27768948e-8f), s, T.Of(6.49040465e-6f));
            T q = T.Fma(T.Of(1.20866233e-6f), s, T.Of(7.65105949e-5f));
            p = T.Fma(p, s, T.Of(0.000176267029f));
            q = T.Fma(q, s, T.Of(0.001925496f));
            p = T.Fma(p, s, T.Of(0.00472240473f));
            q = T.Fma(q, s, T.Of(0.029027942f));
            p = T.Fma(p, s, T.Of(0.0344921483f));
            q = T.Fma(q, s, T.Of(0.253123277f));
            p = T.Fma(p, s, T.Of(0.398942054f));
            q = T.Fma(q, s, T.Of(1f));
            return T.Max(x, T.Of(0f)) + T.Fma(a, T.Of(-0.5f), s * p / q);
        }

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Backward<T>(T x, T dy) where T : struct, IReal<T> => Function.Backward(x, dy);

        /// <inheritdoc/>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T ForwardBackward<T>(T x, T dy, out T dx) where T : struct, IReal<T>
        {
            T e = Real.NormalTail(x, out T size, out T ratio), tail = e * T.Fma(T.Of(-0.398942280f), size, ratio);
            dx = dy * T.WhereLess(x, T.Of(0f), tail, T.Of(1f) - tail);
            return T.Max(x, T.Of(0f)) - size * e * ratio;
        }
    }
}
