namespace Dino.Train.Log;

/// <summary>What a piece of work tells its progress to. Reports may come from any thread, as often as is handy.</summary>
public abstract class ProgressTracker(long total)
{
    /// <summary>How many parts there are.</summary>
    public long Total { get; } = total;

    /// <summary>Says how many parts an earlier run did, which took no time now; the time left follows from the others.</summary>
    public abstract void StartAt(long done);

    /// <summary>Says that so many parts are done.</summary>
    public abstract void Report(long done, string? detail = null);

    /// <summary>Says that a training step is done; text is made only when it is time to show some.</summary>
    public abstract void Report(long done, in StepRow row);

    /// <summary>Writes a line that stays.</summary>
    public abstract void Note(string line);
}
