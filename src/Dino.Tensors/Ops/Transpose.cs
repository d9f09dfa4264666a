using Dino.Tensors.Kernels.Copies;

namespace Dino.Tensors.Ops;

/// <summary>Two dimensions of a tensor in each other's place.</summary>
public static class TransposeOp
{
    /// <summary>xᵀ of a matrix (M, N), as a copy of shape (N, M). (A product takes a transposed operand without one: see MatMul.)</summary>
    /// <exception cref="ArgumentException">x is no matrix.</exception>
    public static Tensor Transpose(this Tensor x)
    {
        Operands.Check(x);
        return x.Shape.Rank == 2
            ? x.Transpose(0, 1)
            : throw new ArgumentException($"Transpose: {x.Shape} is no matrix; say which two dimensions.", nameof(x));
    }

    /// <summary>
    /// x with two dimensions exchanged (negative ones count from the last), as a copy: (B, N, D) of 1 and 2 gives (B, D, N).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such dimension.</exception>
    public static Tensor Transpose(this Tensor x, int dimension0, int dimension1)
    {
        Operands.Check(x);
        _ = (x.Shape[dimension0], x.Shape[dimension1]); // throws where there is none
        int rank = x.Shape.Rank;
        (dimension0, dimension1) = (dimension0 < 0 ? dimension0 + rank : dimension0, dimension1 < 0 ? dimension1 + rank : dimension1);
        var y = x.Device.Rent(x.Shape.With(dimension0, x.Shape[dimension1]).With(dimension1, x.Shape[dimension0]));
        Run(x, y, dimension0, dimension1, accumulate: 0);
        Tape.For(x)?.Add<BackwardNode>(y).Of(x, dimension0, dimension1);
        return y;
    }

    private static void Run(Tensor x, Tensor y, int dimension0, int dimension1, int accumulate)
    {
        Span<int> strides = stackalloc int[x.Shape.Rank];
        for (int i = 0; i < strides.Length; i++)
            strides[i] = x.Shape.CountOf(i + 1, strides.Length);
        (strides[dimension0], strides[dimension1]) = (strides[dimension1], strides[dimension0]);
        StridedCopy.Run(x, StridedCopy.Strides.Of(strides), y, accumulate);
    }

    private sealed class BackwardNode : Node
    {
        private Tensor x = null!;
        private int dimension0, dimension1;

        public void Of(Tensor input, int first, int second) => (x, dimension0, dimension1) = (Track(input), first, second);

        public override void Backward(Tensor dy) => Run(dy, Tape.GradientOf(x, out int accumulate)!, dimension0, dimension1, accumulate);
    }
}
