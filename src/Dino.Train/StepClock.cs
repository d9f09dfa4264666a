using System.Diagnostics;

namespace Dino.Train;

/// <summary>How fast a run is, without the time of evaluations.</summary>
internal sealed class StepClock
{
    private readonly Stopwatch watch = new();
    private long firstStep, steps, lastStep;
    private int picturesPerStep;
    private double lastSeconds, smoothed, epochStart;

    /// <summary>Starts at the first step of this process.</summary>
    public void Start(long step, long totalSteps, int pictures)
    {
        (firstStep, lastStep, steps, picturesPerStep) = (step, step, totalSteps, pictures);
        (lastSeconds, smoothed, epochStart) = (0, 0, 0);
        watch.Restart();
    }

    /// <summary>Pictures a second over about the last twenty steps, once <paramref name="done"/> steps are done.</summary>
    public double ImagesPerSecond(long done)
    {
        double now = watch.Elapsed.TotalSeconds;
        if (done > lastStep && now > lastSeconds)
        {
            double seconds = (now - lastSeconds) / (done - lastStep);
            // The first steps compile; they count for nothing later.
            double weight = Math.Max(0.05, 1.0 / (done - firstStep));
            smoothed += weight * (seconds - smoothed);
            (lastStep, lastSeconds) = (done, now);
        }
        return smoothed > 0 ? picturesPerStep / smoothed : 0;
    }

    /// <summary>The time that the remaining steps take at this speed.</summary>
    public TimeSpan? TimeLeft(long done) => smoothed > 0 ? TimeSpan.FromSeconds((steps - done) * smoothed) : null;

    /// <summary>The seconds since the last call or the start.</summary>
    public double EpochSeconds()
    {
        double now = watch.Elapsed.TotalSeconds, seconds = now - epochStart;
        epochStart = now;
        return seconds;
    }

    /// <summary>Runs what is not training while the watch stands still.</summary>
    public T Without<T>(Func<T> work)
    {
        watch.Stop();
        try
        {
            return work();
        }
        finally
        {
            watch.Start();
        }
    }
}
