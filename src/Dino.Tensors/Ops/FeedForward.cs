using Dino.Tensors.Kernels.Gemm;

namespace Dino.Tensors.Ops;

/// <summary>
/// residual + keep · (GELU(x W₁ᵀ + b₁) W₂ᵀ + b₂): the feed-forward part of a transformer's block (Vaswani et al., 2017, section 3.3) as the
/// branch of a residual connection (<see cref="AddBranchOp"/>).
/// </summary>
/// <remarks>
/// One op, because the hidden layer is the widest tensor of a block: the activation is applied to each piece of the first product while it
/// is in a
/// core's cache, and the backward pass has only its input, from which it makes the output again along with the gradient.
/// </remarks>
public static class FeedForwardOp
{
    /// <summary>
    /// x: (B, …, in), weight1: (hidden, in), bias1: (hidden), weight2: (out, hidden), bias2: (out), keep: (B) or null; residual and result
    /// (B, …, out). Without a residual it is the branch alone, and keep must be null, too.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes do not fit together.</exception>
    public static Tensor FeedForward(
        this Tensor x, Tensor weight1, Tensor bias1, Tensor weight2, Tensor bias2, Tensor? residual, Tensor? keep) =>
        x.FeedForward<GeluOp.Fused>(weight1, bias1, weight2, bias2, residual, keep);

    /// <summary>The same with another activation than GELU, any struct that is an <see cref="IActivation"/>.</summary>
    /// <inheritdoc cref="FeedForward(Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)"/>
    public static Tensor FeedForward<TActivation>(
        this Tensor x, Tensor weight1, Tensor bias1, Tensor weight2, Tensor bias2, Tensor? residual, Tensor? keep)
        where TActivation : struct, IActivation
    {
        var device = Operands.Check(x, weight1, bias1, weight2, bias2);
        Operands.With(x, residual, nameof(FeedForward));
        Operands.With(x, keep, nameof(FeedForward));
        if (residual is null && keep is not null)
            throw new ArgumentException("FeedForward: there are factors, and no residual to add the branch to.", nameof(keep));
        var first = LinearOp.Fit(x, weight1, bias1);
        var before = device.Rent(x.Shape.WithRowLength(first.N));
        var second = LinearOp.Fit(before, weight2, bias2);
        var y = device.Rent(x.Shape.WithRowLength(second.N));
        bool recorded = Tape.For(x, weight1, bias1) is not null || Tape.For(weight2, bias2, residual) is not null;
        using (device.BeginScope())
        {
            // Without a backward pass the activation takes the place of its input.
            var hidden = recorded ? device.Rent(before.Shape) : before;
            MatrixProduct.Run<TActivation>(device, first, x, weight1, hidden, Epilogue.Activation(bias1, recorded ? before : null));
            if (residual is null)
                MatrixProduct.Run(device, second, hidden, weight2, y, new() { Bias = bias2 });
            else
                LinearOp.AddProduct(second, hidden, weight2, bias2, residual, keep, y);
        }
        if (recorded)
            device.Tape!.Add<BackwardNode<TActivation>>(y).Of(x, weight1, bias1, before, weight2, bias2, residual, keep);
        before.Dispose();
        return y;
    }

    private sealed class BackwardNode<TActivation> : Node where TActivation : struct, IActivation
    {
        private Tensor x = null!, weight1 = null!, bias1 = null!, before = null!, weight2 = null!, bias2 = null!;
        private Tensor? residual, keep;

        public void Of(Tensor input, Tensor w1, Tensor b1, Tensor sums, Tensor w2, Tensor b2, Tensor? stream, Tensor? factors)
        {
            (x, weight1, bias1, before, weight2, bias2) = (SaveOrRemake(input), Save(w1), Track(b1), Save(sums), Save(w2), Track(b2));
            (residual, keep) = (Track(stream), Save(factors));
        }

        public override void Backward(Tensor dy)
        {
            var device = dy.Device;
            if (residual is not null)
                Tape.AddGradient(residual, dy);
            dy = AddBranchOp.OfBranch(dy, keep);
            Tensor dBefore = device.Rent(before.Shape), hidden = device.Rent(before.Shape);
            // dBefore = (dy · W₂) ∘ f′(before), and hidden = f(before).
            var shape = GemmShape.Dense(dy.Shape.Rows, weight2.Shape[1], weight2.Shape[0]);
            MatrixProduct.Run<TActivation>(device, shape, dy, weight2, dBefore, Epilogue.ActivationBackward(before, hidden));
            LinearOp.BackwardOfParameters(hidden, weight2, bias2, dy);
            hidden.Dispose();
            LinearOp.Backward(x, weight1, bias1, dBefore);
        }
    }
}
