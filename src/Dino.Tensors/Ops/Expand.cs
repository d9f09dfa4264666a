using Dino.Tensors.Kernels.Copies;

namespace Dino.Tensors.Ops;

/// <summary>x repeated along dimensions where its size is 1, or that it lacks.</summary>
public static class ExpandOp
{
    /// <summary>
    /// x as a tensor of a larger shape: counted from the last dimension, its sizes are those of the shape, or 1, or missing, and then all
    /// indices have the same numbers. The result is a copy, unless nothing is repeated.
    /// </summary>
    /// <exception cref="ArgumentException">The sizes do not fit.</exception>
    public static Tensor Expand(this Tensor x, Shape shape)
    {
        Operands.Check(x);
        bool fits = x.Shape.Rank <= shape.Rank;
        for (int i = 1; fits && i <= x.Shape.Rank; i++)
            fits = x.Shape[-i] == shape[-i] || x.Shape[-i] == 1;
        if (!fits)
            throw new ArgumentException($"Expand: {x.Shape} does not repeat to {shape}.", nameof(shape));
        return shape == x.Shape ? x.Reshape(shape) : To(x, shape);
    }

    /// <summary>The same of operands that were checked and of shapes that fit.</summary>
    internal static Tensor To(Tensor x, Shape shape)
    {
        if (shape == x.Shape)
            return x;
        if (shape.Count == x.Count)
            return x.Reshape(shape);
        var y = x.Device.Rent(shape);
        Span<int> strides = stackalloc int[shape.Rank];
        int stride = 1;
        for (int i = 1; i <= shape.Rank; i++)
        {
            strides[^i] = IsRepeated(x.Shape, shape, i) ? 0 : stride;
            stride *= i <= x.Shape.Rank ? x.Shape[-i] : 1;
        }
        StridedCopy.Run(x, StridedCopy.Strides.Of(strides), y, accumulate: 0);
        Tape.For(x)?.Add<BackwardNode>(y).Of(x);
        return y;
    }

    /// <summary>Whether the dimension, counted from 1 for the last, is one along which x repeats.</summary>
    private static bool IsRepeated(Shape x, Shape shape, int fromLast) => shape[-fromLast] != 1 && (fromLast > x.Rank || x[-fromLast] == 1);

    private sealed class BackwardNode : Node
    {
        private Tensor x = null!;

        public void Of(Tensor input) => x = Track(input);

        // The sum over all copies of an element.
        public override void Backward(Tensor dy)
        {
            var sum = dy;
            for (int i = dy.Shape.Rank; i >= 1; i--)
            {
                if (IsRepeated(x.Shape, dy.Shape, i))
                    sum = sum.Sum(dy.Shape.Rank - i, keepDim: true);
            }
            Tape.AddGradient(x, sum);
        }
    }
}
