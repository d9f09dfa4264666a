using System.Diagnostics;
using System.Globalization;
using Dino.Model;
using Dino.Pictures.DataSets;
using Dino.Pictures.Loading;
using Dino.Pictures.Transforms;
using Dino.Tensors;
using Dino.Tensors.Io;
using Dino.Train.Log;
using Dino.Train.Methods.Dino;
using Dino.Train.Options;
using Dino.Train.Runs;

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

    /// <summary>Whether a run that the folder holds is replaced; otherwise a new one refuses to begin there.</summary>
    public bool Restart { get; init; }

    /// <summary>Whether the contents of the pictures are compared however many they are, instead of their times alone.</summary>
    public bool Verify { get; init; }
}

/// <summary>The training loop: batches in, checkpoints and log out.</summary>
public sealed class Trainer : IDisposable
{
    private const int LongestWait = 500; // milliseconds that a step may go on when the run is asked to stop

    private readonly DinoOptions options;
    private readonly RunOptions run;
    private readonly Device device;
    private readonly ImageFolder folder;
    private readonly SkippedFiles skipped;
    private readonly int stepsPerEpoch;
    private readonly ViewBatch views;
    private readonly Tensor globals;
    private readonly Tensor? locals;
    private readonly RandomStochasticDepth globalDepth, localDepth;
    private readonly StepReader report;
    private readonly StepClock clock = new();
    private readonly CollapseWatch collapse = new();
    private readonly Func<Backbone, double?>? knn;

    private readonly List<string> notes = [];

    private FolderLock? hold;
    private PictureListing? listing;
    private DataIdentity? identity;
    private InitialWeights? initial;
    private IReadOnlyList<GrownRun>? grown;
    private string? beginning;
    private bool resumed, listed;
    private long saved;
    private bool hasCentre;
    private RunLog? log;
    private ProgressTracker? progress;
    private readonly EpochMeans means;

    /// <summary>A run over the pictures of a folder, from its first step.</summary>
    /// <param name="options">The hyperparameters.</param>
    /// <param name="run">Where to write.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="folder">The pictures.</param>
    /// <param name="skipped">Takes in the files that cannot be read.</param>
    /// <param name="knn">Evaluates the teacher's backbone: k-NN top-1 in percent, or null if it cannot.</param>
    /// <exception cref="UserErrorException">The pictures do not fill one step.</exception>
    public Trainer(
        DinoOptions options, RunOptions run, Device device, ImageFolder folder, SkippedFiles skipped, Func<Backbone, double?>? knn = null)
    {
        options.Validate();
        (this.options, this.run, this.device, this.folder, this.skipped, this.knn) = (options, run, device, folder, skipped, knn);
        stepsPerEpoch = folder.Count / options.PicturesPerStep;
        if (stepsPerEpoch == 0)
            throw new UserErrorException(
                $"{folder.Root} has {folder.Count} pictures, fewer than the {options.PicturesPerStep} of one step: give a smaller `BatchSize`.");
        MemoryEstimate.Check(options, device);
        var crops = options.Crops;
        views = new ViewBatch(device, crops.Views, options.BatchSize, options.Backbone.Channels);
        globals = views.Views(0, MultiCropOptions.GlobalCropsNumber);
        if (crops.LocalCropsNumber > 0)
            locals = views.Views(MultiCropOptions.GlobalCropsNumber, crops.LocalCropsNumber);
        State = new Distillation(options, device, stepsPerEpoch);
        globalDepth = new RandomStochasticDepth(options.Seed) { Pass = 0 };
        localDepth = new RandomStochasticDepth(options.Seed) { Pass = 1 };
        report = Report;
        means = new EpochMeans(State.Measured.Measures);
    }

    /// <summary>Student, teacher, optimizer and centre.</summary>
    public Distillation State { get; }

    /// <summary>The checkpoint that a run continues from.</summary>
    public string LatestPath => Path.Combine(run.OutputDir, RunFiles.Latest);

    /// <summary>What a person should know of how the run goes on, after <see cref="Resume()"/>.</summary>
    public IReadOnlyList<string> Notes => notes;

    /// <summary>What a person should know who stops the run now: up to where it is saved, and how it goes on.</summary>
    public string Saved => saved > 0
        ? $"The run is saved up to step {saved} of {Steps}: {LatestPath}. The same command goes on from there."
        : "Nothing of the run is saved yet; the same command begins it again.";

    /// <summary>The steps of the whole run.</summary>
    public long Steps => (long)options.Epochs * stepsPerEpoch;

    /// <summary>Trains to the end of the last epoch.</summary>
    /// <exception cref="UserErrorException">
    /// The loss is no longer finite, or the device has no memory left or was lost; the last checkpoint is kept. Or the folder holds a run that was
    /// not resumed, or another process uses it.
    /// </exception>
    /// <exception cref="OperationCanceledException">Stopped early, after a checkpoint.</exception>
    public void Run(ProgressDisplay display, CancellationToken cancel)
    {
        var interrupt = device.Interrupt;
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
        finally
        {
            device.Interrupt = interrupt;
        }
    }

    private void Train(ProgressDisplay display, CancellationToken cancel)
    {
        Hold();
        if (!resumed)
            Begin(cancel);
        using var runLog = log = RunLog.Open(Path.Combine(run.OutputDir, RunFiles.Log), State.Step);
        long steps = Steps;
        device.Interrupt = default;
        var limit = Stopwatch.StartNew();
        if (State.Step == 0 && !hasCentre)
            WarmUpCentre(cancel);
        // A step that is done soon is done; a longer one is broken off.
        using var abandon = new CancellationTokenSource();
        using var asked = cancel.Register(() => abandon.CancelAfter(LongestWait));
        using var crops = OpenCrops(abandon.Token);
        clock.Start(State.Step, steps, options.PicturesPerStep);

        display.Run("training", steps, tracker =>
        {
            progress = tracker;
            tracker.StartAt(State.Step);
            if (beginning is not null)
                tracker.Note(beginning);
            while (State.Step < steps)
            {
                if (!TryLearn(crops, abandon.Token))
                {
                    // The weights are still those of the last whole step. The running statistics of a batch normalisation are not.
                    if (!options.Head.UseBatchNorm)
                        SaveLatest();
                    throw new OperationCanceledException("stopped in the middle of a step.", cancel);
                }
                // On the host a look costs nothing, and after the update no weight would be left to tell where it began.
                if (State.Measured.Window == 1 && State.Measured.TryFindBroken(out _))
                    throw NotFinite(State.Step, NonFiniteSearch.BeforeUpdate(State, State.Measured.Present(DinoMeasures.Loss), globals, locals));
                State.Update();
                if (State.Measured.IsFull)
                    State.Measured.Read(report);

                bool epochEnds = State.Step % stepsPerEpoch == 0;
                if (epochEnds)
                    EndEpoch((int)(State.Step / stepsPerEpoch) - 1, cancel);
                bool stop = cancel.IsCancellationRequested || limit.Elapsed.TotalSeconds > run.MaxSeconds;
                if (stop || epochEnds)
                    SaveLatest();
                if (!stop || State.Step == steps)
                    continue;
                string message = $"stopped after step {State.Step} of {steps}; the same command goes on from there.";
                if (cancel.IsCancellationRequested)
                    throw new OperationCanceledException(message, cancel);
                tracker.Note(message);
                return;
            }
        });
        log.Close();
    }

    /// <summary>Goes on from <see cref="LatestPath"/> if it is there and of the same run; whatever weights that began with.</summary>
    /// <returns>Whether it was there.</returns>
    /// <exception cref="UserErrorException">It is of another run, or another process uses the folder; nothing was changed.</exception>
    public bool Resume() => Resume(check => { });

    /// <summary>Goes on from <see cref="LatestPath"/> if it is there and of the same run.</summary>
    /// <param name="file">The weights that the run is to have begun with; null for those of the seed.</param>
    /// <param name="allowPartial">Whether they were allowed to fit in part.</param>
    /// <param name="cancel">Stops the comparison of the pictures.</param>
    /// <returns>Whether it was there.</returns>
    /// <exception cref="UserErrorException">It is of another run, or another process uses the folder; nothing was changed.</exception>
    public bool Resume(Initialization? file, bool allowPartial, CancellationToken cancel = default) =>
        Resume(check => check.Origin(file?.Identity(allowPartial, cancel)), cancel);

    private bool Resume(Action<ResumeCheck> origin, CancellationToken cancel = default)
    {
        if (!File.Exists(LatestPath))
            return false;
        Hold();
        var info = Checkpoint.ReadInfo(LatestPath);
        List(cancel);
        var check = new ResumeCheck(LatestPath, info);
        check.Options(options);
        origin(check);
        check.Pictures(identity!, listing!, stepsPerEpoch);
        check.LargestPicture(run.Prefetch.UnusualMaxPixels);
        check.Arithmetic(Arithmetic);
        check.ThrowIfOther();
        Checkpoint.Restore(LatestPath, State);
        (initial, grown, resumed, saved) = (info.Init, info.Grown, true, info.Step);
        notes.AddRange(check.Notes);
        if (check.GrownFrom is { } epochs)
            Grow(info, epochs);
        // A kill may have come between the two files.
        Checkpoint.RefreshCopy(LatestPath);
        return true;
    }

    /// <summary>Begins with the weights of a file instead of those of the seed, and notes it in <c>init.json</c> beside the checkpoints.</summary>
    /// <exception cref="UserErrorException">The file does not fit, and <paramref name="allowPartial"/> is false; nothing was changed.</exception>
    public InitializationNote Initialize(Initialization file, bool allowPartial)
    {
        Hold();
        RefuseToReplace();
        var note = file.Apply(State, allowPartial);
        initial = file.Identity(allowPartial);
        hasCentre = note.HasCentre;
        if (!hasCentre && options.CenterWarmup > 0)
            note = note with { Centre = $"mean of the teacher logits of the first {CenterWarmup} batches" };
        note.Write(Path.Combine(run.OutputDir, RunFiles.InitialWeights));
        return note;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            State.Dispose();
            globals.Dispose();
            locals?.Dispose();
            views.Dispose();
        }
        finally
        {
            hold?.Dispose();
        }
    }

    private string Arithmetic =>
        $"{(device.Name == "cpu" ? $"cpu with {System.Numerics.Vector<float>.Count} floats a vector" : device.ToString())} in {device.Precision.ToString().ToLowerInvariant()}";

    /// <summary>Keeps the folder to this run, and removes what killed runs left in it.</summary>
    private void Hold()
    {
        if (hold is not null)
            return;
        hold = FolderLock.Acquire(run.OutputDir);
        AtomicFile.RemoveLeftovers(run.OutputDir, RunFiles.IsOne);
    }

    private void List(CancellationToken cancel)
    {
        listing ??= PictureListing.Of(folder, run.Verify, cancel);
        identity ??= listing.Identity();
    }

    private void RefuseToReplace()
    {
        if (!run.Restart && File.Exists(LatestPath))
            throw new UserErrorException(
                $"{run.OutputDir} holds a run already: go on with it (Resume), replace it (`Restart`), or give another folder.");
    }

    /// <summary>Makes the folder that of a new run: nothing that is left of an earlier one may pass for a part of it.</summary>
    private void Begin(CancellationToken cancel)
    {
        RefuseToReplace();
        List(cancel);
        File.Delete(LatestPath);
        File.Delete(Path.ChangeExtension(LatestPath, ".json"));
        if (initial is null)
            File.Delete(Path.Combine(run.OutputDir, RunFiles.InitialWeights));
        string[] earlier = RunFiles.Kept(run.OutputDir);
        if (earlier.Length > 0)
            beginning = $"{run.OutputDir} keeps checkpoints of an earlier run until this one replaces them: {string.Join(", ", earlier.Take(3))}{(earlier.Length > 3 ? ", …" : "")}";
    }

    private void Grow(CheckpointInfo info, int epochs)
    {
        grown = [.. info.Grown ?? [], new GrownRun(State.Step, epochs, options.Epochs)];
        long last = Math.Min(State.Step, (long)epochs * stepsPerEpoch - 1);
        var changes = info.OptionsLike(options).Schedules(stepsPerEpoch).Zip(options.Schedules(stepsPerEpoch), (before, now) =>
            $"{before.Name} {before.At(last)} → {now.At(State.Step)}");
        notes.Add($"`Epochs` {options.Epochs}: the run of {epochs} epochs is made longer at step {State.Step}. "
            + $"Its schedules are stretched to the new length from here on: {string.Join(", ", changes)}. "
            + $"This is not the run that {options.Epochs} epochs from the start would have been");
    }

    private IViewSource OpenCrops(CancellationToken cancel)
    {
        var loading = new CropLoaderOptions
        {
            BatchSize = options.BatchSize,
            BatchesPerStep = options.Accumulate,
            Seed = options.Seed,
            StartEpoch = (int)(State.Step / stepsPerEpoch),
            StartStep = (int)(State.Step % stepsPerEpoch) * options.Accumulate,
            Channels = options.Backbone.Channels,
            Views = options.Crops.Views,
            Prefetch = run.Prefetch with { Cancel = cancel },
        };
        try
        {
            return run.Augment == Augmentation.Device
                ? new DeviceCrops(device, folder, loading, skipped)
                : new HostCrops(device, folder, loading, skipped);
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
        using var crops = OpenCrops(cancel);
        for (int i = 0; i < CenterWarmup; i++)
        {
            cancel.ThrowIfCancellationRequested();
            crops.Next(views);
            State.WarmUpCentre(globals);
        }
        State.Loss.StartCentre();
    }

    /// <summary>The gradients of a step; false if it was broken off, which leaves the weights as they were.</summary>
    private bool TryLearn(IViewSource crops, CancellationToken abandon)
    {
        device.Interrupt = abandon; // in the update after it, nothing is broken off
        try
        {
            for (int part = 0; part < options.Accumulate; part++)
            {
                abandon.ThrowIfCancellationRequested();
                globalDepth.Step = localDepth.Step = (uint)(State.Step * options.Accumulate + part);
                crops.Next(views);
                State.Learn(globals, locals, globalDepth, localDepth);
            }
            return true;
        }
        catch (OperationCanceledException) when (abandon.IsCancellationRequested)
        {
            State.Abandon();
            return false;
        }
        finally
        {
            device.Interrupt = default;
        }
    }

    private void SaveLatest()
    {
        // First the log: it may hold more than the checkpoint, which a resumed run cuts off, but never less. And what is not
        // finite ends the run here, before it is saved.
        State.Measured.Read(report);
        log!.Sync();
        if (State.Step == saved)
            return;
        Save(LatestPath);
        saved = State.Step;
    }

    private void Report(in StepRow measured, ReadOnlySpan<float> gradientNorms)
    {
        if (measured.TryFindBroken(out _))
            throw NotFinite(measured.Step, NonFiniteSearch.AfterUpdate(State, (float)measured[DinoMeasures.Loss], gradientNorms));
        means.Add(measured);
        var row = measured with { ImagesPerSecond = clock.ImagesPerSecond(State.Step), TimeLeft = clock.TimeLeft(State.Step) };
        log!.Write(row);
        progress!.Report(row.Step + 1, row);
        if (collapse.Observe(row) is { } finding)
            progress.Note(finding.ToString());
    }

    private UserErrorException NotFinite(long step, string what) => new(
        $"Step {step}: {what}. "
        + Kept()
        + "A lower `Lr`, a `ClipGrad` or a longer `WarmupEpochs` usually helps.");

    private string Kept() => File.Exists(LatestPath) ? $"The last checkpoint is kept: {LatestPath}. " : "";

    private double? Evaluate(Func<Backbone, double?> knn)
    {
        try
        {
            return knn(State.Teacher.Backbone);
        }
        catch (Exception e) when (e is UserErrorException or ImageFolderException)
        {
            throw new UserErrorException($"Step {State.Step}, k-NN: {e.Message} {Kept()}".TrimEnd(), e);
        }
    }

    private void EndEpoch(int epoch, CancellationToken cancel)
    {
        State.Measured.Read(report);
        double? top1 = null;
        if (run.KnnEvery > 0 && knn is not null && ((epoch + 1) % run.KnnEvery == 0 || epoch + 1 == options.Epochs))
        {
            try
            {
                top1 = clock.Without(() => Evaluate(knn));
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                // The epoch is whole without its evaluation, and is saved before the run stops.
            }
        }
        double seconds = clock.EpochSeconds();
        var line = new EpochRow(epoch, State.Step, means.ToList(), seconds, (double)means.Steps * options.PicturesPerStep / seconds, top1);
        log!.Write(line);
        if (top1 is not null)
            progress!.Note(FormattableString.Invariant($"epoch {epoch + 1}: k-NN top-1 {top1:F1} %, {line.FirstMean()}{line.ImagesPerSecond:F0} images/s"));
        means.Clear();
        if ((epoch + 1) % run.SaveEvery == 0)
            Save(Path.Combine(run.OutputDir, $"checkpoint{epoch + 1:D4}.safetensors"));
    }

    private void Save(string path)
    {
        if (!listed)
            listing!.Write(run.OutputDir);
        listed = true;
        Checkpoint.Save(path, State, Info());
    }

    private CheckpointInfo Info() => new()
    {
        Version = typeof(Trainer).Assembly.GetName().Version!.ToString(3),
        Step = State.Step,
        StepsPerEpoch = stepsPerEpoch,
        Epoch = (double)State.Step / stepsPerEpoch,
        Pictures = folder.Count,
        Options = CheckpointInfo.Write(options),
        Data = identity,
        MaxPixels = run.Prefetch.UnusualMaxPixels,
        Init = initial,
        Arithmetic = Arithmetic,
        Grown = grown,
    };
}
