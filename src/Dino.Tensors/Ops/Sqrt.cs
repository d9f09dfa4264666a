using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>√x.</summary>
public static class SqrtOp
{
    /// <summary>The square root, element by element: NaN below 0. Any shape; the result has the same.</summary>
    public static Tensor Sqrt(this Tensor x) => Unary<Function>.Apply(x);

    internal readonly struct Function : IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Forward<T>(T x) where T : struct, IReal<T> => T.Sqrt(x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Backward<T>(T x, T dy) where T : struct, IReal<T> => dy / (T.Of(2f) * T.Sqrt(x));
    }
}
