using Dino.Tensors;
using Dino.Tensors.Ops;

namespace Dino.Model;

/// <summary>
/// Which residual branches are dropped for which samples (Huang et al. 2016); survivors are scaled by 1 / (1 − rate).
/// </summary>
public abstract class StochasticDepth
{
    /// <summary>
    /// The factors (samples) of a branch, 0 or 1 / (1 − rate); null where nothing is dropped.
    /// </summary>
    /// <param name="device">Where.</param>
    /// <param name="block">The block's index.</param>
    /// <param name="branch">0 attention, 1 feed-forward.</param>
    /// <param name="samples">The rows of the batch on this rank, crop-major.</param>
    /// <param name="rate">The block's rate.</param>
    /// <param name="ranks">Who shares the batch.</param>
    public abstract Tensor? Keep(Device device, int block, int branch, int samples, float rate, IRanks ranks);
}

/// <summary>
/// Masks drawn on the device: a function of seed, step, pass, block, branch and the sample's place in the whole batch, the same on every
/// device and
/// however many ranks share it.
/// </summary>
public sealed class RandomStochasticDepth(ulong seed) : StochasticDepth
{
    private const uint BlocksOfAPass = 1 << 16;

    /// <summary>The training step, counting accumulated batches.</summary>
    public uint Step { get; set; }

    /// <summary>Which of the step's forward passes: one for each crop resolution.</summary>
    public uint Pass { get; set; }

    /// <summary>
    /// B, the pictures of this rank's batch: rows are B of the first crop, then B of the second, … One rank alone need not say it.
    /// </summary>
    public int Pictures { get; set; }

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">Several ranks share the batch, and <see cref="Pictures"/> was not said.</exception>
    public override Tensor? Keep(Device device, int block, int branch, int samples, float rate, IRanks ranks)
    {
        if (rate == 0)
            return null;
        if (Pictures == 0 && ranks.Count > 1)
            throw new InvalidOperationException(
                $"With {ranks.Count} ranks the place of a sample follows from {nameof(Pictures)}, which is not said.");
        int pictures = Pictures > 0 ? Pictures : Math.Max(1, samples);
        return DropPath.KeepMask(device, samples, rate, seed, Step, Pass * BlocksOfAPass + (uint)block, (uint)branch, pictures, ranks);
    }
}

/// <summary>Given masks of this rank's samples: keep[(block · 2 + branch) · samples + sample] is 0 or 1.</summary>
public sealed class GivenStochasticDepth(float[] keep) : StochasticDepth
{
    /// <inheritdoc/>
    public override Tensor? Keep(Device device, int block, int branch, int samples, float rate, IRanks ranks) =>
        rate == 0 ? null : DropPath.KeepMask(device, keep.AsSpan((block * 2 + branch) * samples, samples), rate);
}
