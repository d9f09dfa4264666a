using Dino.Tensors.Kernels.Copies;

namespace Dino.Tensors.Ops;

/// <summary>Tensors one after the other along one dimension.</summary>
public static class ConcatOp
{
    /// <summary>
    /// The parts in their order along a dimension (a negative one counts from the last). They have equal sizes in all others; the result's
    /// size there is the sum of theirs.
    /// </summary>
    /// <exception cref="ArgumentException">There are no parts, or shapes or devices differ.</exception>
    public static Tensor Concat(int dimension, params ReadOnlySpan<Tensor> parts)
    {
        if (parts.Length == 0)
            throw new ArgumentException("Concat: there are no tensors to join.", nameof(parts));
        foreach (var part in parts)
            ArgumentNullException.ThrowIfNull(part, nameof(parts));
        var first = parts[0];
        _ = first.Shape[dimension]; // throws where there is none
        dimension = dimension < 0 ? dimension + first.Shape.Rank : dimension;
        int size = 0;
        Tape? tape = null;
        foreach (var part in parts)
        {
            Operands.Check(first, part);
            if (part.Shape.Rank != first.Shape.Rank || part.Shape.With(dimension, first.Shape[dimension]) != first.Shape)
                throw new ArgumentException(
                    $"Concat: {part.Shape} and {first.Shape} differ elsewhere than in dimension {dimension}.", nameof(parts));
            if (size > int.MaxValue - part.Shape[dimension])
                throw new TensorSizeException($"Concat: the parts together are longer than {int.MaxValue} in dimension {dimension}.");
            size += part.Shape[dimension];
            tape ??= Tape.For(part);
        }
        var shape = first.Shape.With(dimension, size);
        int outer = shape.CountOf(0, dimension), stride = size * shape.CountOf(dimension + 1, shape.Rank), start = 0;
        var y = first.Device.Rent(shape);
        foreach (var part in parts)
        {
            int length = part.Count / Math.Max(1, outer);
            BlockCopy.Run(part, new(0, length), y, new(start, stride), outer, length, accumulate: 0);
            start += length;
        }
        tape?.Add<BackwardNode>(y).Of(parts, outer, stride);
        return y;
    }

    private sealed class BackwardNode : Node
    {
        private readonly List<Tensor> parts = [];
        private int outer, stride;

        public void Of(ReadOnlySpan<Tensor> inputs, int blocks, int between)
        {
            (outer, stride) = (blocks, between);
            parts.Clear();
            foreach (var part in inputs)
                parts.Add(Track(part));
        }

        public override void Backward(Tensor dy)
        {
            int start = 0;
            foreach (var part in parts)
            {
                int length = part.Count / Math.Max(1, outer);
                if (outer == 1)
                    Tape.AddGradient(part, dy.Alias(part.Shape, start));
                else if (Tape.GradientOf(part, out int accumulate) is { } target)
                    BlockCopy.Run(dy, new(start, stride), target, new(0, length), outer, length, accumulate);
                start += length;
            }
        }
    }
}
