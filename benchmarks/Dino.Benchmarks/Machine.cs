using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using System.Runtime.Intrinsics;

namespace Dino.Benchmarks;

/// <summary>What a measurement has to say of the machine it was made on.</summary>
internal static class Machine
{
    /// <summary>Processors that this process may use.</summary>
    public static int Cores => Environment.ProcessorCount;

    /// <summary>Floats in the vectors of the matrix product.</summary>
    public static int VectorWidth => Vector512.IsHardwareAccelerated ? Vector512<float>.Count : Vector<float>.Count;

    /// <summary>The load average over a minute, or NaN where the system does not tell.</summary>
    public static double Load()
    {
        const string Path = "/proc/loadavg";
        return File.Exists(Path) ? double.Parse(File.ReadAllText(Path).Split(' ')[0], CultureInfo.InvariantCulture) : double.NaN;
    }

    /// <summary>The most memory this process has had resident, in MiB.</summary>
    public static double PeakResidentMiB()
    {
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64 / (double)(1 << 20);
    }
}
