using System.Diagnostics;
using Dino.Model;
using Dino.Tensors;
using Dino.Train.Data;
using Dino.Train.Report;
using Dino.Train.Weights;

namespace Dino.Train;

/// <summary>Where a run writes and how often it does what does not change its result.</summary>
public sealed record RunOptions
{
    /// <summary>The folder of checkpoints and log.</summary>
    public required string OutputDir { get; init; }

    /// <summary>Epochs between checkpoints that stay.</summary>
    public int SaveEvery { get; init; } = 20;

    /// <summary>How the crops are made ahead.</summary>
    public PrefetchOptions Prefetch { get; init; } = new();

    /// <summary>Where crops are made of pictures.</summary>
    public Augmentation Augment { get; init; }

    /// <summary>Epochs between k-NN evaluations; 0 for none.</summary>
    public int KnnEvery { get; init; }

    /// <summary>Seconds after which the run ends itself, as for Ctrl-C; null for no limit.</summary>
    public double? MaxSeconds { get; init; }
}

/// <summary>The training loop: batches in, checkpoints and log out.</summary>
public sealed class Trainer : IDisposable
{
    private readonly TrainOptions options;
    private readonly RunOptions run;
    private readonly Device device;
    private readonly ImageFolder folder;
    private readonly SkippedFiles skipped;
    private readonly int stepsPerEpoch;
    private readonly Tensor globals;
    private readonly Tensor? locals;
    private readonly RandomStochasticDepth globalDepth, localDepth;
    private readonly StepReader report;
    private readonly StepClock clock = new();
    private readonly CollapseWatch collapse = new();
    private readonly Func<VisionTransformer, double?>? knn;

    private bool hasCentre;
    private RunLog? log;
    private ProgressTracker? progress;
    private long reported;
    private double epochLoss, epochEntropy;
    private int epochSteps;

    /// <summary>A run over the pictures of a folder, from its first step.</summary>
    /// <param name="options">The hyperparameters.</param>
    /// <param name="run">Where to write.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="folder">The pictures.</param>
    /// <param name="skipped">Takes in the files that cannot be read.</param>
    /// <param name="knn">Evaluates the teacher's backbone: k-NN top-1 in percent, or null if it cannot.</param>
    /// <exception cref="UserErrorException">The pictures do not fill one step.</exception>
    public Trainer(
        TrainOptions options, RunOptions run, Device device, ImageFolder folder, SkippedFiles skipped, Func<VisionTransformer, double?>? knn = null)
    {
        options.Validate();
        (this.options, this.run, this.device, this.folder, this.skipped, this.knn) = (options, run, device, folder, skipped, knn);
        stepsPerEpoch = folder.Count / options.PicturesPerStep;
        if (stepsPerEpoch == 0)
            throw new UserErrorException(
                $"{folder.Root} has {folder.Count} pictures, fewer than the {options.PicturesPerStep} of one step: give a smaller --batch-size.");
        MemoryEstimate.Check(options, device);
        var crops = options.Crops;
        globals = Tensor.Zeros(device, new Shape(2 * options.BatchSize, 3, crops.GlobalCropsSize, crops.GlobalCropsSize));
        if (crops.LocalCropsNumber > 0)
            locals = Tensor.Zeros(device, new Shape(crops.LocalCropsNumber * options.BatchSize, 3, crops.LocalCropsSize, crops.LocalCropsSize));
        State = new Distillation(options, device, stepsPerEpoch);
        globalDepth = new RandomStochasticDepth(options.Seed) { Pass = 0 };
        localDepth = new RandomStochasticDepth(options.Seed) { Pass = 1 };
        report = Report;
    }

    /// <summary>Student, teacher, optimizer and centre.</summary>
    public Distillation State { get; }

    /// <summary>The checkpoint that a run continues from.</summary>
    public string LatestPath => Path.Combine(run.OutputDir, "latest.safetensors");

    /// <summary>Trains to the end of the last epoch.</summary>
    /// <exception cref="UserErrorException">
    /// The loss is no longer finite, or the device has no memory left or was lost; the last checkpoint is kept.
    /// </exception>
    /// <exception cref="OperationCanceledException">Stopped early, after a checkpoint.</exception>
    public void Run(ProgressDisplay display, CancellationToken cancel)
    {
        try
        {
            Train(display, cancel);
        }
        catch (DeviceMemoryException e)
        {
            throw new UserErrorException($"Step {State.Step}: {e.Message} {MemoryEstimate.Advice(options)} {Kept()}", e);
        }
        catch (Exception e) when (DeviceLostException.From(e) is { } lost)
        {
            throw new UserErrorException(
                $"Step {State.Step}: {device}: {lost.Message} {(lost.IsMemory ? MemoryEstimate.Advice(options) + " " : "")}{Kept()}", e);
        }
    }

    private void Train(ProgressDisplay display, CancellationToken cancel)
    {
        Directory.CreateDirectory(run.OutputDir);
        using var runLog = log = RunLog.Open(Path.Combine(run.OutputDir, "log.jsonl"), State.Step);
        long steps = (long)options.Epochs * stepsPerEpoch;
        reported = State.Step;
        var limit = Stopwatch.StartNew();
        if (State.Step == 0 && !hasCentre)
            WarmUpCentre(cancel);
        using var crops = OpenCrops();
        clock.Start(State.Step, steps, options.PicturesPerStep);

        display.Run("training", steps, tracker =>
        {
            progress = tracker;
            tracker.StartAt(State.Step);
            while (State.Step < steps)
            {
                Learn(crops);
                // On the host a look costs nothing, and after the update no weight would be left to tell where it began.
                if (State.Monitor.Window == 1 && State.Monitor.PresentLoss() is var loss && !float.IsFinite(loss))
                    throw NotFinite(State.Step, NonFiniteSearch.BeforeUpdate(State, loss, globals, locals));
                State.Update();
                if (State.Monitor.Pending == State.Monitor.Window)
                    State.Monitor.Read(report);

                bool stop = cancel.IsCancellationRequested || limit.Elapsed.TotalSeconds > run.MaxSeconds;
                bool epochEnds = State.Step % stepsPerEpoch == 0;
                if (epochEnds)
                    EndEpoch((int)(State.Step / stepsPerEpoch) - 1);
                if (stop || epochEnds)
                {
                    // First the log: it may hold more than the checkpoint, which a resumed run cuts off, but never less. And what is not
                    // finite ends the run here, before it is saved.
                    State.Monitor.Read(report);
                    log.Flush();
                    Save(LatestPath);
                }
                if (!stop || State.Step == steps)
                    continue;
                string message = $"stopped after step {State.Step} of {steps}; the same command goes on from there.";
                if (cancel.IsCancellationRequested)
                    throw new OperationCanceledException(message, cancel);
                tracker.Note(message);
                return;
            }
        });
    }

    /// <summary>Goes on from <see cref="LatestPath"/> if it is there.</summary>
    /// <returns>Whether it was.</returns>
    public bool Resume()
    {
        if (!File.Exists(LatestPath))
            return false;
        ResumeCheck.Verify(LatestPath, Checkpoint.ReadInfo(LatestPath), options, stepsPerEpoch, folder.Count);
        Checkpoint.Restore(LatestPath, State);
        return true;
    }

    /// <summary>Begins with the weights of a file instead of those of the seed, and notes it in <c>init.json</c> beside the checkpoints.</summary>
    /// <exception cref="UserErrorException">The file does not fit, and <paramref name="allowPartial"/> is false; nothing was changed.</exception>
    public InitializationNote Initialize(Initialization file, bool allowPartial)
    {
        var note = file.Apply(State, allowPartial);
        hasCentre = note.HasCentre;
        if (!hasCentre && options.CenterWarmup > 0)
            note = note with { Centre = $"mean of the teacher logits of the first {CenterWarmup} batches" };
        Directory.CreateDirectory(run.OutputDir);
        note.Write(Path.Combine(run.OutputDir, "init.json"));
        return note;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        State.Dispose();
        globals.Dispose();
        locals?.Dispose();
    }

    private ICropSource OpenCrops()
    {
        var loading = new CropLoaderOptions
        {
            BatchSize = options.BatchSize,
            BatchesPerStep = options.Accumulate,
            Seed = options.Seed,
            StartEpoch = (int)(State.Step / stepsPerEpoch),
            StartStep = (int)(State.Step % stepsPerEpoch) * options.Accumulate,
            Crops = options.Crops,
            Prefetch = run.Prefetch,
        };
        try
        {
            return run.Augment == Augmentation.Device
                ? new DeviceCrops(device, folder, loading, skipped)
                : new HostCrops(new CropLoader(folder, loading, skipped));
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw new UserErrorException(e.Message, e);
        }
    }

    private int CenterWarmup => Math.Min(options.CenterWarmup, stepsPerEpoch * options.Accumulate);

    // The crops of the first batches, which the run then sees again.
    private void WarmUpCentre(CancellationToken cancel)
    {
        if (CenterWarmup == 0)
            return;
        using var crops = OpenCrops();
        for (int i = 0; i < CenterWarmup; i++)
        {
            cancel.ThrowIfCancellationRequested();
            crops.Next(globals, locals);
            State.WarmUpCentre(globals);
        }
        State.Loss.StartCentre();
    }

    private void Learn(ICropSource crops)
    {
        for (int part = 0; part < options.Accumulate; part++)
        {
            globalDepth.Step = localDepth.Step = (uint)(State.Step * options.Accumulate + part);
            crops.Next(globals, locals);
            State.Learn(globals, locals, globalDepth, localDepth);
        }
    }

    private void Report(float loss, float entropy, float centreNorm, ReadOnlySpan<float> gradientNorms)
    {
        long step = reported++;
        if (!float.IsFinite(loss) || !TotalNorm(gradientNorms, out double gradientNorm))
            throw NotFinite(step, NonFiniteSearch.AfterUpdate(State, loss, gradientNorms));
        epochLoss += loss;
        epochEntropy += entropy;
        epochSteps++;
        var (learningRate, weightDecay, momentum, temperature) = State.ScheduleAt(step);
        var line = new StepReport(
            step, (int)(step / stepsPerEpoch), loss, entropy, loss - entropy, Math.Log(options.Head.OutDim), centreNorm, gradientNorm,
            learningRate, weightDecay, momentum, temperature, clock.ImagesPerSecond(State.Step), clock.TimeLeft(State.Step));
        log!.Write(line);
        progress!.Report(step + 1, line);
        if (collapse.Observe(line) is { } warning)
            progress.Note(warning);
    }

    private UserErrorException NotFinite(long step, string what) => new(
        $"Step {step}: {what}. "
        + Kept()
        + "A lower --lr, a --clip-grad or a longer --warmup-epochs usually helps.");

    private string Kept() => File.Exists(LatestPath) ? $"The last checkpoint is kept: {LatestPath}. " : "";

    private void EndEpoch(int epoch)
    {
        State.Monitor.Read(report);
        double? top1 = null;
        if (run.KnnEvery > 0 && knn is not null && ((epoch + 1) % run.KnnEvery == 0 || epoch + 1 == options.Epochs))
            top1 = clock.Without(() => knn(State.Teacher.Backbone));
        double seconds = clock.EpochSeconds();
        var line = new EpochReport(
            epoch, State.Step, epochLoss / epochSteps, epochEntropy / epochSteps, seconds,
            (double)epochSteps * options.PicturesPerStep / seconds, top1);
        log!.Write(line);
        if (top1 is not null)
            progress!.Note($"epoch {epoch + 1}: k-NN top-1 {top1:F1} %, loss {line.Loss:F3}, {line.ImagesPerSecond:F0} images/s");
        (epochLoss, epochEntropy, epochSteps) = (0, 0, 0);
        if ((epoch + 1) % run.SaveEvery == 0)
            Save(Path.Combine(run.OutputDir, $"checkpoint{epoch + 1:D4}.safetensors"));
    }

    private void Save(string path) => Checkpoint.Save(path, State, new CheckpointInfo
    {
        Version = typeof(Trainer).Assembly.GetName().Version!.ToString(3),
        Step = State.Step,
        StepsPerEpoch = stepsPerEpoch,
        Epoch = (double)State.Step / stepsPerEpoch,
        Pictures = folder.Count,
        Options = options,
    });

    private static bool TotalNorm(ReadOnlySpan<float> norms, out double total)
    {
        double sum = 0;
        foreach (float norm in norms)
            sum += (double)norm * norm;
        total = Math.Sqrt(sum);
        return double.IsFinite(total);
    }
}
