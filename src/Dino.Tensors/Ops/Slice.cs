using Dino.Tensors.Kernels.Copies;

namespace Dino.Tensors.Ops;

/// <summary>A range of one dimension: y[…, i, …] = x[…, start + i, …].</summary>
public static class SliceOp
{
    /// <summary>
    /// The elements start … start + length − 1 of a dimension (a negative one counts from the last). The result has the shape of x but for
    /// that size; it shares the memory of x if it lies there in one piece.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such dimension, or the range leaves it.</exception>
    public static Tensor Slice(this Tensor x, int dimension, int start, int length)
    {
        ArgumentNullException.ThrowIfNull(x);
        x.ThrowIfEnded();
        int size = x.Shape[dimension];
        if (start < 0 || length < 0 || start > size - length)
            throw new ArgumentOutOfRangeException(
                nameof(start), $"Slice: elements {start} to {(long)start + length} (exclusive) of dimension {dimension} of {x.Shape}.");
        dimension = dimension < 0 ? dimension + x.Shape.Rank : dimension;
        int outer = x.Shape.CountOf(0, dimension), inner = x.Shape.CountOf(dimension + 1, x.Shape.Rank);
        var shape = x.Shape.With(dimension, length);
        Tensor y;
        if (outer == 1)
            y = x.Alias(shape, start * inner);
        else
        {
            x.ThrowIfNot(DType.Float32);
            y = x.Device.Rent(shape);
            BlockCopy.Run(x, new(start * inner, size * inner), y, new(0, length * inner), outer, length * inner, accumulate: 0);
        }
        Tape.For(x)?.Add<BackwardNode>(y).Of(x, start * inner, size * inner, length * inner, outer);
        return y;
    }

    private sealed class BackwardNode : Node
    {
        private Tensor x = null!;
        private int start, stride, length, outer;

        public void Of(Tensor input, int first, int between, int block, int blocks) =>
            (x, start, stride, length, outer) = (Track(input), first, between, block, blocks);

        public override void Backward(Tensor dy)
        {
            var dx = Tape.GradientOf(x, out int accumulate)!;
            if (accumulate == 0)
                dx.Fill(0);
            BlockCopy.Run(dy, new(0, length), dx, new(start, stride), outer, length, accumulate);
        }
    }
}
