using Dino.Model;
using Dino.Tensors;
using Dino.Testing;
using Dino.Testing.Runs;
using Dino.Train.Log;
using Dino.Train.Options;
using NUnit.Framework;

namespace Dino.Train.Tests.Training;

/// <summary>After the first steps a training step allocates no device memory, and next to nothing managed on its thread.</summary>
public class SteadyStepTests
{
    private const int ManagedBytes = 1024;

    // Two blocks, two sizes of crops, three layers of the head. A number that grows costs some microseconds each on a GPU.
    private const int LaunchesOfAStep = 238;

    // A driver compiles each kernel before its first launch: what a step launches, a run waits for. OpenCL on a CPU takes 39; a
    // GPU may choose other tiles for some of the products.
    private const int KernelsOfAStep = 48;

    /// <summary>Simulated GPU threads allocate for each launch; they are for debugging alone.</summary>
    public static IEnumerable<TestCaseData> Cases =>
        from name in Devices.Names
        where name != "cpu:debug"
        from optimizer in Enum.GetValues<OptimizerKind>()
        from recompute in (bool[])[false, true]
        where name == "cpu" || optimizer == OptimizerKind.AdamW // a driver compiles for half a minute
        where !recompute || (name == "cpu" && optimizer == OptimizerKind.AdamW)
        select Devices.Case(name, optimizer, recompute);

    [TestCaseSource(nameof(Cases))]
    public void TrainingStep_AllocatesNothing(OptimizerKind optimizer, bool recompute, string name)
    {
        Devices.Open(name); // inconclusive where there is none
        using var device = Device.Open(name); // not strict: strict devices never reuse a tensor
        var options = TinyRun.Options with { Optimizer = optimizer, FreezeLastLayer = 0, Recompute = recompute };
        using var state = new SteppedDino(options, device, stepsPerEpoch: 100);
        var (globalDepth, localDepth) = (new RandomStochasticDepth(1) { Pass = 0 }, new RandomStochasticDepth(1) { Pass = 1 });
        Tensor globals = Crops(device, 16), locals = Crops(device, 8);
        var reader = new StepReader((in StepRow _, ReadOnlySpan<float> _) => { });
        int steps = Math.Max(8, 2 * state.Measured.Window);
        Train(steps + 3);
        device.Synchronize();

        int pieces = device.Pool.Allocations;
        long launches = device.Launches;
        long managed = GC.GetAllocatedBytesForCurrentThread();
        Train(steps);
        managed = GC.GetAllocatedBytesForCurrentThread() - managed;

        launches = device.Launches - launches;
        TestContext.Out.WriteLine(
            $"{launches / (double)steps} launches, {device.Launchers.Loaded} kernels and "
                + $"{managed / steps} managed bytes a step on {device}");
        if (name != "cpu" && !recompute)
            Assert.That(launches, Is.EqualTo(steps * LaunchesOfAStep), "kernels launched");
        Assert.That(device.Launchers.Loaded, Is.LessThanOrEqualTo(KernelsOfAStep), "kernels that were compiled");
        Assert.That(managed / steps, Is.LessThanOrEqualTo(ManagedBytes), "managed bytes a step");
        Assert.That(device.Pool.Allocations, Is.EqualTo(pieces), "pieces of device memory");
        Assert.That(KernelTable.Unlisted, Is.Empty, "kernels of a training step that the kernel table lacks");

        void Train(int count)
        {
            for (int i = 0; i < count; i++)
            {
                globalDepth.Step = localDepth.Step = (uint)state.Step;
                state.Learn(globals, locals, globalDepth, localDepth);
                if (state.Measured.Window == 1)
                    state.Measured.TryFindBroken(out _); // as the trainer does on the host
                state.Update();
                if (state.Measured.IsFull)
                    state.Measured.Read(reader);
            }
        }
    }

    private static Tensor Crops(Device device, int size)
    {
        float[] values = new float[2 * TinyRun.Options.BatchSize * 3 * size * size];
        for (int i = 0; i < values.Length; i++)
            values[i] = i % 23 / 11f - 1;
        return Tensor.From(device, values, new Shape(2 * TinyRun.Options.BatchSize, 3, size, size));
    }
}
