using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Core;

/// <summary>A repeated step allocates no device memory and next to nothing managed on its thread.</summary>
public class SteadyStateTests
{
    private const int ManagedBytes = 1024;

    /// <summary>Simulated GPU threads allocate for each launch; they are for debugging alone.</summary>
    public static IEnumerable<string> Names => Devices.Names.Where(name => name != "cpu:debug");

    [TestCaseSource(nameof(Names))]
    public void RepeatedStep_AllocatesNothing(string name)
    {
        Devices.Open(name); // inconclusive where there is none
        using var device = Device.Open(name); // not strict: strict devices never reuse a tensor
        using var arena = device.BeginArena(reuseTensors: true);
        var x = Tensor.From(device, [.. Enumerable.Range(0, 4 * 16 * 37).Select(i => i % 11 / 10f)], new Shape(4, 16, 37));
        var bias = Tensor.Zeros(device, new Shape(37));
        var rows = Tensor.FromInts(device, [3, 1, 3], new Shape(3));
        (x.RequiresGrad, bias.RequiresGrad) = (true, true);
        using var tape = new Tape(device);
        for (int i = 0; i < 3; i++)
            Step(device, tape, x, bias, rows);
        device.Synchronize();
        int pieces = device.Pool.Allocations;
        long managed = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 8; i++)
            Step(device, tape, x, bias, rows);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - managed, Is.LessThanOrEqualTo(8 * ManagedBytes), "managed bytes in 8 steps");
        Assert.That(device.Pool.Allocations, Is.EqualTo(pieces), "pieces of device memory");
    }

    private static void Step(Device device, Tape tape, Tensor x, Tensor bias, Tensor rows)
    {
        using var step = device.BeginArena(); // reuses as the one around it
        tape.Record();
        var y = x.Add(bias).Gelu().Multiply(x).Softmax();
        var joined = ConcatOp.Concat(1, y.Slice(1, 0, 1), y.Slice(1, 5, 3).Scale(2));
        tape.Backward(joined.Reshape(new Shape(16, 37)).GatherRows(rows).Relu().Sum(1).Mean().Add(y.Mean(1).Sum()));
    }
}
