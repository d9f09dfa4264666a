using Dino.Tensors.Optim;
using Dino.Train.Options;

namespace Dino.Train.Methods;

/// <summary>Which step a method is in, and the numbers that every run has.</summary>
/// <param name="Step">Number of the optimizer step, from 0.</param>
/// <param name="Epoch">Number of the epoch, from 0.</param>
/// <param name="Part">Number of the batch within the step, from 0.</param>
/// <param name="Parts">Batches whose gradients make the step.</param>
/// <param name="LossWeight">What a batch's gradient is weighed by, so that the sum over all batches and ranks is the mean.</param>
/// <param name="LearningRate">The learning rate.</param>
/// <param name="WeightDecay">The weight decay.</param>
public readonly record struct StepInfo(
    long Step, int Epoch, int Part, int Parts, float LossWeight, double LearningRate, double WeightDecay)
{
    /// <summary>Number of the batch in the run, from 0.</summary>
    public long Batch => Step * Parts + Part;
}

/// <summary>The steps of a run: what <see cref="IMethod.Learn"/> and <see cref="IMethod.Update"/> are told.</summary>
public sealed class StepSchedule
{
    private readonly CosineSchedule learningRate, weightDecay;
    private readonly int stepsPerEpoch, epochs, parts;
    private readonly float lossWeight;

    /// <summary>The steps of a run with these hyperparameters.</summary>
    /// <param name="options">The hyperparameters.</param>
    /// <param name="stepsPerEpoch">Optimizer steps of an epoch.</param>
    /// <param name="ranks">How many share each step.</param>
    public StepSchedule(TrainOptions options, int stepsPerEpoch, int ranks = 1)
    {
        (this.stepsPerEpoch, epochs, parts) = (stepsPerEpoch, options.Epochs, options.Accumulate);
        lossWeight = 1f / ((float)options.Accumulate * ranks);
        (learningRate, weightDecay) = (options.LearningRate(stepsPerEpoch, ranks), options.WeightDecays(stepsPerEpoch));
    }

    /// <summary>The steps of the whole run.</summary>
    public long Steps => (long)epochs * stepsPerEpoch;

    /// <summary>A step, or one of its batches.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The run has no such step.</exception>
    public StepInfo At(long step, int part = 0) =>
        new(step, (int)(step / stepsPerEpoch), part, parts, lossWeight, learningRate.At(step), weightDecay.At(step));
}
