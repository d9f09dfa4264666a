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
    /// <param name="samples">The rows of the batch.</param>
    /// <param name="rate">The block's rate.</param>
    public abstract Tensor? Keep(Device device, int block, int branch, int samples, float rate);
}

/// <summary>Masks drawn on the device: a function of seed, step, pass, block, branch and sample, the same on every device.</summary>
public sealed class RandomStochasticDepth(ulong seed) : StochasticDepth
{
    private const uint BlocksOfAPass = 1 << 16;

    /// <summary>The training step, counting accumulated batches.</summary>
    public uint Step { get; set; }

    /// <summary>Which of the step's forward passes: one for each crop resolution.</summary>
    public uint Pass { get; set; }

    /// <inheritdoc/>
    public override Tensor? Keep(Device device, int block, int branch, int samples, float rate) =>
        rate == 0 ? null : DropPath.KeepMask(device, samples, rate, seed, Step, Pass * BlocksOfAPass + (uint)block, (uint)branch);
}

/// <summary>Given masks: keep[(block · 2 + branch) · samples + sample] is 0 or 1.</summary>
public sealed class GivenStochasticDepth(float[] keep) : StochasticDepth
{
    /// <inheritdoc/>
    public override Tensor? Keep(Device device, int block, int branch, int samples, float rate) =>
        rate == 0 ? null : DropPath.KeepMask(device, keep.AsSpan((block * 2 + branch) * samples, samples), rate);
}
