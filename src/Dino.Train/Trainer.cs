using System.Diagnostics;
using System.Text.Json;
using Dino.Model;
using Dino.Pictures.DataSets;
using Dino.Pictures.Loading;
using Dino.Tensors;
using Dino.Train.Evaluation;
using Dino.Train.Log;
using Dino.Train.Methods;
using Dino.Train.Options;
using Dino.Train.Runs;

namespace Dino.Train;

/// <summary>The training loop of every method: batches in, checkpoints and log out.</summary>
public sealed class Trainer : IDisposable
{
    private const int LongestWait = 500; // milliseconds that a step may go on when the run is asked to stop

    private readonly TrainOptions options;
    private readonly RunOptions run;
    private readonly Device device;
    private readonly ImageFolder pictures;
    private readonly SkippedFiles skipped;
    private readonly IRanks ranks;
    private readonly RankAgreement agreement;
    private readonly RunFolder folder;
    private readonly RunHistory history;
    private readonly StepSchedule schedule;
    private readonly ViewBatch views;
    private readonly StepClock clock = new();
    private readonly Func<Backbone, double?>? knn;
    private readonly int stepsPerEpoch;
    private long saved;

    /// <summary>A run over the pictures of a folder, from its first step.</summary>
    /// <param name="options">The hyperparameters, and with them the method.</param>
    /// <param name="run">Where to write.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="pictures">The pictures.</param>
    /// <param name="skipped">Takes in the files that cannot be read.</param>
    /// <param name="knn">Evaluates the method's backbone: k-NN top-1 in percent, or null if it cannot.</param>
    /// <param name="ranks">Who trains together, each with the same arguments on a device of its own; null for this process alone.</param>
    /// <exception cref="RunException">The pictures do not fill one step, or the device has too little memory.</exception>
    /// <exception cref="ArgumentException">A hyperparameter makes no sense.</exception>
    public Trainer(
        TrainOptions options, RunOptions run, Device device, ImageFolder pictures, SkippedFiles skipped,
        Func<Backbone, double?>? knn = null, IRanks? ranks = null)
    {
        options.Validate();
        _ = (options.Preprocessing ?? new()).NormalizeFor(options.Backbone.InputChannels);
        // Options that cannot be written or read back are known before the first step, not at the first checkpoint.
        _ = JsonSerializer.Deserialize(CheckpointInfo.Write(options), options.GetType(), CheckpointInfo.Json);
        (this.options, this.run, this.device, this.pictures, this.skipped, this.knn) = (options, run, device, pictures, skipped, knn);
        this.ranks = ranks ?? OneRank.Instance;
        stepsPerEpoch = (int)(pictures.Count / PicturesPerStep);
        if (stepsPerEpoch == 0)
        {
            throw new RunException(
                $"{pictures.Root} has {pictures.Count} pictures, fewer than the {PicturesPerStep} of one step: give a smaller "
                    + $"`BatchSize`.");
        }
        options.EstimateMemory()?.Check(device);
        folder = new RunFolder(run, pictures, this.ranks);
        history = new RunHistory(options, run, folder, device, this.ranks, stepsPerEpoch);
        schedule = new StepSchedule(options, stepsPerEpoch, this.ranks.Count);
        agreement = new RankAgreement(this.ranks, device);
        Method = options.Build(new MethodContext(device, stepsPerEpoch) { Ranks = this.ranks });
        views = new ViewBatch(device, Method.Views, options.BatchSize, options.Backbone.InputChannels);
    }

    /// <summary>What is trained.</summary>
    public IMethod Method { get; }

    /// <summary>The optimizer steps done so far.</summary>
    public long Step { get; private set; }

    /// <summary>The steps of the whole run.</summary>
    public long Steps => schedule.Steps;

    /// <summary>The checkpoint that a run continues from.</summary>
    public string LatestPath => folder.Latest;

    /// <summary>What a person should know of how the run goes on, after <see cref="Resume()"/>; properties stand in backticks.</summary>
    public IReadOnlyList<string> Notes => history.Notes;

    /// <summary>What a person should know who stops the run now: up to where it is saved, and how it goes on.</summary>
    public string Saved => saved > 0
        ? $"The run is saved up to step {saved} of {Steps}: {LatestPath}. The same command goes on from there."
        : "Nothing of the run is saved yet; the same command begins it again.";

    private long PicturesPerStep => (long)options.PicturesPerStep * ranks.Count;

    /// <summary>Trains to the end of the last epoch.</summary>
    /// <exception cref="RunException">
    /// A number is no longer finite, or the device has no memory left or was lost; the last checkpoint is kept. Or the folder holds a run
    /// that was not resumed, or another process uses it.
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
            throw new RunException($"Step {Step}: {e.Message} {MemoryAdvice}{folder.Kept}", e);
        }
        catch (Exception e) when (DeviceLostException.From(e) is { } lost)
        {
            throw new RunException($"Step {Step}: {device}: {lost.Message} {(lost.IsMemory ? MemoryAdvice : "")}{folder.Kept}", e);
        }
        finally
        {
            device.Interrupt = interrupt;
        }
    }

    private void Train(ProgressDisplay display, CancellationToken cancel)
    {
        folder.Hold();
        if (!agreement.IsSame(Step))
        {
            throw new RunException(
                $"The ranks are not at one step (this one is at {Step}): give all of them the same `OutputDir`, and resume all or none.");
        }
        string? beginning = history.IsResumed ? null : history.Begin(cancel);
        folder.WriteArguments();
        using var log = folder.IsWriter ? RunLog.Open(folder.Log, Step) : null;
        device.Interrupt = default;
        var limit = Stopwatch.StartNew();
        if (Step == 0 && Method is IWarmUp warmUp)
            WarmUp(warmUp, cancel);
        // A step that is done soon is done; a longer one is broken off. Of several ranks, none leaves the others alone in a step.
        using var abandon = new CancellationTokenSource();
        using var asked = ranks.Count == 1 ? cancel.Register(() => abandon.CancelAfter(LongestWait)) : default;
        using var source = OpenViews(abandon.Token);
        clock.Start(Step, Steps, (int)PicturesPerStep);

        display.Run("training", Steps, tracker =>
        {
            var reports = new StepReports(Method, log, tracker, clock, PicturesPerStep, NotFinite);
            tracker.StartAt(Step);
            if (beginning is not null)
                reports.Note(beginning);
            while (Step < Steps)
            {
                if (!TryLearn(source, abandon.Token))
                {
                    if (Method.Abandon())
                        Save(reports);
                    throw new OperationCanceledException("stopped in the middle of a step.", cancel);
                }
                ThrowIfNotFinite();
                Method.Update(schedule.At(Step));
                Step++;

                bool isRead = Method.Measured.IsFull, epochEnds = Step % stepsPerEpoch == 0;
                if (isRead)
                    reports.Read(Step);
                if (epochEnds)
                    EndEpoch((int)(Step / stepsPerEpoch) - 1, reports, cancel);
                // Ranks ask one another where they have waited for their devices anyway.
                bool stop = cancel.IsCancellationRequested || limit.Elapsed.TotalSeconds > run.MaxSeconds;
                if (ranks.Count > 1)
                    stop = (isRead || epochEnds) && agreement.Any(stop);
                if (stop || epochEnds)
                    Save(reports);
                if (!stop || Step == Steps)
                    continue;
                string message = $"stopped after step {Step} of {Steps}; the same command goes on from there.";
                if (cancel.IsCancellationRequested)
                    throw new OperationCanceledException(message, cancel);
                reports.Note(message);
                return;
            }
        });
        log?.Close();
    }

    /// <summary>Goes on from <see cref="LatestPath"/> if it is there and of the same run; whatever weights that began with.</summary>
    /// <returns>Whether it was there.</returns>
    /// <exception cref="RunException">It is of another run, or another process uses the folder; nothing was changed.</exception>
    public bool Resume() => Resume(check => { });

    /// <summary>Goes on from <see cref="LatestPath"/> if it is there and of the same run.</summary>
    /// <param name="file">The weights that the run is to have begun with; null for those of the seed.</param>
    /// <param name="allowPartial">Whether they were allowed to fit in part.</param>
    /// <param name="cancel">Stops the comparison of the pictures.</param>
    /// <returns>Whether it was there.</returns>
    /// <exception cref="RunException">It is of another run, or another process uses the folder; nothing was changed.</exception>
    public bool Resume(Initialization? file, bool allowPartial, CancellationToken cancel = default) =>
        Resume(check => check.Origin(file?.Identity(allowPartial, cancel)), cancel);

    private bool Resume(Action<ResumeCheck> origin, CancellationToken cancel = default)
    {
        if (!File.Exists(LatestPath))
            return false;
        folder.Hold();
        Step = saved = history.Resume(Method, origin, cancel);
        return true;
    }

    /// <summary>
    /// Begins with the weights of a file instead of those of the seed, and notes it in <c>init.json</c> beside the checkpoints.
    /// </summary>
    /// <exception cref="RunException">
    /// The file does not fit, and <paramref name="allowPartial"/> is false; or the method takes none. Nothing was changed.
    /// </exception>
    public InitializationNote Initialize(Initialization file, bool allowPartial)
    {
        folder.Hold();
        folder.ThrowIfTaken();
        if (Method is not IInitializable initializable)
            throw new RunException($"The method {options.Method} does not begin with the weights of a file.");
        var note = initializable.Initialize(file, allowPartial);
        history.Initial = file.Identity(allowPartial);
        folder.Write(note);
        return note;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            Method.Dispose();
            views.Dispose();
            agreement.Dispose();
        }
        finally
        {
            folder.Dispose();
        }
    }

    private IViewSource OpenViews(CancellationToken cancel)
    {
        var loading = new CropLoaderOptions
        {
            BatchSize = options.BatchSize,
            BatchesPerStep = options.Accumulate,
            Seed = options.Seed,
            StartEpoch = (int)(Step / stepsPerEpoch),
            StartStep = (int)(Step % stepsPerEpoch) * options.Accumulate,
            Rank = ranks.Rank,
            Ranks = ranks.Count,
            Channels = options.Backbone.InputChannels,
            Preprocessing = options.Preprocessing ?? new(),
            Views = Method.Views,
            Prefetch = run.Prefetch with { Cancel = cancel },
        };
        try
        {
            return run.Augment == Augmentation.Device
                ? new DeviceCrops(device, pictures, loading, skipped)
                : new HostCrops(device, pictures, loading, skipped);
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw new RunException(e.Message, e);
        }
    }

    // The first batches, which the run then sees again.
    private void WarmUp(IWarmUp method, CancellationToken cancel)
    {
        int batches = method.WarmUpBatches;
        if (batches == 0)
            return;
        using var source = OpenViews(cancel);
        for (int i = 0; i < batches; i++)
        {
            cancel.ThrowIfCancellationRequested();
            source.Next(views);
            method.WarmUp(views);
        }
        method.EndWarmUp();
    }

    /// <summary>The gradients of a step; false if it was broken off, which leaves the weights as they were.</summary>
    private bool TryLearn(IViewSource source, CancellationToken abandon)
    {
        device.Interrupt = abandon; // in the update after it, nothing is broken off
        try
        {
            for (int part = 0; part < options.Accumulate; part++)
            {
                abandon.ThrowIfCancellationRequested();
                source.Next(views);
                Method.Learn(views, schedule.At(Step, part));
            }
            return true;
        }
        catch (OperationCanceledException) when (abandon.IsCancellationRequested)
        {
            return false;
        }
        finally
        {
            device.Interrupt = default;
        }
    }

    // On the host a look costs nothing, and after the update no weight would be left to tell where it began.
    private void ThrowIfNotFinite()
    {
        if (Method.Measured.Window > 1)
            return;
        bool mine = Method.Measured.TryFindBroken(out var broken);
        if (!agreement.Any(mine))
            return;
        throw NotFinite(Step, mine ? NonFiniteSearch.BeforeUpdate(Method, views, broken!) : "on another rank a number is not finite");
    }

    private RunException NotFinite(long step, string what) => new RunException(
        $"Step {step}: {what}. {folder.Kept}A lower `Lr`, a `ClipGrad` or a longer `WarmupEpochs` usually helps.");

    private string MemoryAdvice => options.EstimateMemory() is { } estimate ? estimate.Advice + " " : "";

    private void EndEpoch(int epoch, StepReports reports, CancellationToken cancel)
    {
        reports.Read(Step);
        double? top1 = null;
        if (run.KnnEvery > 0 && knn is not null && folder.IsWriter && ((epoch + 1) % run.KnnEvery == 0 || epoch + 1 == options.Epochs))
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
        reports.EndEpoch(epoch, Step, top1);
        if ((epoch + 1) % run.SaveEvery == 0)
            folder.Save(folder.OfEpoch(epoch + 1), Method, history.Info(Step, pictures.Count));
    }

    private double? Evaluate(Func<Backbone, double?> knn)
    {
        try
        {
            return knn(Method.Evaluated);
        }
        catch (Exception e) when (e is EvaluationException or ImageFolderException)
        {
            throw new RunException($"Step {Step}, k-NN: {e.Message} {folder.Kept}".TrimEnd(), e);
        }
    }

    private void Save(StepReports reports)
    {
        // First the log: it may hold more than the checkpoint, which a resumed run cuts off, but never less. And what is not
        // finite ends the run here, before it is saved.
        reports.Read(Step);
        reports.Sync();
        if (Step == saved)
            return;
        folder.Save(LatestPath, Method, history.Info(Step, pictures.Count));
        saved = Step;
    }
}
