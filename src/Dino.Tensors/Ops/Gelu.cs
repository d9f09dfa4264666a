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
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Forward<T>(T x) where T : struct, IReal<T> => x * Distribution(x);

        // d/dx x Φ(x) = Φ(x) + x φ(x)
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Backward<T>(T x, T dy) where T : struct, IReal<T> =>
            dy * T.Fma(x, Real.NormalDensity(x), Distribution(x));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static T Distribution<T>(T x) where T : struct, IReal<T> =>
            T.Of(0.5f) * (T.Of(1f) + Real.Erf(x * T.Of(0.707106781f)));
    }
}
