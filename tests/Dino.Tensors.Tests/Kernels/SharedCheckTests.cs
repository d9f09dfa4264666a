using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Simt;
using Dino.Testing;
using ILGPU;
using ILGPU.Runtime;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>On simulated threads a missing barrier and an index outside shared memory are named, whatever the clock did.</summary>
public class SharedCheckTests
{
    private const int Threads = 16;

    private static readonly Kernel<Action<AcceleratorStream, KernelConfig, ViewMemory, int>> rotate = new(Rotate);
    private static readonly Kernel<Action<AcceleratorStream, KernelConfig, ViewMemory, int>> reach = new(Reach);
    private static readonly Kernel<Action<AcceleratorStream, KernelConfig, ViewMemory, int>> each = new(Each);

    [Test]
    public void Barriers_WhereTheyBelong_AreNoComplaint()
    {
        float[] values = Run(rotate, FirstBarrier | SecondBarrier);
        Assert.That(values, Is.EqualTo(Enumerable.Range(0, Threads).Select(i => (i + 2) % Threads + 1f)));
    }

    [TestCase(SecondBarrier)]
    [TestCase(FirstBarrier)]
    public void MissingBarrier_IsNamed(int barriers)
    {
        var error = Assert.Throws<KernelRaceException>(() => Run(rotate, barriers))!;

        Assert.That(error.Message, Does.Contain($"{nameof(SharedCheckTests)}.{nameof(Rotate)} lacks a barrier: thread "));
        // Who came second is the clock's choice.
        Assert.That(error.Message, Does.Match(@"(reads element \d+ of shared memory that .* wrote|writes element \d+ of shared memory "
            + @"that .* (wrote|read)) since the last one\.$"));
        Assert.That(error.Index, Is.InRange(0, Threads - 1));
        Assert.That(Run(rotate, FirstBarrier | SecondBarrier), Has.Length.EqualTo(Threads), "the device lives on");
    }

    [Test]
    public void MissingBarrier_IsFoundEveryTime()
    {
        for (int i = 0; i < 50; i++)
            Assert.Throws<KernelRaceException>(() => Run(rotate, i % 2 == 0 ? FirstBarrier : SecondBarrier));
    }

    [Test]
    public void PlaceOfItsOwn_NeedsNoBarrier() => Assert.That(Run(each, 0), Is.EqualTo(Enumerable.Range(1, Threads).Select(i => 2f * i)));

    [TestCase(Threads, Threads)]
    [TestCase(-1, -1)]
    public void IndexOutsideSharedMemory_IsNamed_AndTheDeviceLivesOn(int shift, int outside)
    {
        var error = Assert.Throws<KernelIndexException>(() => Run(reach, shift))!;

        Assert.That((error.Index, error.Length), Is.EqualTo((outside, Threads)));
        Assert.That(error.Message, Does.Contain("of shared memory of 16").And.Contain(nameof(Reach)));
        Assert.That(Run(reach, 0), Is.EqualTo(Enumerable.Range(1, Threads)));
    }

    private const int FirstBarrier = 1, SecondBarrier = 2;

    private static float[] Run(Kernel<Action<AcceleratorStream, KernelConfig, ViewMemory, int>> kernel, int argument)
    {
        var device = Devices.Open("cpu:debug");
        using var arena = device.BeginArena();
        var values = Tensor.From(device, [.. Enumerable.Range(1, Threads).Select(i => (float)i)], new Shape(Threads));
        kernel.On(device)(device.Stream, new KernelConfig(1, Threads), ViewMemory.Of(values), argument);
        return values.ToArray();
    }

    /// <summary>Takes the value of the next thread, twice; a barrier is missing where its bit is.</summary>
    private static void Rotate(ViewMemory values, int barriers)
    {
        var shared = new SharedBlock<float>(SharedMemory.Allocate<float>(Threads), id: 0);
        int thread = Group.IdxX, next = (thread + 1) % Threads;
        shared[thread] = values[thread];
        if ((barriers & FirstBarrier) != 0)
            SharedCheck.Barrier();
        float value = shared[next];
        if ((barriers & SecondBarrier) != 0)
            SharedCheck.Barrier();
        shared[thread] = value;
        SharedCheck.Barrier();
        values[thread] = shared[next];
    }

    private static void Each(ViewMemory values, int unused)
    {
        var shared = new SharedBlock<float>(SharedMemory.Allocate<float>(Threads), id: 0);
        int thread = Group.IdxX;
        shared[thread] = values[thread];
        shared[thread] += shared[thread];
        values[thread] = shared[thread];
    }

    /// <summary>The first thread alone reaches <paramref name="shift"/> places too far.</summary>
    private static void Reach(ViewMemory values, int shift)
    {
        var shared = new SharedBlock<float>(SharedMemory.Allocate<float>(Threads), id: 0);
        int thread = Group.IdxX;
        shared[thread + (thread == 0 ? shift : 0)] = values[thread];
        SharedCheck.Barrier();
        values[thread] = shared[thread];
    }
}
