using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Sums;

namespace Dino.Tensors.Ops;

/// <summary>x / y.</summary>
public static class DivideOp
{
    /// <summary>
    /// x / y, element by element. The shapes are the same, or fit as in NumPy: from the last on, sizes are equal, or one is 1 or missing
    /// and
    /// serves all.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes do not fit, or the devices differ.</exception>
    public static Tensor Divide(this Tensor x, Tensor y)
    {
        Operands.Broadcast(ref x, ref y);
        var z = x.Device.Rent(x.Shape);
        Binary<Function>.Run(x, y, z);
        Tape.For(x, y)?.Add<BackwardNode>(z).Of(x, y, z);
        return z;
    }

    /// <summary>x / value, element by element. Any shape; the result has the same.</summary>
    public static Tensor Divide(this Tensor x, float value)
    {
        Operands.Check(x);
        var z = x.Device.Rent(x.Shape);
        Binary<Function>.Run(x, value, z);
        Tape.For(x)?.Add<NumberBackwardNode>(z).Of(x, value);
        return z;
    }

    /// <summary>value / x, element by element. Any shape; the result has the same.</summary>
    public static Tensor Divide(float value, Tensor x)
    {
        Operands.Check(x);
        var z = x.Device.Rent(x.Shape);
        Binary<Function>.Run(x, value, z, numberFirst: true);
        Tape.For(x)?.Add<BackwardNode>(z).Of(null, x, z);
        return z;
    }

    internal readonly struct Function : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Apply<T>(T a, T b) where T : struct, IReal<T> => a / b;
    }

    private sealed class BackwardNode : Node
    {
        private Tensor? x, z;
        private Tensor y = null!;

        public void Of(Tensor? first, Tensor second, Tensor quotient) =>
            (x, y, z) = (Track(first), Save(second), second.RequiresGrad ? Save(quotient) : null);

        // dx = dy / y; the gradient of y is −dy · z / y, summed over the leading dimensions.
        public override void Backward(Tensor dy)
        {
            if (Tape.GradientOf(x, out int accumulate) is { } dx)
                Binary<Function>.Run(dy, y, dx, accumulate);
            if (Tape.GradientOf(y, out accumulate) is not { } target)
                return;
            var share = dy.Device.Rent(dy.Shape);
            Binary<MultiplyOp.Function>.Run(dy, z!, share);
            Binary<Function>.Run(share, y, share);
            var sums = share;
            if (y.Count != share.Count)
            {
                sums = dy.Device.Rent(y.Shape);
                ColumnSum.Run(share, sums, accumulate: 0);
            }
            ScaleOp.Run(sums, target, -1, accumulate);
        }
    }

    private sealed class NumberBackwardNode : Node
    {
        private Tensor x = null!;
        private float divisor;

        public void Of(Tensor input, float by) => (x, divisor) = (Track(input), by);

        public override void Backward(Tensor dy) =>
            Binary<Function>.Run(dy, divisor, Tape.GradientOf(x, out int accumulate)!, accumulate: accumulate);
    }
}
