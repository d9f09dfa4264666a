using Dino.Tensors.Kernels;
using Dino.Tensors.Random;

namespace Dino.Tensors.Ops;

/// <summary>
/// Which samples keep a residual branch: factors 0 with probability p, otherwise 1/(1 − p), drawn for each sample (stochastic depth,
/// Huang et al., 2016); <see cref="AddBranchOp.AddBranch"/> takes them.
/// </summary>
public static class DropPath
{
    /// <summary>
    /// A factor for each sample: 0 with probability <paramref name="rate"/>, otherwise 1/(1 − rate). It is a function of the arguments
    /// alone, equal on every device: Philox with the seed as key and (sample, step, layer, branch) as counter, so that a step can be
    /// computed again. Give it a seed that no other stream uses.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The rate is not in [0, 1).</exception>
    public static Tensor KeepMask(Device device, int samples, float rate, ulong seed, uint step, uint layer, uint branch) =>
        KeepMask(device, samples, rate, seed, step, layer, branch, Math.Max(1, samples), OneRank.Instance);

    /// <summary>
    /// The same for one rank's part of a batch: the factors that these samples have in the whole batch of one rank alone.
    /// </summary>
    /// <param name="device">Where.</param>
    /// <param name="samples">V·B: crop-major, B pictures of the first view, then of the second, …</param>
    /// <param name="rate">The probability of 0.</param>
    /// <param name="seed">The key of the random numbers.</param>
    /// <param name="step">The training step.</param>
    /// <param name="layer">Which layer.</param>
    /// <param name="branch">Which of its branches.</param>
    /// <param name="batch">B, the same on all ranks. Sample i of rank r stands at ⌊i/B⌋·B·R + r·B + i mod B among those of R ranks.</param>
    /// <param name="ranks">Who shares the batch.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rate is not in [0, 1), or the batch not positive.</exception>
    public static Tensor KeepMask(
        Device device, int samples, float rate, ulong seed, uint step, uint layer, uint branch, int batch, IRanks ranks)
    {
        ThrowIfNoRate(rate);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batch);
        ArgumentNullException.ThrowIfNull(ranks);
        var keep = device.Rent(new Shape(samples));
        var place = new Place(batch, batch * (ranks.Count - 1), batch * ranks.Rank);
        var draw = new Draw(rate, 1 / (1 - rate), (uint)seed, (uint)(seed >> 32), step, layer, branch);
        device.Launch(new Launch(draw, place, keep));
        return keep;
    }

    /// <summary>A factor for each sample from given decisions, 1 to keep and 0 to drop.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The rate is not in [0, 1).</exception>
    public static Tensor KeepMask(Device device, ReadOnlySpan<float> keep, float rate)
    {
        ThrowIfNoRate(rate);
        float[] factors = new float[keep.Length];
        for (int i = 0; i < factors.Length; i++)
            factors[i] = keep[i] / (1 - rate);
        return Tensor.From(device, factors, new Shape(factors.Length));
    }

    private static void ThrowIfNoRate(float rate)
    {
        if (!(rate >= 0 && rate < 1))
            throw new ArgumentOutOfRangeException(nameof(rate), rate, "A drop rate lies in [0, 1).");
    }

    internal readonly struct Draw(float rate, float scale, uint key0, uint key1, uint step, uint layer, uint branch)
    {
        public readonly float Rate = rate, Scale = scale;
        public readonly uint Key0 = key0, Key1 = key1, Step = step, Layer = layer, Branch = branch;
    }

    /// <summary>Where a rank's samples stand in the whole batch: of every view, other ranks' lie before and between.</summary>
    internal readonly struct Place(int batch, int others, int first)
    {
        private readonly int batch = batch, others = others, first = first;

        public uint Of(int sample) => (uint)(sample + sample / batch * others + first);
    }

    private readonly struct Launch(Draw draw, Place place, Tensor keep) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) => run.Rows(keep.Count, 1, new Mask<T, TMemory>(draw, place, TMemory.Of(keep)));
    }

    internal readonly struct Mask<T, TMemory>(Draw draw, Place place, TMemory keep) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly Draw draw = draw;
        private readonly Place place = place;
        private readonly TMemory keep = keep;

        public void Row<TLanes>(TLanes lanes, int sample) where TLanes : struct, ILanes
        {
            uint word = Philox.Block(place.Of(sample), draw.Step, draw.Layer, draw.Branch, draw.Key0, draw.Key1).X0;
            TMemory result = keep;
            if (lanes.Id == 0)
                result[sample] = Philox.ToUnit(word) < draw.Rate ? 0 : draw.Scale;
        }
    }
}
