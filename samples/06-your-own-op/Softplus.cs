using System.Runtime.CompilerServices;
using Dino.Tensors;
using Dino.Tensors.Kernels;

namespace Dino.Samples;

/// <summary>ln(1 + eˣ): an elementwise op with its gradient is a struct of two formulas.</summary>
public static class SoftplusOp
{
    /// <summary>ln(1 + eˣ), element by element. Any shape; the result has the same.</summary>
    public static Tensor Softplus(this Tensor x) => Unary<Function>.Apply(x);

    /// <summary>Written over any number: vectors of a host core, a float of a GPU's thread.</summary>
    public readonly struct Function : IUnary
    {
        // max(x, 0) + ln(1 + e^−|x|) does not overflow.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Forward<T>(T x) where T : struct, IReal<T> =>
            T.KeepNaN(x, T.Max(x, T.Of(0)) + Real.Log(T.Of(1) + Real.ExpOfNegative(-T.Abs(x))));

        // The derivative is 1 / (1 + e^−x).
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Backward<T>(T x, T dy) where T : struct, IReal<T> => dy / (T.Of(1) + Real.Exp(-x));
    }
}
