using Dino.Tensors.Kernels.Gemm;
using Dino.Tensors.Kernels.TensorCores;
using ILGPU;
using ILGPU.Runtime;
using BackwardLauncher = System.Action<ILGPU.Runtime.AcceleratorStream, ILGPU.KernelConfig, ILGPU.ArrayView<float>, ILGPU.ArrayView<float>,
    ILGPU.ArrayView<float>, ILGPU.ArrayView<float>, ILGPU.ArrayView<float>, Dino.Tensors.Kernels.Attention.AttentionArguments>;
using DeltaLauncher = System.Action<ILGPU.Runtime.AcceleratorStream, ILGPU.KernelConfig, ILGPU.ArrayView<float>, ILGPU.ArrayView<float>,
    ILGPU.ArrayView<float>, int, Dino.Tensors.Kernels.Attention.AttentionArguments>;
using ForwardLauncher = System.Action<ILGPU.Runtime.AcceleratorStream, ILGPU.KernelConfig, ILGPU.ArrayView<float>, ILGPU.ArrayView<float>,
    ILGPU.ArrayView<float>, Dino.Tensors.Kernels.Attention.AttentionArguments>;

namespace Dino.Tensors.Kernels.Attention;

/// <summary>The fused attention of each kind of device behind one call.</summary>
internal static class FusedAttention
{
    /// <summary>
    /// y (B, N, D) and, of every row, what the backward pass makes the weights of again (B, H, N, 2), from qkv (B, N, 3·D).
    /// </summary>
    public static unsafe void Forward(Device device, in AttentionShape shape, Tensor qkv, Tensor y, Tensor stats)
    {
        if (qkv.Count == 0)
            return; // no images, or none with tokens
        using var arena = device.BeginScope();
        qkv = NarrowOperand.Of(qkv);
        if (device.IsHost)
            HostAttention.Forward(device.Team, shape, qkv.Pointer, y.Pointer, stats.Pointer);
        else if (OnTensorCores(device, shape, qkv))
        {
            if (device.Precision == Precision.Bf16)
                Mma<MmaBf16>.Forward(device, shape, qkv, y, stats);
            else
                Mma<MmaTf32>.Forward(device, shape, qkv, y, stats);
        }
        else if (SmallGroups(device))
            Tile<SimtTile4>.Forward(device, shape, qkv, y, stats);
        else
            Tile<SimtTile8>.Forward(device, shape, qkv, y, stats);
    }

    /// <summary>The gradient of qkv, given that of y.</summary>
    public static unsafe void Backward(
        Device device, in AttentionShape shape, Tensor qkv, Tensor y, Tensor dy, Tensor stats, Tensor dqkv, int accumulate)
    {
        if (qkv.Count == 0)
            return;
        using var arena = device.BeginScope();
        (qkv, dy) = (NarrowOperand.Of(qkv), NarrowOperand.Of(dy));
        if (device.IsHost)
            HostAttention.Backward(
                device.Team, shape, qkv.Pointer, y.Pointer, stats.Pointer, dy.Pointer, dqkv.Pointer, accumulate != 0);
        else if (OnTensorCores(device, shape, qkv))
        {
            if (device.Precision == Precision.Bf16)
                Mma<MmaBf16>.Backward(device, shape, qkv, y, dy, stats, dqkv, accumulate);
            else
                Mma<MmaTf32>.Backward(device, shape, qkv, y, dy, stats, dqkv, accumulate);
        }
        else if (SmallGroups(device))
            Tile<SimtTile4>.Backward(device, shape, qkv, y, dy, stats, dqkv, accumulate);
        else
            Tile<SimtTile8>.Backward(device, shape, qkv, y, dy, stats, dqkv, accumulate);
    }

    /// <summary>The softmax weights (B, H, N, N).</summary>
    public static unsafe void Weights(Device device, in AttentionShape shape, Tensor qkv, Tensor weights)
    {
        if (qkv.Count == 0)
            return;
        if (device.IsHost)
            HostAttention.Weights(device.Team, shape, qkv.Pointer, weights.Pointer);
        else if (SmallGroups(device))
            Tile<SimtTile4>.Weights(device, shape, qkv, weights);
        else
            Tile<SimtTile8>.Weights(device, shape, qkv, weights);
    }

    private static bool OnTensorCores(Device device, in AttentionShape shape, Tensor qkv) =>
        device.UsesTensorCores && shape.HeadDim == MmaHead<MmaTf32>.Dim && qkv.IsAligned;

    private static bool SmallGroups(Device device) => device.GroupSize < SimtAttention<SimtTile8>.GroupSize;

    private static class Tile<TTile> where TTile : struct, ISimtTile
    {
        private static readonly KernelSpecialization bounds = new(SimtAttention<TTile>.GroupSize, null);

        private static readonly Kernel<ForwardLauncher> forward = new(SimtAttention<TTile>.Forward, bounds),
            weights = new(SimtAttention<TTile>.Weights, bounds);

        private static readonly Kernel<DeltaLauncher> delta = new(SimtAttention<TTile>.Delta, bounds);

        private static readonly Kernel<BackwardLauncher> backwardQueries = new(SimtAttention<TTile>.BackwardQueries, bounds),
            backwardKeys = new(SimtAttention<TTile>.BackwardKeys, bounds);

        public static void Forward(Device device, in AttentionShape shape, Tensor qkv, Tensor y, Tensor stats)
        {
            var arguments = SimtAttention<TTile>.Arguments(shape);
            forward.On(device)(
                device.Stream, new KernelConfig(SimtAttention<TTile>.GridSize(arguments, shape.Images), SimtAttention<TTile>.GroupSize),
                qkv.View, y.View, stats.View, arguments);
        }

        public static void Backward(
            Device device, in AttentionShape shape, Tensor qkv, Tensor y, Tensor dy, Tensor stats, Tensor dqkv, int accumulate)
        {
            var arguments = SimtAttention<TTile>.Arguments(shape, accumulate != 0);
            using var arena = device.BeginScope();
            var shift = Delta(device, shape, arguments, y, dy);
            var grid = new KernelConfig(SimtAttention<TTile>.GridSize(arguments, shape.Images), SimtAttention<TTile>.GroupSize);
            backwardQueries.On(device)(device.Stream, grid, qkv.View, stats.View, shift.View, dy.View, dqkv.View, arguments);
            backwardKeys.On(device)(device.Stream, grid, qkv.View, stats.View, shift.View, dy.View, dqkv.View, arguments);
        }

        /// <summary>δ (B, H, N), what a row of the softmax's gradient is shifted by.</summary>
        public static Tensor Delta(Device device, in AttentionShape shape, in AttentionArguments arguments, Tensor y, Tensor dy)
        {
            var shift = device.Rent(new Shape(shape.Images, shape.Heads, shape.Tokens));
            int count = shift.Count, group = SimtAttention<TTile>.GroupSize;
            delta.On(device)(
                device.Stream, new KernelConfig((count + group - 1) / group, group), y.View, dy.View, shift.View, count, arguments);
            return shift;
        }

        public static void Weights(Device device, in AttentionShape shape, Tensor qkv, Tensor result)
        {
            using var arena = device.BeginScope();
            var stats = device.Rent(new Shape(shape.Images, shape.Heads, shape.Tokens, 2));
            Forward(device, shape, qkv, device.Rent(new Shape(shape.Images, shape.Tokens, shape.Width)), stats);
            var arguments = SimtAttention<TTile>.Arguments(shape);
            weights.On(device)(
                device.Stream, new KernelConfig(
                    SimtAttention<TTile>.WeightsGridSize(arguments, shape.Images), SimtAttention<TTile>.GroupSize),
                qkv.View, stats.View, result.View, arguments);
        }
    }
    private static class Mma<TNumber> where TNumber : struct, IMmaNumber
    {
        private const int GroupSize = MmaAttention<TNumber>.GroupSize;

        private static readonly KernelSpecialization bounds = new(GroupSize, 2);

        private static readonly Kernel<ForwardLauncher> forward = new(MmaAttention<TNumber>.Forward, bounds, tensorCores: true);

        private static readonly Kernel<BackwardLauncher> backwardQueries =
            new(MmaAttention<TNumber>.BackwardQueries, bounds, tensorCores: true),
            backwardKeys = new(MmaAttention<TNumber>.BackwardKeys, bounds, tensorCores: true);

        public static void Forward(Device device, in AttentionShape shape, Tensor qkv, Tensor y, Tensor stats)
        {
            var arguments = new AttentionArguments(shape, MmaAttention<TNumber>.Edge, accumulate: false);
            forward.On(device)(device.Stream, Grid(shape, arguments), qkv.View, y.View, stats.View, arguments);
        }

        public static void Backward(
            Device device, in AttentionShape shape, Tensor qkv, Tensor y, Tensor dy, Tensor stats, Tensor dqkv, int accumulate)
        {
            var arguments = new AttentionArguments(shape, MmaAttention<TNumber>.Edge, accumulate != 0);
            using var arena = device.BeginScope();
            var shift = Tile<SimtTile8>.Delta(device, shape, arguments, y, dy);
            backwardQueries.On(device)(
                device.Stream, Grid(shape, arguments), qkv.View, stats.View, shift.View, dy.View, dqkv.View, arguments);
            backwardKeys.On(device)(
                device.Stream, Grid(shape, arguments), qkv.View, stats.View, shift.View, dy.View, dqkv.View, arguments);
        }

        private static KernelConfig Grid(in AttentionShape shape, in AttentionArguments arguments) =>
            new(shape.Images * shape.Heads * arguments.TokenBlocks, GroupSize);
    }
}
