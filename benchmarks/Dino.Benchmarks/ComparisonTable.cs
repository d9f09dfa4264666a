using System.Globalization;

namespace Dino.Benchmarks;

/// <summary>A comparison for a person to read.</summary>
internal static class ComparisonTable
{
    /// <summary>Prints the medians of both and the quotients.</summary>
    public static void Print(ComparisonReport report, TextWriter output)
    {
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Sizes}; {report.Pairs} pairs; {report.Cores} cores, {report.FloatsAVector} floats a vector; "
            + $"load {report.LoadBefore:0.##} to {report.LoadAfter:0.##}"));
        if (report.FmaPeakGflops > 0)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"FMA peak {report.FmaPeakGflops:F1} GFLOP/s"));
        output.WriteLine($"{"",-38}{"ours",10}{"peer",10} {"",-13} ours / peer: median, lower quartile [range]");
        foreach (var (name, unit, ours, peer, ratio) in report.Rows)
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{name,-38}{ours.Median,10:F2}{peer.Median,10:F2} {unit,-13}"
                + $"{ratio.Median,6:F2}{ratio.LowerQuartile,6:F2} [{ratio.Min:F2} - {ratio.Max:F2}]"));
    }
}
