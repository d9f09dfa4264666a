namespace Dino.Benchmarks;

/// <summary>One quantity of both programs over all pairs, and the quotients ours / peer of the pairs.</summary>
internal sealed record ComparisonRow(string Measured, string Unit, Spread Ours, Spread Peer, Spread Ratio);

/// <summary>A whole comparison, with what has to be known of the machine to read it: its load averages over a minute among that.</summary>
/// <param name="FmaPeakGflops">The highest FMA rate that was measured between the pairs; 0 where none was.</param>
internal sealed record ComparisonReport(
    string Command, string Sizes, int Pairs, int Cores, int FloatsAVector, double LoadBefore, double LoadAfter, double FmaPeakGflops,
    List<ComparisonRow> Rows);

/// <summary>Gathers what the two programs report, run alternately.</summary>
internal sealed class Comparison(string command, string sizes, int pairs)
{
    private readonly List<(string Name, string Unit, List<double> Ours, List<double> Peer)> measured = [];
    private readonly double loadBefore = Machine.Load();
    private readonly (List<double> Ours, List<double> Peer) gflops = ([], []);

    // Of all pairs: one that was disturbed measured its peak too low, which would flatter.
    private double highestPeak;

    /// <summary>Runs the pairs: every second one starts with the peer.</summary>
    public void Alternate<T>(Func<T> runOurs, Func<T> runPeer, Action<T, T> take)
    {
        for (int i = 0; i < pairs; i++)
        {
            bool peerFirst = i % 2 == 1;
            var first = peerFirst ? runPeer() : runOurs();
            var second = peerFirst ? runOurs() : runPeer();
            take(peerFirst ? second : first, peerFirst ? first : second);
        }
    }

    /// <summary>Takes in one pair of one quantity.</summary>
    public void Add(string name, string unit, double ours, double peer)
    {
        int row = measured.FindIndex(known => known.Name == name);
        if (row < 0)
        {
            row = measured.Count;
            measured.Add((name, unit, [], []));
        }
        measured[row].Ours.Add(ours);
        measured[row].Peer.Add(peer);
    }

    /// <summary>Rate, memory and share of the machine's FMA peak of both programs, whose work is the same.</summary>
    /// <param name="images">Pictures a second of both.</param>
    /// <param name="residentMiB">Most memory resident of both.</param>
    /// <param name="gflop">What the model asks for.</param>
    /// <param name="milliseconds">The time for that of both.</param>
    /// <param name="peak">GFLOP/s, measured by ours within this pair.</param>
    public void AddWhole(
        (double Ours, double Peer) images, (double Ours, double Peer) residentMiB, double gflop, (double Ours, double Peer) milliseconds,
        double peak)
    {
        Add("rate", "images/s", images.Ours, images.Peer);
        Add("peak RSS", "MiB", residentMiB.Ours, residentMiB.Peer);
        gflops.Ours.Add(1000 * gflop / milliseconds.Ours);
        gflops.Peer.Add(1000 * gflop / milliseconds.Peer);
        highestPeak = Math.Max(highestPeak, peak);
    }

    /// <summary>What was gathered.</summary>
    public ComparisonReport Report()
    {
        List<ComparisonRow> rows = [.. measured.Select(row => Row(row.Name, row.Unit, row.Ours, row.Peer))];
        if (gflops.Ours.Count > 0)
            rows.Add(Row("share of FMA peak", "%", [.. gflops.Ours.Select(OfPeak)], [.. gflops.Peer.Select(OfPeak)]));
        return new ComparisonReport(
            command, sizes, pairs, Machine.Cores, Machine.VectorWidth, loadBefore, Machine.Load(), highestPeak, rows);
    }

    private double OfPeak(double rate) => 100 * rate / highestPeak;

    private static ComparisonRow Row(string name, string unit, List<double> ours, List<double> peer) =>
        new(name, unit, Spread.Of(ours), Spread.Of(peer), Spread.OfRatios(ours, peer));
}
