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
    public static Tensor KeepMask(Device device, int samples, float rate, ulong seed, uint step, uint layer, uint branch)
    {
        ThrowIfNoRate(rate);
        var keep = device.Rent(new Shape(samples));
        var draw = new Draw(rate, 1 / (1 - rate), (uint)seed, (uint)(seed >> 32), step, layer, branch);
        if (device.IsHost)
            RowLoop<Mask<Simd, HostMemory>>.OnHost(device, samples, 1, new(draw, HostMemory.Of(keep)));
        else
            RowLoop<Mask<Lane, ViewMemory>>.OnAccelerator(device, samples, 1, new(draw, ViewMemory.Of(keep)));
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

    internal readonly struct Mask<T, TMemory>(Draw draw, TMemory keep) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly Draw draw = draw;
        private readonly TMemory keep = keep;

        public void Row<TLanes>(TLanes lanes, int sample) where TLanes : struct, ILanes
        {
            uint word = Philox.Block((uint)sample, draw.Step, draw.Layer, draw.Branch, draw.Key0, draw.Key1).X0;
            TMemory result = keep;
            if (lanes.Id == 0)
                result[sample] = Philox.ToUnit(word) < draw.Rate ? 0 : draw.Scale;
        }
    }
}
