namespace Dino.Train.Log;

/// <summary>How fast a run is, without the time of evaluations.</summary>
internal sealed class StepClock(TimeProvider time)
{
    private long started, paused, steps, lastStep, countedFrom;
    private int picturesPerStep;
    private double lastSeconds, smoothed, epochStart;

    /// <summary>A clock of the machine's time.</summary>
    public StepClock() : this(TimeProvider.System)
    {
    }

    private double Seconds => time.GetElapsedTime(started, time.GetTimestamp() - paused).TotalSeconds;

    /// <summary>Starts at the first step of this process.</summary>
    public void Start(long step, long totalSteps, int pictures)
    {
        (lastStep, steps, picturesPerStep) = (step, totalSteps, pictures);
        (lastSeconds, smoothed, epochStart, countedFrom, paused) = (0, 0, 0, -1, 0);
        started = time.GetTimestamp();
    }

    /// <summary>
    /// Pictures a second over about the last twenty steps, once <paramref name="done"/> steps are done. A device's steps are known many at
    /// a
    /// time: they are counted together.
    /// </summary>
    public double ImagesPerSecond(long done)
    {
        double now = Seconds;
        if (done > lastStep && now > lastSeconds)
        {
            double some = done - lastStep, seconds = (now - lastSeconds) / some;
            // The first steps compile: they stand for the others until there are others.
            double weight = countedFrom < 0 ? 1 : Math.Min(1, Math.Max(0.05 * some, some / (done - countedFrom)));
            if (countedFrom < 0)
                countedFrom = done;
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
        double now = Seconds, seconds = now - epochStart;
        epochStart = now;
        return seconds;
    }

    /// <summary>Runs what is not training while the watch stands still.</summary>
    public T Without<T>(Func<T> work)
    {
        long from = time.GetTimestamp();
        try
        {
            return work();
        }
        finally
        {
            paused += time.GetTimestamp() - from;
        }
    }
}
