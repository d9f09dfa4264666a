using Dino.Tensors;

namespace Dino.Testing;

/// <summary>
/// Ranks that are threads of this process, each with a host device of its own. Sums are made in the order of the ranks, so every run gives
/// the same bits.
/// </summary>
public sealed class ThreadRanks : IRanks
{
    private readonly Exchange exchange;

    private ThreadRanks(Exchange exchange, int rank) => (this.exchange, Rank) = (exchange, rank);

    /// <inheritdoc/>
    public int Rank { get; }

    /// <inheritdoc/>
    public int Count => exchange.Given.Length;

    /// <summary>Runs the same work on so many ranks at once, and gives what each of them returned.</summary>
    /// <param name="count">How many.</param>
    /// <param name="work">What to do, given the ranks as this one sees them and its device, which is strict and ends afterwards.</param>
    /// <exception cref="AggregateException">The work threw on a rank; the others were let go.</exception>
    public static T[] Run<T>(int count, Func<IRanks, Device, T> work)
    {
        using var exchange = new Exchange(count);
        var results = new T[count];
        var failures = new List<Exception>();
        var threads = new Thread[count];
        for (int i = 0; i < count; i++)
        {
            int rank = i;
            threads[i] = new Thread(() =>
            {
                try
                {
                    using var device = Device.Open("cpu", new DeviceOptions { Strict = true, Threads = 1 });
                    results[rank] = work(new ThreadRanks(exchange, rank), device);
                }
                catch (Exception e)
                {
                    lock (failures)
                        failures.Add(e);
                    exchange.Stop.Cancel();
                }
            })
            { Name = $"rank {rank}" };
            threads[i].Start();
        }
        foreach (var thread in threads)
            thread.Join();
        // Those that waited for the one that failed were only let go.
        var causes = failures.Where(e => e is not OperationCanceledException).ToList();
        return failures.Count == 0 ? results : throw new AggregateException(causes.Count > 0 ? causes : failures);
    }

    /// <inheritdoc/>
    public void Sum(Tensor tensor)
    {
        float[] sum = new float[tensor.Count];
        foreach (float[] values in Share(tensor))
            for (int i = 0; i < sum.Length; i++)
                sum[i] += values[i];
        tensor.CopyFrom(sum);
    }

    /// <inheritdoc/>
    public Tensor Gather(Tensor tensor) =>
        Tensor.From(tensor.Device, (float[])[.. Share(tensor).SelectMany(values => values)],
            Shape.Of([Count * tensor.Shape[0], .. tensor.Shape.ToArray()[1..]]));

    /// <inheritdoc/>
    public void Barrier() => exchange.Wait();

    private float[][] Share(Tensor tensor)
    {
        exchange.Given[Rank] = tensor.ToArray();
        exchange.Wait();
        float[][] all = [.. exchange.Given];
        exchange.Wait(); // before anybody gives the next
        return all;
    }

    private sealed class Exchange(int count) : IDisposable
    {
        private readonly Barrier barrier = new(count);

        public float[][] Given { get; } = new float[count][];

        public CancellationTokenSource Stop { get; } = new();

        public void Wait() => barrier.SignalAndWait(Stop.Token);

        public void Dispose()
        {
            barrier.Dispose();
            Stop.Dispose();
        }
    }
}
