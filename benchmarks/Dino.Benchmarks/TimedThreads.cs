using System.Diagnostics;

namespace Dino.Benchmarks;

/// <summary>Work that several threads begin together.</summary>
internal static class TimedThreads
{
    /// <summary>
    /// Seconds from the first thread's beginning to the last one's end; <paramref name="work"/> is told the thread's number.
    /// </summary>
    public static double Run(int threads, Action<int> work)
    {
        using var start = new Barrier(threads);
        long[] begun = new long[threads], ended = new long[threads];
        var team = new Thread[threads];
        for (int i = 0; i < threads; i++)
        {
            int thread = i;
            team[i] = new Thread(() =>
            {
                start.SignalAndWait();
                begun[thread] = Stopwatch.GetTimestamp();
                work(thread);
                ended[thread] = Stopwatch.GetTimestamp();
            });
            team[i].Start();
        }
        foreach (var thread in team)
            thread.Join();
        return Stopwatch.GetElapsedTime(begun.Min(), ended.Max()).TotalSeconds;
    }
}
