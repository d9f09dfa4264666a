using ILGPU;
using ILGPU.Runtime;

namespace Dino.Tensors.Kernels;

/// <summary>The fused attention of each kind of device behind one call.</summary>
internal static class FusedAttention
{
    /// <summary>y (B, N, D) and the log-sum-exp of every row (B, H, N) from qkv (B, N, 3·D).</summary>
    public static unsafe void Forward(Device device, in AttentionShape shape, Tensor qkv, Tensor y, Tensor logSumExp)
    {
        if (device.IsHost)
            HostAttention.Forward(device.Team, shape, qkv.Pointer, y.Pointer, logSumExp.Pointer);
        else if (SmallGroups(device))
            Tile<SimtTile4>.Forward(device, shape, qkv, y, logSumExp);
        else
            Tile<SimtTile8>.Forward(device, shape, qkv, y, logSumExp);
    }

    /// <summary>The gradient of qkv, given that of y.</summary>
    public static unsafe void Backward(
        Device device, in AttentionShape shape, Tensor qkv, Tensor y, Tensor dy, Tensor logSumExp, Tensor dqkv, int accumulate)
    {
        if (device.IsHost)
            HostAttention.Backward(
                device.Team, shape, qkv.Pointer, y.Pointer, logSumExp.Pointer, dy.Pointer, dqkv.Pointer, accumulate != 0);
        else if (SmallGroups(device))
            Tile<SimtTile4>.Backward(device, shape, qkv, y, dy, logSumExp, dqkv, accumulate);
        else
            Tile<SimtTile8>.Backward(device, shape, qkv, y, dy, logSumExp, dqkv, accumulate);
    }

    /// <summary>The softmax weights (B, H, N, N).</summary>
    public static unsafe void Weights(Device device, in AttentionShape shape, Tensor qkv, Tensor weights)
    {
        if (device.IsHost)
            HostAttention.Weights(device.Team, shape, qkv.Pointer, weights.Pointer);
        else if (SmallGroups(device))
            Tile<SimtTile4>.Weights(device, shape, qkv, weights);
        else
            Tile<SimtTile8>.Weights(device, shape, qkv, weights);
    }

    private static bool SmallGroups(Device device) => device.GroupSize < SimtAttention<SimtTile8>.GroupSize;

    private static class Tile<TTile> where TTile : struct, ISimtTile
    {
        private static readonly KernelSpecialization bounds = new(SimtAttention<TTile>.GroupSize, null);

        private static readonly Kernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>,
            SimtAttentionArguments>> forward = new(SimtAttention<TTile>.Forward, bounds), weights = new(SimtAttention<TTile>.Weights, bounds);

        private static readonly Kernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>, int,
            SimtAttentionArguments>> delta = new(SimtAttention<TTile>.Delta, bounds);

        private static readonly Kernel<Action<AcceleratorStream, KernelConfig, ArrayView<float>, ArrayView<float>, ArrayView<float>,
            ArrayView<float>, ArrayView<float>, SimtAttentionArguments>> backwardQueries = new(SimtAttention<TTile>.BackwardQueries, bounds),
            backwardKeys = new(SimtAttention<TTile>.BackwardKeys, bounds);

        public static void Forward(Device device, in AttentionShape shape, Tensor qkv, Tensor y, Tensor logSumExp)
        {
            var arguments = SimtAttention<TTile>.Arguments(shape);
            forward.On(device)(
                device.Stream, new KernelConfig(SimtAttention<TTile>.GridSize(arguments, shape.Images), SimtAttention<TTile>.GroupSize),
                qkv.View, y.View, logSumExp.View, arguments);
        }

        public static void Backward(
            Device device, in AttentionShape shape, Tensor qkv, Tensor y, Tensor dy, Tensor logSumExp, Tensor dqkv, int accumulate)
        {
            var arguments = SimtAttention<TTile>.Arguments(shape, accumulate != 0);
            int count = logSumExp.Count, group = SimtAttention<TTile>.GroupSize;
            var shift = device.Rent(logSumExp.Shape);
            delta.On(device)(
                device.Stream, new KernelConfig((count + group - 1) / group, group), y.View, dy.View, shift.View, count, arguments);
            var grid = new KernelConfig(SimtAttention<TTile>.GridSize(arguments, shape.Images), group);
            backwardQueries.On(device)(device.Stream, grid, qkv.View, logSumExp.View, shift.View, dy.View, dqkv.View, arguments);
            backwardKeys.On(device)(device.Stream, grid, qkv.View, logSumExp.View, shift.View, dy.View, dqkv.View, arguments);
        }

        public static void Weights(Device device, in AttentionShape shape, Tensor qkv, Tensor result)
        {
            using var arena = device.BeginArena();
            var logSumExp = device.Rent(new Shape(shape.Images, shape.Heads, shape.Tokens));
            Forward(device, shape, qkv, device.Rent(new Shape(shape.Images, shape.Tokens, shape.Width)), logSumExp);
            var arguments = SimtAttention<TTile>.Arguments(shape);
            weights.On(device)(
                device.Stream, new KernelConfig(SimtAttention<TTile>.WeightsGridSize(arguments, shape.Images), SimtAttention<TTile>.GroupSize),
                qkv.View, logSumExp.View, result.View, arguments);
        }
    }
}
