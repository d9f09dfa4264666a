using Dino.Tensors.Kernels;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>What an op of another assembly is written with: launches, bodies, groups.</summary>
public class LaunchTests
{
    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void Launch_TakesTheWayOfItsDevice(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        var x = Tensor.From(device, [.. Enumerable.Range(0, 3 * 37).Select(i => i * 0.25f)], new Shape(3, 37));
        var y = Tensor.Empty(device, x.Shape);

        device.Launch(new ReverseLaunch(x, y));

        Assert.That(y.ToArray(), Is.EqualTo(x.ToArray().Chunk(37).SelectMany(row => row.Reverse())));
    }

    [Test]
    public void Launch_DoesNotAllocate()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Tensor x = Tensor.Zeros(device, new Shape(2, 8)), y = Tensor.Zeros(device, new Shape(2, 8));
        device.Launch(new ReverseLaunch(x, y));
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            device.Launch(new ReverseLaunch(x, y));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }

    [Test]
    public void HiddenBody_IsNamed_WithTheRemedy()
    {
        using var device = Device.Open("cpu:debug");
        var x = Tensor.Zeros(device, new Shape(4));

        var error = Assert.Throws<InvalidOperationException>(() => device.Launch(new HiddenLaunch(x)));

        Assert.That(error!.Message, Does.Contain("LaunchTests+Hidden").And.Contain("public")
            .And.Contain("InternalsVisibleTo(\"ILGPURuntime\")"));
        x.Dispose();
    }

    [Test]
    public void Groups_ShareMemory()
    {
        using var device = Device.Open("cpu:debug");
        using var arena = device.BeginArena();
        var sums = Tensor.Empty(device, new Shape(3), DType.Int32);

        device.LaunchGroups(3, new SumOfThreads(ViewMemory.Of(sums)));

        int each = Enumerable.Range(0, device.GroupSize).Sum();
        Assert.That(sums.ToIntArray(), Is.EqualTo(new[] { each, each + device.GroupSize, each + 2 * device.GroupSize }));
    }

    [Test]
    public void Groups_OnTheHost_AreRefused() =>
        Assert.Throws<NotSupportedException>(() => Devices.Open("cpu").LaunchGroups(1, default(SumOfThreads)));

    [Test]
    public void IsHost_NeedsNoName()
    {
        using var simulated = Device.Open("cpu:debug");
        Assert.That((Devices.Open("cpu").IsHost, simulated.IsHost), Is.EqualTo((true, false)));
    }

    private readonly struct ReverseLaunch(Tensor x, Tensor y) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) =>
            run.Rows(x.Shape.Rows, x.Shape.RowLength, new Reverse<T, TMemory>(x.Shape.RowLength, TMemory.Of(x), TMemory.Of(y)));
    }

    private readonly struct HiddenLaunch(Tensor x) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) => run.Elements(x.Count, new Hidden<T, TMemory>(TMemory.Of(x)));
    }

    public readonly struct Reverse<T, TMemory>(int n, TMemory x, TMemory y) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int n = n;
        private readonly TMemory x = x, y = y;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            TMemory y = this.y;
            for (int i = lanes.Id; i < n; i += lanes.Count)
                y[row * n + i] = x[row * n + n - 1 - i];
        }
    }

    internal readonly struct Hidden<T, TMemory>(TMemory x) : IElementBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly TMemory x = x;

        public void At(int i, int end) => x.Store(i, end, T.Of(1));
    }

    /// <summary>The sum of the threads' numbers, each plus the group's.</summary>
    public readonly struct SumOfThreads(ViewMemory sums) : IGroupBody
    {
        private readonly ViewMemory sums = sums;

        public void Run(ThreadGroup group)
        {
            var shared = ThreadGroup.Share<int>(256, id: 0);
            shared[group.Thread] = group.Thread + group.Id;
            ThreadGroup.Barrier();
            if (group.Thread != 0)
                return;
            int sum = 0;
            for (int i = 0; i < group.Threads; i++)
                sum += shared[i];
            ViewMemory target = sums;
            target.SetInt(group.Id, sum);
        }
    }
}
