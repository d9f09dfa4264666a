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
        private const float End = 13.15f; // Φ and φ are 0 or 1 beyond; infinity times that 0 would be NaN

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Forward<T>(T x) where T : struct, IReal<T> => T.Max(x, T.Of(-End)) * Real.NormalDistribution(x, out _);

        // d/dx x Φ(x) = Φ(x) + x φ(x)
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Backward<T>(T x, T dy) where T : struct, IReal<T>
        {
            T distribution = Real.NormalDistribution(x, out T density);
            return dy * T.Fma(T.Min(T.Max(x, T.Of(-End)), T.Of(End)), density, distribution);
        }
    }
}
