namespace Dino.Benchmarks;

/// <summary>Time and memory of one size of step.</summary>
/// <param name="Settings">The size.</param>
/// <param name="Tokens">Tokens that go through the student.</param>
/// <param name="Ms">Milliseconds of a step.</param>
/// <param name="PeakRssMib">The most memory that the process had resident.</param>
/// <param name="PeakPoolMib">The most that tensors took at a time.</param>
internal sealed record GrowthRow(StepSettings Settings, int Tokens, Spread Ms, double PeakRssMib, double PeakPoolMib);

/// <summary>How a step's time grows with its pictures and its memory with their tokens.</summary>
internal static class Growth
{
    /// <summary>Measures every batch of every patch, each in a process of its own: the most memory resident only ever rises.</summary>
    public static List<GrowthRow> Measure(StepSettings settings, int[] patches, int[] batches, Action<GrowthRow> say)
    {
        var rows = new List<GrowthRow>();
        foreach (int patch in patches)
        {
            foreach (int batch in batches)
            {
                var size = settings with { Patch = patch, Batch = batch };
                var report = MeasuredProgram.Ours.Run<StepReport>(["step", .. size.Arguments]);
                rows.Add(new GrowthRow(size, report.Tokens, report.PhasesMs["total"], report.PeakRssMib, report.PeakPoolMib));
                say(rows[^1]);
            }
        }
        return rows;
    }

    /// <summary>Straight lines through time over images and memory over tokens, for every patch, and memory over tokens for all.</summary>
    public static IEnumerable<(string Name, LineFit Line)> Fits(IReadOnlyList<GrowthRow> rows)
    {
        foreach (var patch in rows.GroupBy(row => row.Settings.Patch))
        {
            yield return ($"patch {patch.Key}: ms over images", LineFit.Of(patch, row => row.Settings.Batch, row => row.Ms.Median));
            yield return ($"patch {patch.Key}: pool MiB over tokens", LineFit.Of(patch, row => row.Tokens, row => row.PeakPoolMib));
            yield return ($"patch {patch.Key}: RSS MiB over tokens", LineFit.Of(patch, row => row.Tokens, row => row.PeakRssMib));
        }
        yield return ("all: pool MiB over tokens", LineFit.Of(rows, row => row.Tokens, row => row.PeakPoolMib));
        yield return ("all: RSS MiB over tokens", LineFit.Of(rows, row => row.Tokens, row => row.PeakRssMib));
    }
}
