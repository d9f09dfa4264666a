using Dino.Tensors;

namespace Dino.Benchmarks;

/// <summary>
/// The machine's FMA rate, and the share of it that a measured piece of work came to; NaN where the host did not compute.
/// </summary>
/// <remarks>The highest of several measurements counts: a limit that is measured too low would flatter.</remarks>
internal readonly record struct PeakShare(double Gflops, double Share)
{
    private const int Repeats = 10;

    /// <summary>Measures the rate now, right after the work, with as many threads as it had.</summary>
    public static PeakShare Measure(Device device, int threads, double gflop, double milliseconds)
    {
        double peak = device.Name == "cpu" ? FmaPeak.Measure(threads, Repeats).Max : double.NaN;
        return new PeakShare(peak, Of(gflop, milliseconds, peak));
    }

    /// <summary>Work over time as a share of a rate in GFLOP/s.</summary>
    public static double Of(double gflop, double milliseconds, double peak) => 1000 * gflop / milliseconds / peak;
}
