namespace Dino.Tensors.Kernels;

/// <summary>The fused attention of each kind of device behind one call.</summary>
internal static class FusedAttention
{
    /// <summary>y (B, N, D) and the log-sum-exp of every row (B, H, N) from qkv (B, N, 3·D).</summary>
    public static unsafe void Forward(Device device, in AttentionShape shape, Tensor qkv, Tensor y, Tensor logSumExp)
    {
        if (device.IsHost)
            HostAttention.Forward(device.Team, shape, qkv.Pointer, y.Pointer, logSumExp.Pointer);
    }

    /// <summary>The gradient of qkv, given that of y.</summary>
    public static unsafe void Backward(
        Device device, in AttentionShape shape, Tensor qkv, Tensor y, Tensor dy, Tensor logSumExp, Tensor dqkv, int accumulate)
    {
        if (device.IsHost)
            HostAttention.Backward(
                device.Team, shape, qkv.Pointer, y.Pointer, logSumExp.Pointer, dy.Pointer, dqkv.Pointer, accumulate != 0);
    }

    /// <summary>The softmax weights (B, H, N, N).</summary>
    public static unsafe void Weights(Device device, in AttentionShape shape, Tensor qkv, Tensor weights)
    {
        if (device.IsHost)
            HostAttention.Weights(device.Team, shape, qkv.Pointer, weights.Pointer);
    }
}
