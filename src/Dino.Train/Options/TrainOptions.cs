using Dino.Model;
using Dino.Pictures.Transforms;
using Dino.Tensors.Optim;

namespace Dino.Train.Options;

/// <summary>The update rule.</summary>
public enum OptimizerKind
{
    /// <summary>Adam with decoupled weight decay.</summary>
    AdamW,

    /// <summary>Stochastic gradient descent with momentum 0.9.</summary>
    Sgd,

    /// <summary>Layer-wise adaptive rate scaling.</summary>
    Lars,
}

/// <summary>
/// Every hyperparameter of a run, under the reference's names and with its defaults (<c>--preset paper</c> is the defaults and what
/// section 3.2 of the paper says differently).
/// </summary>
public sealed record TrainOptions
{
    /// <summary>The backbone.</summary>
    public ViTConfig Backbone { get; init; } = new() { DropPathRate = 0.1f };

    /// <summary>The projection head.</summary>
    public DinoHeadConfig Head { get; init; } = new();

    /// <summary>The crops of a picture.</summary>
    public MultiCropOptions Crops { get; init; } = new();

    /// <summary>Pictures in a batch; the rate is stated for 256 and scaled by batch · accumulate / 256.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Batches whose gradients make one optimizer step.</summary>
    public int Accumulate { get; init; } = 1;

    /// <summary>Passes over the pictures.</summary>
    public int Epochs { get; init; } = 100;

    /// <summary>The teacher temperature's start.</summary>
    public double WarmupTeacherTemp { get; init; } = 0.04;

    /// <summary>The teacher temperature after its warm-up.</summary>
    public double TeacherTemp { get; init; } = 0.04;

    /// <summary>Epochs of that warm-up.</summary>
    public int WarmupTeacherTempEpochs { get; init; }

    /// <summary>The student temperature.</summary>
    public double StudentTemp { get; init; } = 0.1;

    /// <summary>How slowly the centre follows.</summary>
    public double CenterMomentum { get; init; } = 0.9;

    /// <summary>Batches whose teacher logits make the first centre, where no file gives one; 0 starts it at 0.</summary>
    public int CenterWarmup { get; init; }

    /// <summary>The teacher's average, rising to 1 along a cosine.</summary>
    public double MomentumTeacher { get; init; } = 0.996;

    /// <summary>The update rule.</summary>
    public OptimizerKind Optimizer { get; init; } = OptimizerKind.AdamW;

    /// <summary>The peak learning rate for a batch of 256.</summary>
    public double Lr { get; init; } = 0.0005;

    /// <summary>Where the learning rate ends.</summary>
    public double MinLr { get; init; } = 1e-6;

    /// <summary>Epochs of linear warm-up of the learning rate.</summary>
    public int WarmupEpochs { get; init; } = 10;

    /// <summary>The weight decay's start.</summary>
    public double WeightDecay { get; init; } = 0.04;

    /// <summary>Its end, along a cosine.</summary>
    public double WeightDecayEnd { get; init; } = 0.4;

    /// <summary>The largest L2 norm of each parameter's gradient; 0 does not clip.</summary>
    public double ClipGrad { get; init; } = 3;

    /// <summary>Epochs during which the last layer keeps its first values.</summary>
    public int FreezeLastLayer { get; init; } = 1;

    /// <summary>Whether blocks are computed again in the backward pass instead of kept: less memory, more time, the same numbers.</summary>
    public bool Recompute { get; init; }

    /// <summary>Decides first weights, order of pictures, crops and dropped branches.</summary>
    public ulong Seed { get; init; }

    /// <summary>Pictures that an optimizer step sees.</summary>
    public int PicturesPerStep => BatchSize * Accumulate;

    /// <summary>Checks every number.</summary>
    /// <exception cref="ArgumentException">One makes no sense; the message names the option and says what it may be.</exception>
    public void Validate()
    {
        Hyperparameters.Check(this);
        if (Backbone.Channels is not (1 or 3))
            throw new ArgumentException(
                $"--channels must be 3 or 1, not {Backbone.Channels}: crops are made in colours or in grey. Networks of 4 channels can be evaluated and exported.");
        Backbone.Validate();
        Head.Validate();
        Crops.Validate();
    }

    /// <summary>The schedules of a run with so many optimizer steps an epoch.</summary>
    public RunSchedules Schedules(int stepsPerEpoch) => new(
        new CosineSchedule(Lr * PicturesPerStep / 256, MinLr, Epochs, stepsPerEpoch, WarmupEpochs),
        new CosineSchedule(WeightDecay, WeightDecayEnd, Epochs, stepsPerEpoch),
        new CosineSchedule(MomentumTeacher, 1, Epochs, stepsPerEpoch),
        new TeacherTemperatureSchedule(WarmupTeacherTemp, TeacherTemp, WarmupTeacherTempEpochs, Epochs));
}

/// <summary>What changes along a run: by optimizer step, the teacher's temperature by epoch.</summary>
/// <param name="LearningRate">By step.</param>
/// <param name="WeightDecay">By step, of the decayed parameters.</param>
/// <param name="Momentum">By step, of the teacher's average.</param>
/// <param name="TeacherTemperature">By epoch.</param>
public sealed record RunSchedules(
    CosineSchedule LearningRate, CosineSchedule WeightDecay, CosineSchedule Momentum, TeacherTemperatureSchedule TeacherTemperature);
