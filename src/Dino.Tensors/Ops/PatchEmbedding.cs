using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Gemm;

namespace Dino.Tensors.Ops;

/// <summary>
/// y[b, p] = W · patch p of image b + bias: a convolution whose stride is its kernel size, as patch gathering and a product.
/// </summary>
public static class PatchEmbeddingOp
{
    /// <summary>
    /// Embeds every whole patch of the images: images (B, C, H, W), weight (D, C, p, p), bias (D); the result (B, ⌊H/p⌋·⌊W/p⌋, D), patches
    /// row by row. Pixels beyond the last whole patch are left out.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes do not fit together, or an image is smaller than a patch.</exception>
    public static Tensor PatchEmbedding(this Tensor images, Tensor weight, Tensor bias)
    {
        Operands.Check(images, weight, bias);
        if (images.Shape.Rank != 4 || weight.Shape.Rank != 4 || images.Shape[1] != weight.Shape[1] || weight.Shape[2] != weight.Shape[3]
            || weight.Shape[2] == 0 || bias.Count != weight.Shape[0])
            throw new ArgumentException(
                $"Images (B, C, H, W) need a weight (D, C, p, p) and a bias (D), not {images.Shape}, {weight.Shape}, {bias.Shape}.");
        var grid = new PatchGrid(images.Shape, weight.Shape[2]);
        if (grid.Patches == 0)
            throw new ArgumentException($"Images of {images.Shape[2]}×{images.Shape[3]} pixels have no whole patch of "
                + $"{grid.Size}×{grid.Size}.");

        var device = images.Device;
        int width = weight.Shape[0];
        var y = device.Rent(new Shape(grid.Images, grid.Patches, width));
        using (device.BeginScope())
        {
            var columns = Gather(images, grid);
            MatrixProduct.Run(device, GemmShape.Dense(grid.Rows, width, grid.RowLength, transposeB: true), columns, weight, y,
                new() { Bias = bias });
        }
        Tape.For(images, weight, bias)?.Add<BackwardNode>(y).Of(images, weight, bias, grid);
        return y;
    }

    /// <summary>The pixels of every patch as a row: (B·P, C·p·p).</summary>
    private static Tensor Gather(Tensor images, PatchGrid grid)
    {
        var columns = images.Device.Rent(new Shape(grid.Rows, grid.RowLength));
        images.Device.Launch(new GatherLaunch(images, columns, grid));
        return columns;
    }

    private sealed class BackwardNode : Node
    {
        private Tensor images = null!, weight = null!, bias = null!;
        private PatchGrid grid;

        public void Of(Tensor x, Tensor w, Tensor b, PatchGrid patches) =>
            (images, weight, bias, grid) = (Save(x), Save(w), Track(b), patches);

        public override void Backward(Tensor dy)
        {
            if (weight.RequiresGrad || bias.RequiresGrad)
                LinearOp.BackwardOfParameters(Gather(images, grid), weight, bias, dy);
            if (Tape.GradientOf(images, out int accumulate) is not { } dx)
                return;
            var columns = dy.Device.Rent(new Shape(grid.Rows, grid.RowLength));
            MatrixProduct.Run(dy.Device, GemmShape.Dense(grid.Rows, grid.RowLength, weight.Shape[0]), dy, weight, columns);
            if (accumulate == 0)
                dx.Fill(0); // pixels beyond the last whole patch have no influence
            dx.Device.Launch(new ScatterLaunch(columns, dx, grid));
        }
    }

    /// <summary>How images fall into patches; part of what kernels are given.</summary>
    internal readonly struct PatchGrid
    {
        public readonly int Images, Channels, Height, Width, Size, Across, Patches;

        public PatchGrid(Shape images, int size)
        {
            (Images, Channels, Height, Width, Size) = (images[0], images[1], images[2], images[3], size);
            Across = Width / size;
            Patches = Height / size * Across;
        }

        public int Rows => Images * Patches;

        public int RowLength => Channels * Size * Size;

        /// <summary>Where the line of a patch begins in the images; lines are numbered channel by channel.</summary>
        public int Line(int row, int line)
        {
            int image = row / Patches, patch = row - image * Patches, down = patch / Across, across = patch - down * Across;
            int channel = line / Size, y = line - channel * Size;
            return ((image * Channels + channel) * Height + down * Size + y) * Width + across * Size;
        }
    }

    private readonly struct GatherLaunch(Tensor images, Tensor columns, PatchGrid grid) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) =>
            run.Rows(grid.Rows, grid.RowLength, new GatherBody<T, TMemory>(grid, TMemory.Of(images), TMemory.Of(columns)));
    }

    /// <summary>One patch a row; a lane takes whole lines of pixels.</summary>
    internal readonly struct GatherBody<T, TMemory>(PatchGrid grid, TMemory images, TMemory columns) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly PatchGrid grid = grid;
        private readonly TMemory images = images, columns = columns;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            for (int line = lanes.Id; line < grid.Channels * grid.Size; line += lanes.Count)
            {
                int source = grid.Line(row, line), target = row * grid.RowLength + line * grid.Size;
                for (int i = 0; i < grid.Size; i += T.Width)
                    columns.Store(target + i, target + grid.Size, images.Load(source + i, source + grid.Size));
            }
        }
    }

    private readonly struct ScatterLaunch(Tensor columns, Tensor images, PatchGrid grid) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) =>
            run.Rows(grid.Rows, grid.RowLength, new ScatterBody<T, TMemory>(grid, TMemory.Of(columns), TMemory.Of(images)));
    }

    /// <summary>The same the other way, adding.</summary>
    internal readonly struct ScatterBody<T, TMemory>(PatchGrid grid, TMemory columns, TMemory images) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly PatchGrid grid = grid;
        private readonly TMemory columns = columns, images = images;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            for (int line = lanes.Id; line < grid.Channels * grid.Size; line += lanes.Count)
            {
                int source = row * grid.RowLength + line * grid.Size, target = grid.Line(row, line);
                for (int i = 0; i < grid.Size; i += T.Width)
                    images.Deliver(target + i, target + grid.Size, columns.Load(source + i, source + grid.Size), accumulate: 1);
            }
        }
    }
}
