using System.Diagnostics;
using Dino.Tensors;

namespace Dino.Benchmarks;

/// <summary>
/// What parts of a step come to on a device, as a share of what the device can do: products and attention of its rate of arithmetic, row
/// ops
/// and updates of its rate of copying. Calls follow one another without a wait, as in a step.
/// </summary>
internal static class RooflineBenchmark
{
    private const int Repeats = 9;

    /// <summary>Times the operators of <see cref="OpTable.Large"/>.</summary>
    /// <param name="device">Where.</param>
    /// <param name="side">Side of the large product.</param>
    /// <param name="pictures">Pictures of a batch.</param>
    /// <param name="seconds">Time for an operator.</param>
    /// <param name="gflops">GFLOP/s that count as the whole; 0 takes the highest rate measured here.</param>
    /// <param name="gbS">The same in GB/s.</param>
    public static RooflineReport Run(Device device, int side, int pictures, double seconds, double gflops, double gbS)
    {
        var measured = new List<OpRow>();
        foreach (var op in OpTable.Large(side, pictures))
        {
            using var operands = device.BeginArena();
            var ms = Time(device, op.Make(device).Run, seconds);
            measured.Add(new OpRow(op.Name, ms.Median, ms.Min, ms.Max, op.Work / ms.Median / 1e6, op.Unit));
        }
        gflops = gflops > 0 ? gflops : Highest(OpTable.Flops);
        gbS = gbS > 0 ? gbS : Highest(OpTable.Bytes);
        return new RooflineReport("roofline", device.ToString(), gflops, gbS, [.. measured.Select(row => new RooflineRow(
            row.Op, row.Ms, row.Min, row.Max, row.Rate, row.Unit, row.Rate / (row.Unit == OpTable.Flops ? gflops : gbS)))]);

        double Highest(string unit) => measured.Where(row => row.Unit == unit).Max(row => row.Rate);
    }

    /// <summary>Milliseconds of one call among many.</summary>
    private static Spread Time(Device device, Action run, double seconds)
    {
        double once = Calls(device, run, 2) / 2;
        int calls = Math.Clamp((int)(1000 * seconds / (Repeats + 1) / Math.Max(once, 1e-3)), 1, 2000);
        Calls(device, run, calls);
        return Spread.Of(Enumerable.Range(0, Repeats).Select(_ => Calls(device, run, calls) / calls));
    }

    private static double Calls(Device device, Action run, int calls)
    {
        device.Synchronize();
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < calls; i++)
            run();
        device.Synchronize();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}
