using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Dino.Tensors.Memory;

namespace Dino.Tensors.Kernels.Host;

/// <summary>Work that falls into independent items, numbered from 0; a run must not change the job's own fields.</summary>
internal interface IHostJob
{
    void Run(int item);
}

/// <summary>
/// The threads of one host device. <see cref="Run"/> deals the items of a job out to the caller and the workers and returns when all are
/// done. Nothing is allocated after the first run of a job type.
/// </summary>
/// <remarks>
/// Each thread begins with a share of its own, the same part of the items in every job: what it wrote in one op, such as its rows of a
/// matrix,
/// is near it in the next. Who is done takes from the end of the others' shares.
/// One thread at a time may call <see cref="Run"/>; another one gets an exception. A run started from inside an item runs inline on its
/// thread.
/// </remarks>
internal sealed class HostTeam : IDisposable
{
    // About 20 µs: longer than the gap between two ops of a step, far shorter than a time slice taken from somebody else.
    private const int SpinsBeforeBlocking = 400;

    [ThreadStatic] private static bool insideItem;

    private readonly ThreadClaim claim;
    private readonly Lock gate = new();
    private readonly AutoResetEvent[] wake; // SemaphoreSlim allocates 96 bytes for each wait that blocks
    private readonly Thread[] workers;
    private readonly bool[] asleep;
    private readonly Share[] shares; // the caller's first
    private readonly AutoResetEvent finished = new(false);

    // Guarded by the gate. Workers may join only an open run, and the caller leaves only when none is joined:
    // so no claim can fall into a run other than the one its thread has joined.
    private bool open, callerWaits;
    private Box[] boxes = [];
    private Box? current;
    private int joined;

    private volatile int generation;
    private volatile bool stopping;
    private Exception? failure;

    /// <summary>Starts <paramref name="threads"/> − 1 workers; the calling thread of a run is the remaining one.</summary>
    /// <param name="threads">How many share a run.</param>
    /// <param name="claim">Whose the device is; a run has it for its duration.</param>
    public HostTeam(int threads, ThreadClaim? claim = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        this.claim = claim ?? new ThreadClaim("cpu");
        Threads = threads;
        wake = new AutoResetEvent[threads - 1];
        asleep = new bool[threads - 1];
        workers = new Thread[threads - 1];
        shares = new Share[threads];
        for (int i = 0; i < workers.Length; i++)
        {
            int worker = i;
            wake[i] = new AutoResetEvent(false);
            workers[i] = new Thread(() => Work(worker)) { IsBackground = true, Name = $"host team {i + 1}/{threads - 1}" };
            workers[i].Start();
        }
    }

    /// <summary>How many threads share a run, the caller's included.</summary>
    public int Threads { get; }

    /// <summary>Ends runs before they begin when it is cancelled.</summary>
    public CancellationToken Interrupt { get; set; }

    /// <summary>How many jobs were run so far.</summary>
    public long Runs { get; private set; }

    /// <summary>Runs the items 0 … <paramref name="items"/> − 1 of the job; an exception of an item reaches the caller.</summary>
    public void Run<TJob>(int items, in TJob job) where TJob : struct, IHostJob
    {
        ObjectDisposedException.ThrowIf(stopping, this);
        if (insideItem)
        {
            Inline(items, job);
            return;
        }
        Interrupt.ThrowIfCancellationRequested();
        claim.Enter();
        try
        {
            Runs++;
            if (items <= 1 || workers.Length == 0)
                Inline(items, job);
            else
                Divide(items, job);
        }
        finally
        {
            claim.Leave();
        }
    }

    /// <summary>Ends the workers; must not be called during a run.</summary>
    public void Dispose()
    {
        if (stopping)
            return;
        stopping = true;
        generation++;
        foreach (AutoResetEvent signal in wake)
            signal.Set();
        foreach (Thread worker in workers)
            worker.Join();
        foreach (AutoResetEvent signal in wake)
            signal.Dispose();
        finished.Dispose();
    }

    private static void Inline<TJob>(int items, in TJob job) where TJob : struct, IHostJob
    {
        TJob local = job;
        for (int item = 0; item < items; item++)
            local.Run(item);
    }

    private void Divide<TJob>(int items, in TJob job) where TJob : struct, IHostJob
    {
        Box<TJob> box = BoxOf<TJob>();
        box.Job = job;
        Open(box, items);
        Claim(box, 0);
        Close();
        box.Job = default; // the job must not keep alive what it points to

        if (failure is { } error)
        {
            failure = null;
            ExceptionDispatchInfo.Throw(error);
        }
    }

    private void Open(Box box, int count)
    {
        int helpers = Math.Min(workers.Length, count - 1);
        lock (gate)
        {
            for (int i = 0; i < shares.Length; i++)
                shares[i].Deal((int)((long)count * i / shares.Length), (int)((long)count * (i + 1) / shares.Length));
            (current, open) = (box, true);
            generation++;
            for (int i = 0; i < workers.Length && helpers > 0; i++, helpers--)
            {
                if (!asleep[i])
                    continue;
                asleep[i] = false;
                wake[i].Set();
            }
        }
    }

    private void Close()
    {
        lock (gate)
            open = false;
        int spin = 0;
        while (Volatile.Read(ref joined) != 0 && spin++ < SpinsBeforeBlocking)
            Thread.SpinWait(20);
        bool wait;
        lock (gate)
        {
            wait = joined != 0;
            callerWaits = wait;
        }
        if (wait)
            finished.WaitOne();
        current = null;
    }

    private void Claim(Box box, int thread)
    {
        insideItem = true;
        try
        {
            while (shares[thread].TakeFirst(out int item))
                box.Run(item);
            for (int i = 1; i < shares.Length; i++)
            {
                while (shares[(thread + i) % shares.Length].TakeLast(out int item))
                    box.Run(item);
            }
        }
#pragma warning disable CA1031 // whatever an item throws belongs to the caller of the run
        catch (Exception error)
#pragma warning restore CA1031
        {
            Interlocked.CompareExchange(ref failure, error, null);
            for (int i = 0; i < shares.Length; i++)
                shares[i].Deal(0, 0); // nobody starts another item
        }
        finally
        {
            insideItem = false;
        }
    }

    private void Work(int worker)
    {
        int seen = 0;
        while (true)
        {
            WaitForRun(worker, seen);
            if (stopping)
                return;

            Box? box = null;
            lock (gate)
            {
                seen = generation;
                if (open)
                {
                    box = current;
                    joined++;
                }
            }
            if (box is null)
                continue;

            Claim(box, worker + 1);

            lock (gate)
            {
                joined--;
                if (joined != 0 || !callerWaits)
                    continue;
                callerWaits = false;
            }
            finished.Set();
        }
    }

    private void WaitForRun(int worker, int seen)
    {
        for (int spin = 0; spin < SpinsBeforeBlocking && generation == seen; spin++)
            Thread.SpinWait(20);
        lock (gate)
        {
            if (generation != seen || stopping)
                return;
            asleep[worker] = true;
        }
        wake[worker].WaitOne();
    }

    private Box<TJob> BoxOf<TJob>() where TJob : struct, IHostJob
    {
        int slot = Slot<TJob>.Index;
        if (slot >= boxes.Length)
            Array.Resize(ref boxes, slot + 16);
        return (Box<TJob>)(boxes[slot] ??= new Box<TJob>());
    }

    /// <summary>
    /// A thread's items that nobody has taken: first in the upper half of the word, end in the lower. Alone on its cache lines.
    /// </summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Share
    {
        [FieldOffset(128)] private long range;

        public void Deal(int first, int end) => Volatile.Write(ref range, ((long)first << 32) | (uint)end);

        public bool TakeFirst(out int item) => Take(1L << 32, out item, out _);

        public bool TakeLast(out int item)
        {
            bool taken = Take(-1, out _, out int end);
            item = end - 1;
            return taken;
        }

        private bool Take(long change, out int first, out int end)
        {
            while (true)
            {
                long before = Volatile.Read(ref range);
                (first, end) = ((int)(before >> 32), (int)before);
                if (first >= end)
                    return false;
                if (Interlocked.CompareExchange(ref range, before + change, before) == before)
                    return true;
            }
        }
    }

    private abstract class Box
    {
        public abstract void Run(int item);
    }

    private sealed class Box<TJob> : Box where TJob : struct, IHostJob
    {
        public TJob Job;

        public override void Run(int item) => Job.Run(item);
    }

    private static class Slots
    {
        private static int count;

        public static int Next() => Interlocked.Increment(ref count) - 1;
    }

    private static class Slot<TJob>
    {
        public static readonly int Index = Slots.Next();
    }
}
