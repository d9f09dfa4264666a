using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Sums;

namespace Dino.Tensors.Ops;

/// <summary>x + y.</summary>
public static class AddOp
{
    /// <summary>
    /// x + y, element by element. The shapes are the same, or fit as in NumPy: from the last on, sizes are equal, or one is 1 or missing
    /// and
    /// serves all (a bias (D) or a position table (1, N, D) onto (B, N, D)).
    /// </summary>
    /// <exception cref="ArgumentException">The shapes do not fit, or the devices differ.</exception>
    public static Tensor Add(this Tensor x, Tensor y)
    {
        Operands.Broadcast(ref x, ref y);
        var z = x.Device.Rent(x.Shape);
        Binary<Function>.Run(x, y, z);
        Tape.For(x, y)?.Add<BackwardNode>(z).Of(x, y);
        return z;
    }

    /// <summary>x + value, element by element. Any shape; the result has the same.</summary>
    public static Tensor Add(this Tensor x, float value)
    {
        Operands.Check(x);
        var y = x.Device.Rent(x.Shape);
        Binary<Function>.Run(x, value, y);
        Tape.For(x)?.Add<NumberBackwardNode>(y).Of(x);
        return y;
    }

    internal readonly struct Function : IBinary
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Apply<T>(T a, T b) where T : struct, IReal<T> => a + b;
    }

    private sealed class BackwardNode : Node
    {
        private Tensor x = null!, y = null!;

        public void Of(Tensor first, Tensor second) => (x, y) = (Track(first), Track(second));

        public override void Backward(Tensor dy)
        {
            Tape.AddGradient(x, dy);
            if (y.Count == dy.Count)
                Tape.AddGradient(y, dy);
            else if (Tape.GradientOf(y, out int accumulate) is { } target)
                ColumnSum.Run(dy, target, accumulate);
        }
    }

    private sealed class NumberBackwardNode : Node
    {
        private Tensor x = null!;

        public void Of(Tensor input) => x = Track(input);

        public override void Backward(Tensor dy) => Tape.AddGradient(x, dy);
    }
}
