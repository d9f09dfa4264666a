using Dino.Tensors.Memory;

namespace Dino.Tensors.Ops;

/// <summary>A part of a network that keeps only its input, and is computed again in the backward pass (Chen et al., 2016).</summary>
/// <remarks>torch.utils.checkpoint. Values and gradients are the same to the last bit, for the price of another forward pass.</remarks>
public static class RecomputeOp
{
    /// <summary>function(x, state); while a tape records, nothing inside is kept.</summary>
    /// <param name="x">The input, any shape.</param>
    /// <param name="state">What the function needs besides, so that it can be static and cost no allocation.</param>
    /// <param name="function">
    /// Makes a new tensor, and the same one when called again in the backward pass: its randomness must follow from the state, and what it
    /// uses besides x must not be overwritten before. What it changes besides (running statistics) it must leave the second time:
    /// <see cref="Device.IsRecomputing"/>.
    /// </param>
    /// <exception cref="InvalidOperationException">The function gave back a tensor that was there before.</exception>
    public static Tensor Recompute<TState>(this Tensor x, TState state, Func<Tensor, TState, Tensor> function)
    {
        var device = Operands.Check(x);
        if (device.Tape is not { } tape)
            return function(x, state);
        Tensor y;
        using (var scope = device.BeginArena())
        {
            tape.Pause();
            try
            {
                y = scope.Keep(function(x, state));
            }
            finally
            {
                tape.Resume();
            }
            if (ReferenceEquals(y, x) || y.RequiresGrad)
                throw new InvalidOperationException($"Recompute: the function must make a new tensor, and gave back {y.Summary}.");
        }
        tape.Add<BackwardNode<TState>>(y).Of(tape, x, state, function);
        return y;
    }

    private sealed class BackwardNode<TState> : Node
    {
        private Tape tape = null!;
        private Tensor x = null!;
        private TState state = default!;
        private (long Time, Arena Arena)? outer; // of a part within a part
        private long computed; // when, for the first time
        private Func<Tensor, TState, Tensor> function = null!;

        public void Of(Tape recording, Tensor input, TState given, Func<Tensor, TState, Tensor> part) =>
            (tape, x, state, function, outer, computed) =
            (recording, Save(input), given, part, recording.Again, recording.Again?.Time ?? WriteCount.Now);

        public override void Backward(Tensor dy)
        {
            var input = x.Alias(x.Shape);
            input.RequiresGrad = x.RequiresGrad;
            using (var arena = dy.Device.BeginArena()) // the function's tensors are its own, as they were the first time
            {
                tape.Inner.Record();
                tape.Inner.Again = (computed, outer?.Arena ?? arena);
                try
                {
                    var y = RunAgain(input);
                    tape.Inner.ThrowIfOverwrittenSince(computed, outer?.Arena ?? arena);
                    if (y.RequiresGrad) // otherwise nothing in it is trained
                        tape.Inner.Backward(y, dy);
                }
                finally
                {
                    tape.Inner.Again = null;
                    tape.Inner.Dispose();
                }
            }
            if (input.Grad is { } dx)
                Tape.AddGradient(x, dx);
        }

        private Tensor RunAgain(Tensor input)
        {
            var device = input.Device;
            bool before = device.IsRecomputing; // a part within a part
            device.IsRecomputing = true;
            try
            {
                return function(input, state);
            }
            finally
            {
                device.IsRecomputing = before;
            }
        }
    }
}
