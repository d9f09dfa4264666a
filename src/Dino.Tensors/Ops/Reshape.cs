namespace Dino.Tensors.Ops;

/// <summary>The same numbers, row-major, under another shape.</summary>
public static class ReshapeOp
{
    /// <summary>x under another shape of as many elements; shares the memory of x.</summary>
    /// <exception cref="ArgumentException">The shape has another number of elements.</exception>
    public static Tensor Reshape(this Tensor x, Shape shape)
    {
        ArgumentNullException.ThrowIfNull(x);
        x.ThrowIfEnded();
        if (shape.Count != x.Count)
            throw new ArgumentException($"Reshape: {shape} has {shape.Count} elements, {x.Shape} has {x.Count}.", nameof(shape));
        var y = x.Alias(shape);
        Tape.For(x)?.Add<BackwardNode>(y).Of(x);
        return y;
    }

    private sealed class BackwardNode : Node
    {
        private Tensor x = null!;

        public void Of(Tensor input) => x = Track(input);

        public override void Backward(Tensor dy) => Tape.AddGradient(x, dy);
    }
}
