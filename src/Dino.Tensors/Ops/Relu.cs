using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>max(x, 0).</summary>
public static class ReluOp
{
    /// <summary>
    /// max(x, 0), element by element; NaN stays NaN, and its gradient passes as in PyTorch. Any shape; the result has the same.
    /// </summary>
    public static Tensor Relu(this Tensor x) => Unary<Function>.Apply(x);

    internal readonly struct Function : IUnary
    {
        public static T Forward<T>(T x) where T : struct, IReal<T> => T.KeepNaN(x, T.WhereLess(T.Of(0f), x, x, T.Of(0f)));

        public static T Backward<T>(T x, T dy) where T : struct, IReal<T> => T.WhereNaN(x, dy, T.WhereLess(T.Of(0f), x, dy, T.Of(0f)));
    }
}
