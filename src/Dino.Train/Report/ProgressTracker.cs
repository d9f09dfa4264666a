namespace Dino.Train.Report;

/// <summary>What a piece of work tells its progress to. Reports may come from any thread, as often as is handy.</summary>
public abstract class ProgressTracker
{
    private readonly TimeProvider clock;
    private readonly TimeSpan interval;
    private readonly long started;
    private readonly Lock gate = new();
    private TimeSpan next;
    private long before;

    private protected ProgressTracker(long total, TimeSpan interval, TimeSpan first, TimeProvider clock)
    {
        (Total, this.interval, next, this.clock) = (total, interval, first, clock);
        started = clock.GetTimestamp();
    }

    /// <summary>How many parts there are.</summary>
    public long Total { get; }

    /// <summary>Says how many parts an earlier run did, which took no time now; the time left follows from the others.</summary>
    public void StartAt(long done) => before = done;

    /// <summary>Says that so many parts are done.</summary>
    public void Report(long done, string? detail = null)
    {
        if (IsDue(done, out var left))
            Show(done, detail is null ? null : ScreenText.CutToColumns(ScreenText.Escape(detail), DetailColumns(done, left)), left);
    }

    /// <summary>Says that a training step is done; text is made only when it is time to show some.</summary>
    public void Report(long done, in StepReport report)
    {
        if (!IsDue(done, out var left))
            return;
        left = report.TimeLeft ?? left;
        Show(done, HealthLine.Format(report, DetailColumns(done, left)), left);
    }

    /// <summary>Writes a line that stays.</summary>
    public abstract void Note(string line);

    /// <summary>The columns that there are for what goes with a number of parts done.</summary>
    private protected virtual int DetailColumns(long done, TimeSpan? left) => int.MaxValue;

    private protected abstract void Show(long done, string? detail, TimeSpan? left);

    private bool IsDue(long done, out TimeSpan? left)
    {
        lock (gate)
        {
            var elapsed = clock.GetElapsedTime(started);
            left = done > before ? elapsed * ((double)(Total - done) / (done - before)) : null;
            // The end of something that was shown is shown too.
            if (elapsed < next && !(done == Total && next > interval))
                return false;
            next = elapsed + interval;
            return true;
        }
    }
}
