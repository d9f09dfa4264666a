using Dino.Train.Log;

namespace Dino.Cli.Terminal;

/// <summary>A tracker that shows something every so often, and takes reports as often as is handy.</summary>
public abstract class TimedTracker : ProgressTracker
{
    private readonly TimeProvider clock;
    private readonly TimeSpan interval;
    private readonly long started;
    private readonly Lock gate = new();
    private TimeSpan next;
    private long before;

    private protected TimedTracker(long total, TimeSpan interval, TimeSpan first, TimeProvider clock)
        : base(total)
    {
        (this.interval, next, this.clock) = (interval, first, clock);
        started = clock.GetTimestamp();
    }

    /// <inheritdoc/>
    public override void StartAt(long done) => before = done;

    /// <inheritdoc/>
    public override void Report(long done, string? detail = null)
    {
        if (IsDue(done, out var left))
            Show(done, detail is null ? null : ScreenText.CutToColumns(ScreenText.Escape(detail), DetailColumns(done, left)), left);
    }

    /// <inheritdoc/>
    public override void Report(long done, in StepRow row)
    {
        if (!IsDue(done, out var left))
            return;
        left = row.TimeLeft ?? left;
        Show(done, HealthLine.Format(row, DetailColumns(done, left)), left);
    }

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
