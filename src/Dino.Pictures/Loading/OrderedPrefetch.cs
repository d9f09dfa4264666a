using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;

namespace Dino.Pictures.Loading;

/// <summary>What the batches of an <see cref="OrderedPrefetch{TBatch,TWorker}"/> hold.</summary>
internal interface IPrefetchWork<TBatch, TWorker>
{
    /// <summary>Makes the scratch of one worker.</summary>
    TWorker CreateWorker();

    /// <summary>Starts on the next batch: the number of samples in it, 0 when the sequence is over. One call at a time.</summary>
    int Begin(TBatch batch);

    /// <summary>Makes one sample of the batch; called from many threads at a time, once for each sample.</summary>
    void Fill(TBatch batch, int sample, TWorker worker);
}

/// <summary>
/// Batches made ahead of their use by worker threads, handed out in order. The unit of work is one sample, so that all workers serve
/// the batch that is needed next; the batches are a ring of buffers used again and again.
/// </summary>
/// <typeparam name="TBatch">A batch and its buffers.</typeparam>
/// <typeparam name="TWorker">What one worker needs: decoder, scratch.</typeparam>
internal sealed class OrderedPrefetch<TBatch, TWorker> : IDisposable
    where TBatch : class
    where TWorker : IDisposable
{
    private const int LookInterval = 100; // milliseconds between looks whether waiting is to end

    private readonly object signal = new();
    private readonly IPrefetchWork<TBatch, TWorker> work;
    private readonly Slot[] ring;
    private readonly Thread[] threads;
    private readonly CancellationToken cancel;
    private long started, delivered; // numbers of batches
    private int nextSample;
    private bool over, stopping;
    private ExceptionDispatchInfo? failure;

    public OrderedPrefetch(IPrefetchWork<TBatch, TWorker> work, ReadOnlySpan<TBatch> batches, PrefetchOptions options, string name)
    {
        (this.work, cancel) = (work, options.Cancel);
        int workers = options.WorkersOrDefault;
        ring = new Slot[batches.Length];
        for (int i = 0; i < ring.Length; i++)
            ring[i] = new Slot(batches[i]);
        threads = new Thread[workers];
        for (int i = 0; i < workers; i++)
        {
            threads[i] = new Thread(Run) { IsBackground = true, Name = $"{name} {i}" };
            threads[i].Start();
        }
    }

    /// <summary>The next batch, or null when the sequence is over. Waits for it; it stays taken until <see cref="Release"/>.</summary>
    public TBatch? Next()
    {
        lock (signal)
        {
            Slot slot = ring[delivered % ring.Length];
            if (slot.State == SlotState.Taken)
                throw new InvalidOperationException(
                    $"All {ring.Length} batches are in use: dispose of one before asking for the next.");
            while (slot.State != SlotState.Ready)
            {
                failure?.Throw();
                ObjectDisposedException.ThrowIf(stopping, this);
                if (over && delivered == started)
                    return null;
                cancel.ThrowIfCancellationRequested();
                Monitor.Wait(signal, LookInterval);
            }
            slot.State = SlotState.Taken;
            delivered++;
            return slot.Batch;
        }
    }

    /// <summary>Gives a batch back to be filled again.</summary>
    public void Release(TBatch batch)
    {
        lock (signal)
        {
            foreach (Slot slot in ring)
                if (ReferenceEquals(slot.Batch, batch) && slot.State == SlotState.Taken)
                    slot.State = SlotState.Free;
            Monitor.PulseAll(signal);
        }
    }

    /// <summary>Stops the workers and waits for them; what they were making is lost.</summary>
    public void Dispose()
    {
        lock (signal)
        {
            stopping = true;
            Monitor.PulseAll(signal);
        }
        foreach (Thread thread in threads)
            thread.Join();
    }

    private void Run()
    {
        try
        {
            using TWorker worker = work.CreateWorker();
            while (Claim(out Slot? slot, out int sample))
            {
                work.Fill(slot.Batch, sample, worker);
                Finish(slot);
            }
        }
        catch (Exception e)
        {
            // Whatever it is, the consumer has to learn of it: a worker's exception would otherwise end the process or hang the consumer.
            lock (signal)
            {
                failure ??= ExceptionDispatchInfo.Capture(e);
                stopping = true;
                Monitor.PulseAll(signal);
            }
        }
    }

    private bool Claim([NotNullWhen(true)] out Slot? slot, out int sample)
    {
        lock (signal)
        {
            while (true)
            {
                slot = null;
                sample = 0;
                if (stopping)
                    return false;
                // The batch being handed out is the last one started.
                if (started > 0 && ring[(started - 1) % ring.Length] is { State: SlotState.Filling } open && nextSample < open.Samples)
                {
                    (slot, sample) = (open, nextSample++);
                    return true;
                }
                if (over)
                    return false;
                Slot free = ring[started % ring.Length];
                if (free.State == SlotState.Free)
                {
                    free.Samples = free.Missing = work.Begin(free.Batch);
                    if (free.Samples == 0)
                    {
                        over = true;
                        Monitor.PulseAll(signal);
                        return false;
                    }
                    (free.State, nextSample) = (SlotState.Filling, 0);
                    started++;
                    Monitor.PulseAll(signal);
                    continue;
                }
                Monitor.Wait(signal);
            }
        }
    }

    private void Finish(Slot slot)
    {
        lock (signal)
        {
            if (--slot.Missing > 0)
                return;
            slot.State = SlotState.Ready;
            Monitor.PulseAll(signal);
        }
    }

    private enum SlotState
    {
        Free,
        Filling,
        Ready,
        Taken,
    }

    private sealed class Slot(TBatch batch)
    {
        public readonly TBatch Batch = batch;
        public SlotState State;
        public int Samples, Missing;
    }
}
