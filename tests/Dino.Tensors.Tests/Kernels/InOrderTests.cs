using Dino.Tensors.Kernels;
using Dino.Tensors.Tests.Ops;
using Dino.Testing;
using ILGPU;
using ILGPU.Runtime;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>
/// Threads of a group one after the other make the numbers that they make side by side; where a barrier is missing, they do not.
/// </summary>
public class InOrderTests
{
    private const int Threads = 16;

    private static readonly Kernel<Action<AcceleratorStream, KernelConfig, ViewMemory, int>> reverse = new(Reverse);

    private Device inOrder = null!;

    // One case of each op: a kernel has its barriers at every size.
    public static IEnumerable<OpCase> OneOfEach => OpCoverageTests.Cases.DistinctBy(c => c.Name.Split(' ')[0]);

    [OneTimeSetUp]
    public void Open() => inOrder = Device.Open("cpu:debug", new DeviceOptions { Strict = true, InOrder = true });

    [OneTimeTearDown]
    public void Close() => inOrder.Dispose();

    [TestCaseSource(nameof(OneOfEach))]
    public void Op_MakesTheSameNumbers(OpCase c) => OpCheck.Parity(Devices.Open("cpu"), inOrder, c);

    [TestCase(true)]
    [TestCase(false)]
    public void MissingBarrier_Shows_EachTime(bool hasBarrier)
    {
        for (int i = 0; i < 20; i++)
        {
            // Other values each time: shared memory holds what the launch before left there.
            float[] values = [.. Enumerable.Range(i * Threads, Threads).Select(v => (float)v)];
            float[] expected = [.. values.Reverse()];
            Assert.That(Run(values, hasBarrier), hasBarrier ? Is.EqualTo(expected) : Is.Not.EqualTo(expected));
        }
    }

    private float[] Run(float[] numbers, bool hasBarrier)
    {
        using var arena = inOrder.BeginArena();
        var values = Tensor.From(inOrder, numbers, new Shape(Threads));
        reverse.On(inOrder)(inOrder.Stream, new KernelConfig(1, Threads), ViewMemory.Of(values), hasBarrier ? 1 : 0);
        return values.ToArray();
    }

    /// <summary>Turns the values around through bare shared memory, which no check looks at.</summary>
    private static void Reverse(ViewMemory values, int hasBarrier)
    {
        var shared = SharedMemory.Allocate<float>(Threads);
        int thread = Group.IdxX;
        shared[thread] = values[thread];
        if (hasBarrier != 0)
            Group.Barrier();
        values[thread] = shared[Threads - 1 - thread];
    }
}
