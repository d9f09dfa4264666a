using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Sums;

namespace Dino.Tensors.Ops;

/// <summary>x · y, element by element.</summary>
public static class MultiplyOp
{
    /// <summary>
    /// x · y, element by element. The shapes are the same, or fit as in NumPy: from the last on, sizes are equal, or one is 1 or missing
    /// and
    /// serves all.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes do not fit, or the devices differ.</exception>
    public static Tensor Multiply(this Tensor x, Tensor y)
    {
        Operands.Broadcast(ref x, ref y);
        var z = x.Device.Rent(x.Shape);
        Binary<Function>.Run(x, y, z);
        Tape.For(x, y)?.Add<BackwardNode>(z).Of(x, y);
        return z;
    }

    /// <summary>x · value, element by element. Any shape; the result has the same.</summary>
    public static Tensor Multiply(this Tensor x, float value) => x.Scale(value);

    internal readonly struct Function : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Apply<T>(T a, T b) where T : struct, IReal<T> => a * b;
    }

    private sealed class BackwardNode : Node
    {
        private Tensor x = null!, y = null!;

        public void Of(Tensor first, Tensor second) =>
            (x, y) = (second.RequiresGrad ? Save(first) : Track(first), first.RequiresGrad ? Save(second) : Track(second));

        // dx = dy · y; the gradient of y is x · dy, summed over the leading dimensions.
        public override void Backward(Tensor dy)
        {
            if (Tape.GradientOf(x, out int accumulate) is { } dx)
                Binary<Function>.Run(dy, y, dx, accumulate);
            if (Tape.GradientOf(y, out accumulate) is not { } target)
                return;
            if (y.Count == x.Count)
            {
                Binary<Function>.Run(dy, x, target, accumulate);
                return;
            }
            var product = dy.Device.Rent(dy.Shape);
            Binary<Function>.Run(dy, x, product);
            ColumnSum.Run(product, target, accumulate);
        }
    }
}
