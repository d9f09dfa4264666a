using Dino.Tensors.Kernels;

namespace Dino.Tensors.Ops;

/// <summary>x + keep[b] · branch: a residual connection with stochastic depth (Huang et al., 2016).</summary>
public static class AddBranchOp
{
    /// <summary>
    /// x + keep[b] · branch. x and branch: (B, N, D), keep: (B) or null for a plain sum; the result is (B, N, D). No gradient reaches keep.
    /// </summary>
    /// <exception cref="ArgumentException">The shapes differ, or keep has not one factor for each sample.</exception>
    public static Tensor AddBranch(this Tensor x, Tensor branch, Tensor? keep)
    {
        x.ThrowIfNot(DType.Float32);
        x.ThrowIfShapeDiffers(branch);
        int rows = x.Shape.Rows, d = x.Shape.RowLength;
        if (keep is not null && (x.Shape.Rank < 2 || keep.Count != x.Shape[0]))
            throw new ArgumentException($"{x.Shape} needs a factor for each of its samples, not {keep.Shape}.", nameof(keep));
        int perSample = keep is null ? 0 : rows / Math.Max(1, keep.Count);
        var device = x.Device;
        var y = device.Rent(x.Shape);
        if (device.IsHost)
            RowLoop<Scale<Simd, HostMemory>>.OnHost(device, rows, d, new(
                d, perSample, HostMemory.Of(branch), HostMemory.Of(keep), HostMemory.Of(x), HostMemory.Of(y), 1));
        else
            RowLoop<Scale<Lane, ViewMemory>>.OnAccelerator(device, rows, d, new(
                d, perSample, ViewMemory.Of(branch), ViewMemory.Of(keep), ViewMemory.Of(x), ViewMemory.Of(y), 1));
        Tape.For(x, branch)?.Add<BackwardNode>(y).Of(x, branch, keep);
        return y;
    }

    private sealed class BackwardNode : Node
    {
        private Tensor x = null!, branch = null!;
        private Tensor? keep;

        public void Of(Tensor input, Tensor residual, Tensor? factors) => (x, branch, keep) = (Track(input), Track(residual), Save(factors));

        public override void Backward(Tensor dy)
        {
            Tape.AddGradient(x, dy);
            if (keep is null)
                Tape.AddGradient(branch, dy);
            else if (Tape.GradientOf(branch, out int accumulate) is { } dBranch)
            {
                var device = dy.Device;
                int rows = dy.Shape.Rows, d = dy.Shape.RowLength, perSample = rows / Math.Max(1, keep.Count);
                if (device.IsHost)
                    RowLoop<Scale<Simd, HostMemory>>.OnHost(device, rows, d, new(
                        d, perSample, HostMemory.Of(dy), HostMemory.Of(keep), HostMemory.Of(dBranch), HostMemory.Of(dBranch), accumulate));
                else
                    RowLoop<Scale<Lane, ViewMemory>>.OnAccelerator(device, rows, d, new(
                        d, perSample, ViewMemory.Of(dy), ViewMemory.Of(keep), ViewMemory.Of(dBranch), ViewMemory.Of(dBranch), accumulate));
            }
        }
    }

    /// <summary>y = keep[row / perSample] · branch, plus x where add is 1; a factor of 1 where perSample is 0.</summary>
    internal readonly struct Scale<T, TMemory>(int d, int perSample, TMemory branch, TMemory keep, TMemory x, TMemory y, int add) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int d = d, perSample = perSample, add = add;
        private readonly TMemory branch = branch, keep = keep, x = x, y = y;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            int begin = row * d, end = begin + d;
            T factor = T.Of(1);
            if (perSample > 0)
                factor = T.Of(keep[row / perSample]);
            for (int i = begin + lanes.Id * T.Width; i < end; i += lanes.Count * T.Width)
            {
                T value = branch.Load(i, end) * factor;
                if (add != 0)
                    value += x.Load(i, end);
                y.Store(i, end, value);
            }
        }
    }
}
