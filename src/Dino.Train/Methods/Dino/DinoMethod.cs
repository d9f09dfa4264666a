using Dino.Model;
using Dino.Pictures.Loading;
using Dino.Pictures.Transforms;
using Dino.Tensors;
using Dino.Tensors.Nn;
using Dino.Tensors.Ops;
using Dino.Tensors.Optim;
using Dino.Train.Log;
using Dino.Train.Runs;

namespace Dino.Train.Methods.Dino;

/// <summary>
/// DINO: a student learns to say of every crop what its own moving average, the teacher, says of the global ones (paper, algorithm 1), in
/// the order of the reference: teacher on the global crops, student on all, loss, backward, clip, optimizer, teacher's average.
/// </summary>
/// <remarks>With several batches a step, the centre, the average and the schedules move as they would for one large batch.</remarks>
public sealed class DinoMethod : IMethod, IWarmUp, IInitializable, ISearchable
{
    private readonly Device device;
    private readonly DinoOptions options;
    private readonly IRanks ranks;
    private readonly StepSchedule schedule;
    private readonly CosineSchedule momentum;
    private readonly WarmupSchedule temperature;
    private readonly Tape tape;
    private readonly ParameterGroup lastLayer; // held in the first epochs
    private readonly ExponentialMovingAverage average;
    private readonly CollapseWatch collapse = new();
    private readonly RandomStochasticDepth globalDepth, localDepth;
    private readonly int stepsPerEpoch;
    private bool hasCentre;

    /// <summary>A student with first values from the seed, and a teacher equal to it.</summary>
    public DinoMethod(DinoOptions options, MethodContext context)
    {
        options.Validate();
        (this.options, device, stepsPerEpoch, ranks) = (options, context.Device, context.StepsPerEpoch, context.Ranks);
        schedule = new StepSchedule(options, stepsPerEpoch, ranks.Count);
        (momentum, temperature) = (options.Momentum(stepsPerEpoch), options.TeacherTemperature());
        globalDepth = new RandomStochasticDepth(options.Seed) { Pass = 0, Pictures = options.BatchSize };
        localDepth = new RandomStochasticDepth(options.Seed) { Pass = 1, Pictures = options.BatchSize };
        tape = new Tape(device);

        Student = new MultiCropModel(options.Backbone, options.Head);
        Teacher = new MultiCropModel(options.Backbone, options.Head);
        StudentParameters = new FlatParameters(Student, device, trainable: true);
        TeacherParameters = new FlatParameters(Teacher, device, trainable: false);
        StudentParameters.Initialize(options.Seed);
        TeacherParameters.CopyFrom(StudentParameters);

        lastLayer = new ParameterGroup(Student.Head.LastLayer) { Holdable = true };
        Optimizer = options.BuildOptimizer(StudentParameters, lastLayer);
        average = new ExponentialMovingAverage(TeacherParameters, StudentParameters);
        Loss = new DinoLoss(device, options.Head.OutDim, options.StudentTemp, options.CenterMomentum, ranks);
        Measured = new Measurements(device, DinoMeasures.Of(options, RatesAt), Optimizer.Norms.Count, ranks);
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

    /// <inheritdoc/>
    public Measurements Measured { get; }

    /// <inheritdoc/>
    public IReadOnlyList<View> Views => options.Crops.Views;

    /// <inheritdoc/>
    public Backbone Evaluated => Teacher.Backbone;

    /// <inheritdoc/>
    public IEnumerable<IState> State =>
    [
        SavedState.Of("student", StudentParameters), SavedState.Of("teacher", TeacherParameters), SavedState.Of("optimizer", Optimizer),
        SavedState.Of("center", Loss.Centre, new Shape(1, Loss.Centre.Count)),
    ];

    /// <inheritdoc/>
    public string Summary => FormattableString.Invariant($"{StudentParameters.Count:N0} parameters, K = {options.Head.OutDim}");

    /// <inheritdoc/>
    public IReadOnlyList<Parameter> Trained => Optimizer.Parameters;

    /// <inheritdoc/>
    public int WarmUpBatches => hasCentre ? 0 : Math.Min(options.CenterWarmup, stepsPerEpoch * options.Accumulate);

    /// <summary>The numbers of a step.</summary>
    public DinoRates RatesAt(long step)
    {
        var common = schedule.At(step);
        return new(common.LearningRate, common.WeightDecay, momentum.At(step), temperature.At(common.Epoch));
    }

    /// <inheritdoc/>
    public void Learn(ViewBatch views, in StepInfo step)
    {
        const int globals = MultiCropOptions.GlobalCropsNumber;
        using var batch = device.BeginArena(reuseTensors: true);
        globalDepth.Step = localDepth.Step = (uint)step.Batch;
        var locals = views.Count > globals ? views.Views(globals, views.Count - globals) : null;
        Learn(views.Views(0, globals), locals, globalDepth, localDepth, step);
    }

    /// <summary>Adds the gradients of one batch, with dropped branches as given.</summary>
    /// <param name="globals">(2·B, C, S, S), crop-major.</param>
    /// <param name="locals">(n·B, C, s, s), crop-major, or null.</param>
    /// <param name="globalDepth">The student's dropped branches for the global crops.</param>
    /// <param name="localDepth">The same for the local crops.</param>
    /// <param name="step">Which step and batch it is.</param>
    public void Learn(Tensor globals, Tensor? locals, StochasticDepth? globalDepth, StochasticDepth? localDepth, in StepInfo step)
    {
        using var batch = device.BeginArena(reuseTensors: true);
        var teacherLogits = Teacher.Forward(globals, TeacherPass); // (2·B, K)
        tape.Record();
        var pass = new Pass(Training: true, ranks, globalDepth, options.Recompute);
        var studentLogits = Student.Forward(globals, locals, pass, localDepth); // (n·B, K)
        var (loss, entropy) = Loss.Compute(studentLogits, teacherLogits, temperature.At(step.Epoch));
        Measured.Count(DinoMeasures.Loss, loss);
        Measured.Count(DinoMeasures.TeacherEntropy, entropy);
        tape.Backward(loss, step.LossWeight);
    }

    /// <summary>Moves centre, student and teacher by what the batches since the last update have left.</summary>
    public void Update(in StepInfo step)
    {
        using var update = device.BeginArena(reuseTensors: true);
        Loss.UpdateCentre();
        if (ranks.Count > 1)
            ranks.Sum(StudentParameters.CompleteGradients());
        ReadOnlySpan<ParameterGroup> held = step.Epoch < options.FreezeLastLayer ? new(in lastLayer) : [];
        Optimizer.Step(step.LearningRate, step.WeightDecay, options.ClipGrad, held);
        average.Update(momentum.At(step.Step));
        Measured.Count(DinoMeasures.CentreNorm, CentreUpdate.Norm(Loss.Centre));
        Measured.EndStep(step.Step, step.Epoch, Optimizer.Norms);
        StudentParameters.ZeroGrad();
    }

    /// <inheritdoc/>
    public void WarmUp(ViewBatch views)
    {
        using var batch = device.BeginArena(reuseTensors: true);
        WarmUp(views.Views(0, MultiCropOptions.GlobalCropsNumber));
    }

    /// <summary>
    /// Counts the teacher's logits of one batch for a first centre; <see cref="EndWarmUp"/> sets it. A trained network with a new head has
    /// logits far from 0, and a centre that starts there leaves one prototype to all pictures.
    /// </summary>
    /// <param name="globals">(2·B, C, S, S), crop-major.</param>
    public void WarmUp(Tensor globals)
    {
        using var batch = device.BeginArena(reuseTensors: true);
        Loss.Count(Teacher.Forward(globals, TeacherPass));
    }

    /// <inheritdoc/>
    public void EndWarmUp() => Loss.StartCentre();

    /// <inheritdoc/>
    public InitializationNote Initialize(Initialization file, bool allowPartial)
    {
        var note = DinoInitialization.Apply(file, this, allowPartial);
        hasCentre = note.HasCentre;
        return WarmUpBatches > 0 ? note with { Centre = $"mean of the teacher logits of the first {WarmUpBatches} batches" } : note;
    }

    /// <inheritdoc/>
    public string? Health(StepRow row) => collapse.Observe(row)?.ToString();

    /// <inheritdoc/>
    /// <remarks>
    /// Weights, optimizer and centre are as after the last <see cref="Update"/>. The gradients are not, nor the running statistics of a
    /// batch normalisation.
    /// </remarks>
    public bool Abandon()
    {
        tape.Dispose();
        return !options.Head.UseBatchNorm;
    }

    /// <inheritdoc/>
    public IEnumerable<SearchedTensor> Searched(ViewBatch views)
    {
        const int globals = MultiCropOptions.GlobalCropsNumber;
        yield return new(views.Views(0, globals), bad => $"{bad} values of the global crops are not finite");
        if (views.Count > globals)
            yield return new(views.Views(globals, views.Count - globals), bad => $"{bad} values of the local crops are not finite");
        // The last update wrote the student first; the teacher follows it.
        foreach (var suspect in SearchedTensor.Of("student", StudentParameters).Concat(SearchedTensor.Of("teacher", TeacherParameters)))
            yield return suspect;
        yield return new(Loss.Centre, _ => "the centre is not finite");
    }

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
    private Pass TeacherPass => new(Training: true, ranks);
}

/// <summary>The numbers of a step of DINO.</summary>
/// <param name="LearningRate">The learning rate.</param>
/// <param name="WeightDecay">The weight decay.</param>
/// <param name="Momentum">How much of itself the teacher keeps.</param>
/// <param name="TeacherTemperature">What sharpens the teacher.</param>
public readonly record struct DinoRates(double LearningRate, double WeightDecay, double Momentum, double TeacherTemperature);
