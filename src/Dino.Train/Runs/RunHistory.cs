using Dino.Tensors;
using Dino.Train.Methods;
using Dino.Train.Options;

namespace Dino.Train.Runs;

/// <summary>Where a run comes from: new, or an earlier part of the same that it goes on from; and what its checkpoints say of it.</summary>
internal sealed class RunHistory(TrainOptions options, RunOptions run, RunFolder folder, Device device, IRanks ranks, int stepsPerEpoch)
{
    private readonly List<string> notes = [];
    private IReadOnlyList<GrownRun>? grown;

    /// <summary>What a person should know of how the run goes on.</summary>
    public IReadOnlyList<string> Notes => notes;

    /// <summary>Whether it goes on from a checkpoint.</summary>
    public bool IsResumed { get; private set; }

    /// <summary>The file that it began with; null for the seed's weights.</summary>
    public InitialWeights? Initial { get; set; }

    // It decides on the rounding of sums.
    private string Arithmetic =>
        $"{(device.IsHost ? $"cpu with {System.Numerics.Vector<float>.Count} floats a vector" : device.ToString())} in "
            + $"{device.Precision.ToString().ToLowerInvariant()}";

    /// <summary>Begins a new run in the folder.</summary>
    /// <returns>What a person should know of what is there; null for nothing.</returns>
    /// <exception cref="RunException">A run is there.</exception>
    public string? Begin(CancellationToken cancel) => folder.Begin(Initial is not null, cancel);

    /// <summary>Puts a method into the state of the folder's last checkpoint, if that is of the same run.</summary>
    /// <param name="method">What goes on.</param>
    /// <param name="origin">Compares what the run began with.</param>
    /// <param name="cancel">Stops the comparison of the pictures.</param>
    /// <returns>The steps done.</returns>
    /// <exception cref="RunException">It is of another run; nothing was changed.</exception>
    public long Resume(IMethod method, Action<ResumeCheck> origin, CancellationToken cancel)
    {
        var info = Checkpoint.ReadInfo(folder.Latest);
        var (listing, identity) = folder.List(cancel);
        var check = new ResumeCheck(folder.Latest, info);
        check.Options(options);
        origin(check);
        check.Ranks(ranks.Count);
        check.HeldOut(folder.HeldOut, run.HeldOut);
        check.Pictures(identity, listing, stepsPerEpoch, folder.MasksLeftOut);
        check.LargestPicture(run.Prefetch.UnusualMaxPixels);
        check.Arithmetic(Arithmetic);
        check.ThrowIfOther();
        Checkpoint.Restore(folder.Latest, method.State);
        (Initial, grown, IsResumed) = (info.Init, info.Grown, true);
        notes.AddRange(check.Notes);
        if (check.GrownFrom is { } epochs)
            Grow(info, epochs);
        // A kill may have come between the two files.
        if (folder.IsWriter)
        {
            Checkpoint.RefreshCopy(folder.Latest);
            HeldOutPictures.Write(folder.HeldOut, run.HeldOut);
        }
        return info.Step;
    }

    /// <summary>What a checkpoint says of the run.</summary>
    /// <param name="step">The steps done.</param>
    /// <param name="pictures">The pictures of the training folder.</param>
    public CheckpointInfo Info(long step, int pictures) => new()
    {
        Format = options.Preprocessing is null ? CheckpointInfo.FirstWithOrigin : CheckpointInfo.CurrentFormat,
        Version = typeof(RunHistory).Assembly.GetName().Version!.ToString(3),
        Step = step,
        StepsPerEpoch = stepsPerEpoch,
        Epoch = (double)step / stepsPerEpoch,
        Pictures = pictures,
        Options = CheckpointInfo.Write(options),
        Data = folder.Identity,
        MaxPixels = run.Prefetch.UnusualMaxPixels,
        Init = Initial,
        Arithmetic = Arithmetic,
        Grown = grown,
        Ranks = ranks.Count > 1 ? ranks.Count : null,
    };

    private void Grow(CheckpointInfo info, int epochs)
    {
        grown = [.. info.Grown ?? [], new GrownRun(info.Step, epochs, options.Epochs)];
        long last = Math.Min(info.Step, (long)epochs * stepsPerEpoch - 1);
        var changes = info.OptionsLike(options).Schedules(stepsPerEpoch, ranks.Count).Zip(
            options.Schedules(stepsPerEpoch, ranks.Count), (before, now) => $"{before.Name} {before.At(last)} → {now.At(info.Step)}");
        notes.Add($"`Epochs` {options.Epochs}: the run of {epochs} epochs is made longer at step {info.Step}. "
            + $"Its schedules are stretched to the new length from here on: {string.Join(", ", changes)}. "
            + $"This is not the run that {options.Epochs} epochs from the start would have been");
    }
}
