using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>ln x.</summary>
public static class LogOp
{
    /// <summary>The natural logarithm, element by element: −infinity of 0, NaN below. Any shape; the result has the same.</summary>
    public static Tensor Log(this Tensor x) => Unary<Function>.Apply(x);

    internal readonly struct Function : IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Forward<T>(T x) where T : struct, IReal<T> => Real.Log(x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Backward<T>(T x, T dy) where T : struct, IReal<T> => dy / x;
    }
}
