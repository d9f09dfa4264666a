using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Sums;

namespace Dino.Tensors.Ops;

/// <summary>x − y.</summary>
public static class SubtractOp
{
    /// <summary>
    /// x − y, element by element. The shapes are the same, or fit as in NumPy: from the last on, sizes are equal, or one is 1 or missing
    /// and
    /// serves all.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes do not fit, or the devices differ.</exception>
    public static Tensor Subtract(this Tensor x, Tensor y)
    {
        Operands.Broadcast(ref x, ref y);
        var z = x.Device.Rent(x.Shape);
        Binary<Function>.Run(x, y, z);
        Tape.For(x, y)?.Add<BackwardNode>(z).Of(x, y);
        return z;
    }

    /// <summary>x − value, element by element. Any shape; the result has the same.</summary>
    public static Tensor Subtract(this Tensor x, float value) => x.Add(-value);

    /// <summary>value − x, element by element. Any shape; the result has the same.</summary>
    public static Tensor Subtract(float value, Tensor x)
    {
        Operands.Check(x);
        var z = x.Device.Rent(x.Shape);
        Binary<Function>.Run(x, value, z, numberFirst: true);
        Tape.For(x)?.Add<BackwardNode>(z).Of(null, x);
        return z;
    }

    internal readonly struct Function : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Apply<T>(T a, T b) where T : struct, IReal<T> => a - b;
    }

    private sealed class BackwardNode : Node
    {
        private Tensor? x;
        private Tensor y = null!;

        public void Of(Tensor? first, Tensor second) => (x, y) = (Track(first), Track(second));

        public override void Backward(Tensor dy)
        {
            Tape.AddGradient(x, dy);
            if (Tape.GradientOf(y, out int accumulate) is not { } target)
                return;
            var sums = dy;
            if (y.Count != dy.Count)
            {
                sums = dy.Device.Rent(y.Shape);
                ColumnSum.Run(dy, sums, accumulate: 0);
            }
            ScaleOp.Run(sums, target, -1, accumulate);
        }
    }
}
