namespace Dino.Tensors.Ops;

/// <summary>
/// y = the rows of x of all ranks, in rank order, with a gradient: dx = the sum over the ranks of this rank's rows of dy. Losses that
/// compare every row with those of the whole batch need it.
/// </summary>
public static class AllGatherOp
{
    /// <summary>x (rows, …) of every rank → (ranks · rows, …), the same on all. With one rank it is x itself.</summary>
    /// <remarks>
    /// The backward pass sums over the ranks as well, so each of them has to play back a recording in which the result was used. The
    /// gradient is that of the sum of the ranks' losses.
    /// </remarks>
    /// <param name="x">At least one dimension, of the same shape on all ranks.</param>
    /// <param name="ranks">Who takes part.</param>
    /// <exception cref="ArgumentException">
    /// x is one number without a dimension, or the ranks gave another number of rows than they should.
    /// </exception>
    public static Tensor AllGather(this Tensor x, IRanks ranks)
    {
        Operands.Check(x);
        ArgumentNullException.ThrowIfNull(ranks);
        if (x.Shape.Rank == 0)
            throw new ArgumentException($"AllGather needs rows, not {x.Shape}.", nameof(x));
        if (ranks.Count == 1)
            return x;
        var y = Unrecorded(x, ranks);
        if (y.Shape != x.Shape.With(0, ranks.Count * x.Shape[0]))
            throw new ArgumentException($"AllGather: {ranks.Count} ranks with {x.Shape} each gave {y.Shape}.", nameof(ranks));
        Tape.For(x)?.Add<BackwardNode>(y).Of(x, ranks);
        return y;
    }

    /// <summary>What the ranks do with ops of their own is no part of the recording.</summary>
    private static Tensor Unrecorded(Tensor x, IRanks ranks)
    {
        if (x.Device.Tape is not { } tape)
            return ranks.Gather(x);
        tape.Pause();
        try
        {
            return ranks.Gather(x);
        }
        finally
        {
            tape.Resume();
        }
    }

    private sealed class BackwardNode : Node
    {
        private Tensor x = null!;
        private IRanks ranks = null!;

        public void Of(Tensor input, IRanks all) => (x, ranks) = (Track(input), all);

        public override void Backward(Tensor dy)
        {
            var sum = dy.Device.Rent(dy.Shape);
            sum.CopyFrom(dy); // dy may be another op's too
            ranks.Sum(sum);
            Tape.AddGradient(x, sum.Alias(x.Shape, ranks.Rank * x.Count));
        }
    }
}
