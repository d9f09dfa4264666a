using Dino.Model;
using Dino.Tensors;
using Dino.Tensors.Nn;
using Dino.Tensors.Ops;
using Dino.Tensors.Optim;
using Dino.Train.Log;
using Dino.Train.Options;

namespace Dino.Train.Methods.Dino;

/// <summary>
/// Student, teacher and the training step that connects them (paper, algorithm 1), in the order of the reference: teacher on the global
/// crops, student on all, loss, backward, clip, optimizer, teacher's average.
/// </summary>
/// <remarks>
/// <see cref="Learn"/> once for each batch, <see cref="Update"/> once for each optimizer step: with several batches a step, the centre, the
/// average and the schedules move as they would for one large batch.
/// </remarks>
public sealed class Distillation : IDisposable
{
    private readonly Device device;
    private readonly DinoOptions options;
    private readonly CosineSchedule learningRate, weightDecay, momentum;
    private readonly TeacherTemperatureSchedule temperature;
    private readonly Tape tape;
    private readonly ParameterGroup lastLayer; // held in the first epochs
    private readonly ExponentialMovingAverage average;
    private readonly int stepsPerEpoch;

    /// <summary>A student with first values from the seed, and a teacher equal to it.</summary>
    public Distillation(DinoOptions options, Device device, int stepsPerEpoch)
    {
        options.Validate();
        (this.options, this.device, this.stepsPerEpoch) = (options, device, stepsPerEpoch);
        (learningRate, weightDecay) = (options.LearningRate(stepsPerEpoch), options.WeightDecays(stepsPerEpoch));
        (momentum, temperature) = (options.Momentum(stepsPerEpoch), options.TeacherTemperature());
        tape = new Tape(device);

        Student = new MultiCropModel(options.Backbone, options.Head);
        Teacher = new MultiCropModel(options.Backbone, options.Head);
        StudentParameters = new FlatParameters(Student, device, trainable: true);
        TeacherParameters = new FlatParameters(Teacher, device, trainable: false);
        StudentParameters.Initialize(options.Seed);
        TeacherParameters.CopyFrom(StudentParameters);

        lastLayer = new ParameterGroup(Student.Head.LastLayer) { Holdable = true };
        Optimizer = options.Optimizer switch
        {
            OptimizerKind.AdamW => new AdamW(StudentParameters, [lastLayer]),
            OptimizerKind.Sgd => new Sgd(StudentParameters, [lastLayer]),
            _ => new Lars(StudentParameters, [lastLayer]),
        };
        average = new ExponentialMovingAverage(TeacherParameters, StudentParameters);
        Loss = new DinoLoss(device, options.Head.OutDim, options.StudentTemp, options.CenterMomentum);
        Measured = new Measurements(device, DinoMeasures.Of(options, ScheduleAt), Optimizer.Norms.Count);
    }

    /// <summary>The network that learns by gradients.</summary>
    public MultiCropModel Student { get; }

    /// <summary>The network that is the student's moving average; evaluation uses it.</summary>
    public MultiCropModel Teacher { get; }

    /// <summary>The student's memory.</summary>
    public FlatParameters StudentParameters { get; }

    /// <summary>The teacher's memory.</summary>
    public FlatParameters TeacherParameters { get; }

    /// <summary>The update rule and its moments.</summary>
    public Optimizer Optimizer { get; }

    /// <summary>The loss and its centre.</summary>
    public DinoLoss Loss { get; }

    /// <summary>What the last steps measured.</summary>
    public Measurements Measured { get; }

    /// <summary>The optimizer steps done so far.</summary>
    public long Step { get; set; }

    /// <summary>The epoch of the next step.</summary>
    public int Epoch => EpochOf(Step);

    /// <summary>The numbers of a step.</summary>
    public (double LearningRate, double WeightDecay, double Momentum, double TeacherTemperature) ScheduleAt(long step) =>
        (learningRate.At(step), weightDecay.At(step), momentum.At(step), temperature.At(EpochOf(step)));

    /// <summary>Adds the gradients of one batch.</summary>
    /// <param name="globals">(2·B, 3, S, S), crop-major.</param>
    /// <param name="locals">(n·B, 3, s, s), crop-major, or null.</param>
    /// <param name="globalDepth">The student's dropped branches for the global crops.</param>
    /// <param name="localDepth">The same for the local crops.</param>
    public void Learn(Tensor globals, Tensor? locals, StochasticDepth? globalDepth, StochasticDepth? localDepth)
    {
        using var batch = device.BeginArena(reuseTensors: true);
        var pass = new Pass(Training: true, OneRank.Instance, globalDepth, options.Recompute);
        var teacherLogits = Teacher.Forward(globals, TeacherPass); // (2·B, K)
        tape.Record();
        var studentLogits = Student.Forward(globals, locals, pass, localDepth); // (n·B, K)
        var (loss, entropy) = Loss.Compute(studentLogits, teacherLogits, temperature.At(Epoch));
        Measured.Count(DinoMeasures.Loss, loss);
        Measured.Count(DinoMeasures.TeacherEntropy, entropy);
        tape.Backward(loss, weight: 1f / options.Accumulate);
    }

    /// <summary>
    /// Counts the teacher's logits of one batch for a first centre; <see cref="DinoLoss.StartCentre"/> sets it. A trained network with a new
    /// head has logits far from 0, and a centre that starts there leaves one prototype to all pictures.
    /// </summary>
    /// <param name="globals">(2·B, 3, S, S), crop-major.</param>
    public void WarmUpCentre(Tensor globals)
    {
        using var batch = device.BeginArena(reuseTensors: true);
        Loss.Count(Teacher.Forward(globals, TeacherPass));
    }

    /// <summary>Moves centre, student and teacher by what the batches since the last update have left.</summary>
    public void Update()
    {
        using var update = device.BeginArena(reuseTensors: true);
        var (rate, decay, momentumNow, _) = ScheduleAt(Step);
        Loss.UpdateCentre();
        ReadOnlySpan<ParameterGroup> held = Epoch < options.FreezeLastLayer ? new(in lastLayer) : [];
        Optimizer.Step(rate, decay, options.ClipGrad, held);
        average.Update(momentumNow);
        Measured.Count(DinoMeasures.CentreNorm, CentreUpdate.Norm(Loss.Centre));
        Measured.EndStep(Step, (int)(Step / stepsPerEpoch), Optimizer.Norms);
        StudentParameters.ZeroGrad();
        Step++;
    }

    /// <summary>
    /// Lets go of a step that was broken off in <see cref="Learn"/>: weights, optimizer and centre are as after the last <see cref="Update"/>. The
    /// gradients are not, so the object can be saved but learns no more.
    /// </summary>
    internal void Abandon() => tape.Dispose();

    /// <inheritdoc/>
    public void Dispose()
    {
        tape.Dispose();
        Measured.Dispose();
        Loss.Dispose();
        average.Dispose();
        Optimizer.Dispose();
        TeacherParameters.Dispose();
        StudentParameters.Dispose();
    }

    // Its batch normalisation takes the batch's statistics, as the reference's teacher does, and no branch is dropped.
    private static Pass TeacherPass => new(Training: true, OneRank.Instance);

    private int EpochOf(long step) => (int)Math.Min(step / stepsPerEpoch, options.Epochs - 1);
}
