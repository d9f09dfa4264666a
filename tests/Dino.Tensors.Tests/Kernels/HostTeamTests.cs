using Dino.Tensors.Kernels.Host;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>The host's threads: every item once, errors to the caller, no garbage.</summary>
public class HostTeamTests
{
    private readonly struct Count(int[] hits) : IHostJob
    {
        public void Run(int item) => Interlocked.Increment(ref hits[item]);
    }

    private readonly struct Fail(int at) : IHostJob
    {
        public void Run(int item)
        {
            if (item == at)
                throw new InvalidOperationException($"item {item}");
        }
    }

    private readonly struct Nested(HostTeam team, int[] hits) : IHostJob
    {
        public void Run(int item) => team.Run(hits.Length, new Count(hits));
    }

    // The caller's first item goes on when the worker has taken one.
    private readonly struct FirstItems(int[] firsts, ManualResetEventSlim workerBegan) : IHostJob
    {
        public void Run(int item)
        {
            bool caller = Thread.CurrentThread.Name != "host team 1/1";
            Interlocked.CompareExchange(ref firsts[caller ? 0 : 1], item, -1);
            if (!caller)
                workerBegan.Set();
            else
                Assert.That(workerBegan.Wait(TimeSpan.FromSeconds(30)), "the worker took no item");
        }
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(5)]
    public void Run_DoesEveryItemOnce(int threads)
    {
        using var team = new HostTeam(threads);
        foreach (int items in (int[])[0, 1, 2, 3, 64, 1000])
        {
            int[] hits = new int[items];
            for (int round = 0; round < 200; round++)
                team.Run(items, new Count(hits));
            Assert.That(hits, Is.All.EqualTo(200), $"{items} items");
        }
    }

    [Test]
    public void Run_DealsEachThreadTheSameItems_EveryTime()
    {
        using var team = new HostTeam(2);
        for (int round = 0; round < 20; round++)
        {
            int[] firsts = [-1, -1];
            using var workerBegan = new ManualResetEventSlim();
            team.Run(64, new FirstItems(firsts, workerBegan));
            Assert.That(firsts, Is.EqualTo((int[])[0, 32]));
        }
    }

    [Test]
    public void Run_AfterASleep_WakesTheWorkers()
    {
        using var team = new HostTeam(3);
        int[] hits = new int[50];
        for (int round = 0; round < 5; round++)
        {
            Thread.Sleep(5);
            team.Run(hits.Length, new Count(hits));
        }
        Assert.That(hits, Is.All.EqualTo(5));
    }

    [Test]
    public void Run_HandsTheErrorToTheCaller_AndGoesOn([Values(1, 2, 4)] int threads)
    {
        using var team = new HostTeam(threads);
        for (int round = 0; round < 50; round++)
            Assert.That(() => team.Run(100, new Fail(round)), Throws.InvalidOperationException.With.Message.EqualTo($"item {round}"));
        int[] hits = new int[100];
        team.Run(hits.Length, new Count(hits));
        Assert.That(hits, Is.All.EqualTo(1));
    }

    [Test]
    public void Run_InsideAnItem_RunsInline()
    {
        using var team = new HostTeam(3);
        int[] hits = new int[7];
        team.Run(20, new Nested(team, hits));
        Assert.That(hits, Is.All.EqualTo(20));
    }

    [Test]
    public void Run_AllocatesNothing_AfterTheFirst()
    {
        using var team = new HostTeam(2);
        int[] hits = new int[64];
        var job = new Count(hits);
        for (int round = 0; round < 100; round++)
            team.Run(hits.Length, job);

        // The test runner's own threads allocate too, now and then, and the lock makes its event when it first has to wait: the quietest of
        // ten rounds counts.
        long quietest = long.MaxValue, caller = long.MaxValue;
        for (int round = 0; round < 10; round++)
        {
            long before = GC.GetTotalAllocatedBytes(), callerBefore = GC.GetAllocatedBytesForCurrentThread();
            for (int run = 0; run < 1000; run++)
                team.Run(hits.Length, job);
            caller = Math.Min(caller, GC.GetAllocatedBytesForCurrentThread() - callerBefore);
            quietest = Math.Min(quietest, GC.GetTotalAllocatedBytes() - before);
        }

        Assert.That(caller, Is.Zero);
        Assert.That(quietest, Is.LessThan(10_000), "bytes in 1000 runs");
    }

    [Test]
    public void Teams_OfSeveralThreads_DoNotMix()
    {
        int[][] hits = [new int[300], new int[300]];
        Thread[] callers = [.. hits.Select(h => new Thread(() =>
        {
            using var team = new HostTeam(3);
            for (int round = 0; round < 300; round++)
                team.Run(h.Length, new Count(h));
        }))];
        foreach (Thread caller in callers)
            caller.Start();
        foreach (Thread caller in callers)
            caller.Join();
        Assert.That(hits[0], Is.All.EqualTo(300));
        Assert.That(hits[1], Is.All.EqualTo(300));
    }

    [Test]
    public void Run_AfterDispose_IsRefused()
    {
        var team = new HostTeam(2);
        team.Dispose();
        Assert.That(() => team.Run(4, new Count(new int[4])), Throws.TypeOf<ObjectDisposedException>());
    }
}
