using System.Diagnostics;
using System.Globalization;
using Dino.Tensors;

namespace Dino.Benchmarks;

/// <summary>One operator of the table.</summary>
/// <param name="Name">The name, which is the peer's.</param>
/// <param name="Work">Floating-point operations, or the least bytes that have to be read and written.</param>
/// <param name="Unit">GFLOP/s or GB/s.</param>
/// <param name="Make">Makes the operands and gives the call.</param>
internal sealed record Op(string Name, double Work, string Unit, Func<Device, OpCall> Make);

/// <summary>A call to time, with what is to happen before and after it outside the measurement.</summary>
internal sealed record OpCall(Action Run, Action? Before = null, Action? After = null);

/// <summary>Times single calls of operators.</summary>
internal static class OpBenchmark
{
    private const int LeastCalls = 5, MostCalls = 2000;

    // The runtime first compiles quickly, then well: a call counts once it has run for a while.
    private const double WarmupShare = 0.3;

    /// <summary>Times the operators whose name holds <paramref name="only"/>, each for about <paramref name="seconds"/>.</summary>
    public static OpsReport Run(string deviceName, int threads, double seconds, string only, Action<string> say)
    {
        using var device = Device.Open(deviceName, new DeviceOptions { Threads = threads });
        var rows = new List<OpRow>();
        foreach (var op in OpTable.All)
        {
            if (!op.Name.Contains(only, StringComparison.OrdinalIgnoreCase))
                continue;
            using var operands = device.BeginArena();
            var spread = Time(device, op.Make(device), seconds);
            var row = new OpRow(op.Name, spread.Median, spread.Min, spread.Max, op.Work / spread.Median / 1e6, op.Unit);
            rows.Add(row);
            say(string.Create(CultureInfo.InvariantCulture,
                $"{row.Op,-44}{row.Ms,10:F2} ms [{row.Min:F2} - {row.Max:F2}]{row.Rate,9:F1} {row.Unit}"));
        }
        return new OpsReport("ops", threads, rows);
    }

    private static Spread Time(Device device, OpCall call, double seconds)
    {
        var times = new List<double>();
        double spent = 0, warmup = 1000 * seconds * WarmupShare;
        for (int calls = 0; spent < warmup || calls < 2; calls++)
            spent += Once(device, call);
        spent = 0;
        while (times.Count < MostCalls && (times.Count < LeastCalls || spent < 1000 * seconds))
        {
            times.Add(Once(device, call));
            spent += times[^1];
        }
        return Spread.Of(times);
    }

    private static double Once(Device device, OpCall call)
    {
        call.Before?.Invoke();
        device.Synchronize();
        long start = Stopwatch.GetTimestamp();
        call.Run();
        device.Synchronize();
        double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        call.After?.Invoke();
        return milliseconds;
    }
}
