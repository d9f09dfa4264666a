using Dino.Tensors.Kernels.Attention;

namespace Dino.Tensors.Ops;

/// <summary>softmax(Q Kᵀ / √d) V for every head.</summary>
public static class AttentionOp
{
    /// <summary>
    /// Scaled dot-product self-attention (Vaswani et al. 2017, eq. 1), fused: the weights (B, H, N, N) are never stored; the backward pass
    /// makes them again from the largest score and the sum of each row.
    /// </summary>
    /// <param name="qkv">(B, N, 3·D): queries, keys and values side by side, each H heads of D/H.</param>
    /// <param name="heads">H; must divide D.</param>
    /// <returns>(B, N, D), the heads side by side.</returns>
    public static Tensor Attention(this Tensor qkv, int heads)
    {
        var shape = Fit(qkv, heads);
        var device = qkv.Device;
        var y = device.Rent(new Shape(shape.Images, shape.Tokens, shape.Width));
        var stats = device.Rent(new Shape(shape.Images, heads, shape.Tokens, 2));
        FusedAttention.Forward(device, shape, qkv, y, stats);
        Tape.For(qkv)?.Add<BackwardNode>(y).Of(shape, qkv, y, stats);
        return y;
    }

    /// <summary>The softmax weights of the same attention, (B, H, N, N); not recorded.</summary>
    public static Tensor AttentionWeights(this Tensor qkv, int heads)
    {
        var shape = Fit(qkv, heads);
        var weights = qkv.Device.Rent(new Shape(shape.Images, heads, shape.Tokens, shape.Tokens));
        FusedAttention.Weights(qkv.Device, shape, qkv, weights);
        return weights;
    }

    /// <summary>
    /// The first row of the same weights, where the first token looks: (B, H, N), in memory that grows with N and not with its square.
    /// </summary>
    /// <param name="qkv">(B, N, 3·D): queries, keys and values side by side, each H heads of D/H.</param>
    /// <param name="heads">H; must divide D.</param>
    public static Tensor FirstTokenAttention(this Tensor qkv, int heads)
    {
        var shape = Fit(qkv, heads);
        using var scope = qkv.Device.BeginArena();
        var query = qkv.Slice(1, 0, 1).Slice(2, 0, shape.Width); // (B, 1, D)
        var keys = qkv.Slice(2, shape.Width, shape.Width); // (B, N, D)
        // One product serves all heads: row h of the queries is 0 outside the channels of head h.
        var queries = ConcatOp.Concat(1, [.. Enumerable.Repeat(query, heads)]).Multiply(HeadChannels(qkv.Device, shape)); // (B, H, D)
        return scope.Keep(queries.MatMul(keys, transposeB: true).Softmax());
    }

    /// <summary>(H, D): 1/√d in the channels of each head, 0 elsewhere.</summary>
    private static Tensor HeadChannels(Device device, in AttentionShape shape)
    {
        float[] channels = new float[shape.Heads * shape.Width];
        for (int head = 0; head < shape.Heads; head++)
            channels.AsSpan(head * shape.Width + head * shape.HeadDim, shape.HeadDim).Fill(1 / MathF.Sqrt(shape.HeadDim));
        return Tensor.From(device, channels, new Shape(shape.Heads, shape.Width));
    }

    private static AttentionShape Fit(Tensor qkv, int heads)
    {
        Operands.Check(qkv);
        if (qkv.Shape.Rank != 3 || heads < 1 || qkv.Shape[2] == 0 || qkv.Shape[2] % (3L * heads) != 0)
            throw new ArgumentException($"Attention with {heads} heads needs (B, N, 3·D) with D ≥ {heads} divisible by {heads}, not "
                + $"{qkv.Shape}.");
        return new AttentionShape(qkv.Shape[0], qkv.Shape[1], heads, qkv.Shape[2] / 3 / heads);
    }

    private sealed class BackwardNode : Node
    {
        private AttentionShape shape;
        private Tensor qkv = null!, y = null!, stats = null!;

        public void Of(AttentionShape sizes, Tensor input, Tensor output, Tensor rowStats) =>
            (shape, qkv, y, stats) = (sizes, Save(input), Save(output), Save(rowStats));

        public override void Backward(Tensor dy)
        {
            var dqkv = Tape.GradientOf(qkv, out int accumulate)!;
            FusedAttention.Backward(dy.Device, shape, qkv, y, dy, stats, dqkv, accumulate);
        }
    }
}
