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
        Operands.Check(x, branch);
        Operands.With(x, keep, nameof(AddBranch));
        x.ThrowIfShapeDiffers(branch);
        ThrowIfUnfit(x, keep);
        var y = x.Device.Rent(x.Shape);
        Run(branch, keep, x, y, add: 1);
        Tape.For(x, branch)?.Add<BackwardNode>(y).Of(x, branch, keep);
        return y;
    }

    /// <summary>Checks that there is a factor for each sample, if there are any.</summary>
    internal static void ThrowIfUnfit(Tensor x, Tensor? keep)
    {
        if (keep is not null && (x.Shape.Rank < 2 || keep.Count != x.Shape[0]))
            throw new ArgumentException($"{x.Shape} needs a factor for each of its samples, not {keep.Shape}.", nameof(keep));
    }

    /// <summary>The rows that share a factor; 0 without factors.</summary>
    internal static int RowsPerSample(Tensor x, Tensor? keep) => keep is null ? 0 : x.Shape.Rows / Math.Max(1, keep.Count);

    /// <summary>y = keep[b] · branch, plus x where <paramref name="add"/> is 1; y may be any of them.</summary>
    internal static void Run(Tensor branch, Tensor? keep, Tensor x, Tensor y, int add) =>
        x.Device.Launch(new ScaleLaunch(branch, keep, x, y, add));

    /// <summary>The gradient of the branch, given that of the sum: itself, or scaled.</summary>
    internal static Tensor OfBranch(Tensor dy, Tensor? keep)
    {
        if (keep is null)
            return dy;
        var scaled = dy.Device.Rent(dy.Shape);
        Run(dy, keep, scaled, scaled, add: 0);
        return scaled;
    }

    private sealed class BackwardNode : Node
    {
        private Tensor x = null!, branch = null!;
        private Tensor? keep;

        public void Of(Tensor input, Tensor residual, Tensor? factors) =>
            (x, branch, keep) = (Track(input), Track(residual), Save(factors));

        public override void Backward(Tensor dy)
        {
            Tape.AddGradient(x, dy);
            if (keep is null)
                Tape.AddGradient(branch, dy);
            else if (Tape.GradientOf(branch, out int accumulate) is { } dBranch)
                Run(dy, keep, dBranch, dBranch, accumulate);
        }
    }

    private readonly struct ScaleLaunch(Tensor branch, Tensor? keep, Tensor x, Tensor y, int add) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run)
        {
            int d = x.Shape.RowLength;
            run.Rows(x.Shape.Rows, d, new Scale<T, TMemory>(
                d, RowsPerSample(x, keep), TMemory.Of(branch), TMemory.Of(keep), TMemory.Of(x), TMemory.Of(y), add));
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
