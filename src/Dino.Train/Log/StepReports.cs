using Dino.Train.Methods;

namespace Dino.Train.Log;

/// <summary>
/// Where the numbers of a run's steps go: the log, the display, the method's look at its health, and the means of an epoch.
/// </summary>
/// <remarks>A process that is not the one to write has no log and still reads: the ranks' numbers are summed.</remarks>
internal sealed class StepReports
{
    private readonly IMethod method;
    private readonly RunLog? log;
    private readonly ProgressTracker tracker;
    private readonly StepClock clock;
    private readonly EpochMeans means;
    private readonly StepReader reader;
    private readonly Func<long, string, Exception> fault;
    private readonly long picturesPerStep;
    private long done;

    /// <summary>Reports of a run.</summary>
    /// <param name="method">What is trained.</param>
    /// <param name="log">The log; null for none.</param>
    /// <param name="tracker">The display.</param>
    /// <param name="clock">The speed.</param>
    /// <param name="picturesPerStep">The pictures that all ranks together see in a step.</param>
    /// <param name="fault">Makes the error that ends the run at a step, given what of it is not finite.</param>
    public StepReports(
        IMethod method, RunLog? log, ProgressTracker tracker, StepClock clock, long picturesPerStep, Func<long, string, Exception> fault)
    {
        (this.method, this.log, this.tracker, this.clock) = (method, log, tracker, clock);
        (this.picturesPerStep, this.fault) = (picturesPerStep, fault);
        means = new EpochMeans(method.Measured.Measures);
        reader = Report;
    }

    /// <summary>Reads the steps that wait, once so many are done.</summary>
    /// <exception cref="Exception">A number that must be finite is not.</exception>
    public void Read(long done)
    {
        this.done = done;
        method.Measured.Read(reader);
    }

    /// <summary>Writes a line that stays.</summary>
    public void Note(string line) => tracker.Note(line);

    /// <summary>Sends the log to the disk and waits until it is there.</summary>
    public void Sync() => log?.Sync();

    /// <summary>Ends an epoch, whose steps have been read.</summary>
    /// <param name="epoch">Number of the epoch, from 0.</param>
    /// <param name="done">Steps done.</param>
    /// <param name="top1">k-NN accuracy in percent; null where it was not measured.</param>
    public void EndEpoch(int epoch, long done, double? top1)
    {
        double seconds = clock.EpochSeconds();
        var row = new EpochRow(epoch, done, means.ToList(), seconds, (double)means.Steps * picturesPerStep / seconds, top1);
        log?.Write(row);
        if (top1 is not null)
            Note(FormattableString.Invariant(
                $"epoch {epoch + 1}: k-NN top-1 {top1:F1} %, {row.FirstMean()}{row.ImagesPerSecond:F0} images/s"));
        means.Clear();
    }

    private void Report(in StepRow measured, ReadOnlySpan<float> gradientNorms)
    {
        if (measured.TryFindBroken(out var broken))
            throw fault(measured.Step, NonFiniteSearch.AfterUpdate(method, measured, broken, gradientNorms));
        means.Add(measured);
        var row = measured with { ImagesPerSecond = clock.ImagesPerSecond(done), TimeLeft = clock.TimeLeft(done) };
        log?.Write(row);
        tracker.Report(row.Step + 1, row);
        if (method.Health(row) is { } line)
            Note(line);
    }
}
