using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>x + y.</summary>
public static class AddOp
{
    /// <summary>
    /// x + y, element by element. x: any shape; y: the same, or its trailing dimensions, which are then added for each of the leading ones
    /// (a bias (D) or a position table (1, N, D) onto (B, N, D)). The result has the shape of x.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes do not fit, or the devices differ.</exception>
    public static Tensor Add(this Tensor x, Tensor y)
    {
        Binary<Function>.ThrowIfNotBroadcast(x, y, "Add");
        var z = x.Device.Rent(x.Shape);
        Binary<Function>.Run(x, y, z);
        Tape.For(x, y)?.Add<BackwardNode>(z).Of(x, y);
        return z;
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
}
