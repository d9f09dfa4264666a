namespace Dino.Tensors.Optim;

/// <summary>
/// A value for every optimizer step of a run: a linear warm-up from <c>start</c> to <c>peak</c>, then half a cosine from <c>peak</c>
/// towards <c>final</c>. It suits a learning rate (Loshchilov and Hutter, 2017), a weight decay and the momentum of an average alike.
/// </summary>
/// <remarks>
/// As in the published code, the warm-up includes its end, so the peak stands at two steps in a row, and <c>final</c> is approached
/// but not reached. A warm-up of a single step has the value <c>start</c>.
/// </remarks>
public sealed class CosineSchedule
{
    private readonly double start, peak, final;
    private readonly long warmupSteps;

    /// <summary>Describes the values of <paramref name="epochs"/> · <paramref name="stepsPerEpoch"/> steps.</summary>
    /// <param name="peak">The value after the warm-up; without one, the first.</param>
    /// <param name="final">What the cosine tends to.</param>
    /// <param name="epochs">The epochs of the run, the warm-up's among them.</param>
    /// <param name="stepsPerEpoch">Optimizer steps in one epoch, at least 1.</param>
    /// <param name="warmupEpochs">The epochs of the warm-up; may be all of them.</param>
    /// <param name="start">The value of the first step of a warm-up.</param>
    /// <exception cref="ArgumentException">
    /// A count is negative, there is no step in an epoch, or the warm-up is longer than the run.
    /// </exception>
    public CosineSchedule(double peak, double final, int epochs, int stepsPerEpoch, int warmupEpochs = 0, double start = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epochs);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(stepsPerEpoch);
        ArgumentOutOfRangeException.ThrowIfNegative(warmupEpochs);
        if (warmupEpochs > epochs)
            throw new ArgumentException($"A warm-up of {warmupEpochs} epochs does not fit into a run of {epochs}.", nameof(warmupEpochs));
        (this.start, this.peak, this.final) = (start, peak, final);
        Steps = (long)epochs * stepsPerEpoch;
        warmupSteps = (long)warmupEpochs * stepsPerEpoch;
    }

    /// <summary>The number of steps that have a value.</summary>
    public long Steps { get; }

    /// <summary>The value of a step, counted from 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The run has no such step.</exception>
    public double At(long step)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(step, Steps);
        if (step < warmupSteps)
            return Ramp.At(start, peak, step, warmupSteps);
        double phase = (step - warmupSteps) / (double)(Steps - warmupSteps);
        return final + 0.5 * (peak - final) * (1 + Math.Cos(Math.PI * phase));
    }
}

/// <summary>
/// A value for every epoch of a run: a linear warm-up to its final value, which it keeps.
/// </summary>
public sealed class WarmupSchedule
{
    private readonly double warmup, final;
    private readonly int warmupEpochs;

    /// <summary>Describes the values of <paramref name="epochs"/> epochs.</summary>
    /// <param name="warmup">The value of the first epoch, if there is a warm-up.</param>
    /// <param name="final">The value of the warm-up's last epoch and of all epochs after it.</param>
    /// <param name="warmupEpochs">The epochs of the warm-up; may be all of them.</param>
    /// <param name="epochs">The epochs of the run.</param>
    /// <exception cref="ArgumentException">A count is negative, or the warm-up is longer than the run.</exception>
    public WarmupSchedule(double warmup, double final, int warmupEpochs, int epochs)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epochs);
        ArgumentOutOfRangeException.ThrowIfNegative(warmupEpochs);
        if (warmupEpochs > epochs)
        {
            throw new ArgumentException(
                $"A warm-up of {warmupEpochs} epochs does not fit into a run of {epochs}.",
                nameof(warmupEpochs));
        }
        (this.warmup, this.final, this.warmupEpochs, Epochs) = (warmup, final, warmupEpochs, epochs);
    }

    /// <summary>The number of epochs that have a value.</summary>
    public int Epochs { get; }

    /// <summary>The value of an epoch, counted from 0.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The run has no such epoch.</exception>
    public double At(int epoch)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(epoch, Epochs);
        return epoch < warmupEpochs ? Ramp.At(warmup, final, epoch, warmupEpochs) : final;
    }
}

internal static class Ramp
{
    /// <summary>Element i of n evenly spaced values from first to last, both among them; a single value is the first.</summary>
    public static double At(double first, double last, long i, long n) =>
        n == 1 ? first : i == n - 1 ? last : first + i * ((last - first) / (n - 1));
}
