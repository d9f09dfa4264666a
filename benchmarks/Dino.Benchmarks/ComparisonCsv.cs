using System.Globalization;
using System.Text;
using Dino.Tensors.Io;

namespace Dino.Benchmarks;

/// <summary>Comparisons as a file of comma-separated values that grows.</summary>
internal static class ComparisonCsv
{
    private const string Header = "date,cores,floats_a_vector,load_before,load_after,fma_peak_gflops,pairs,sizes,measured,unit,ours,"
        + "ours_lower_quartile,peer,peer_lower_quartile,ratio,ratio_lower_quartile,ratio_min,ratio_max,command\n";

    /// <summary>Adds the rows to the file, with a header if it is new.</summary>
    /// <exception cref="IOException">The file has other columns.</exception>
    public static void Append(ComparisonReport report, string path)
    {
        var text = new StringBuilder(File.Exists(path) ? File.ReadAllText(path) : Header);
        if (!text.ToString().StartsWith(Header, StringComparison.Ordinal))
            throw new IOException($"'{path}' has other columns than this program writes: name another file.");
        string date = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        foreach (var (name, unit, ours, peer, ratio) in report.Rows)
            text.AppendJoin(',', [
                date, Text(report.Cores), Text(report.FloatsAVector), Text(report.LoadBefore), Text(report.LoadAfter),
                report.FmaPeakGflops > 0 ? Text(report.FmaPeakGflops) : "", Text(report.Pairs), Quoted(report.Sizes), Quoted(name), unit,
                Text(ours.Median), Text(ours.LowerQuartile), Text(peer.Median), Text(peer.LowerQuartile), Text(ratio.Median),
                Text(ratio.LowerQuartile), Text(ratio.Min), Text(ratio.Max), Quoted(report.Command)]).Append('\n');
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text.ToString())));
    }

    private static string Text(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    private static string Quoted(string text) => text.Contains(',', StringComparison.Ordinal) ? $"\"{text}\"" : text;
}
