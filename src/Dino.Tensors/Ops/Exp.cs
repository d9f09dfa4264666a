using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>eˣ.</summary>
public static class ExpOp
{
    /// <summary>eˣ, element by element; infinity above 88.72. Any shape; the result has the same.</summary>
    public static Tensor Exp(this Tensor x) => Unary<Function>.Apply(x);

    internal readonly struct Function : IUnary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Forward<T>(T x) where T : struct, IReal<T> => Real.Exp(x);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Backward<T>(T x, T dy) where T : struct, IReal<T> => dy * Real.Exp(x);
    }
}
