namespace Dino.Benchmarks;

/// <summary>One quantity of both programs over all pairs, and the quotients ours / peer of the pairs.</summary>
internal sealed record ComparisonRow(string Measured, string Unit, Spread Ours, Spread Peer, Spread Ratio);

/// <summary>A whole comparison, with what has to be known of the machine to read it: its load averages over a minute among that.</summary>
internal sealed record ComparisonReport(
    string Command, string Sizes, int Pairs, int Cores, int FloatsAVector, double LoadBefore, double LoadAfter, List<ComparisonRow> Rows);

/// <summary>Gathers what the two programs report, run alternately.</summary>
internal sealed class Comparison(string command, string sizes, int pairs)
{
    private readonly List<(string Name, string Unit, List<double> Ours, List<double> Peer)> measured = [];
    private readonly double loadBefore = Machine.Load();

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
        Add("share of FMA peak", "%", 100 * PeakShare.Of(gflop, milliseconds.Ours, peak), 100 * PeakShare.Of(gflop, milliseconds.Peer, peak));
    }

    /// <summary>What was gathered.</summary>
    public ComparisonReport Report() => new(
        command, sizes, pairs, Machine.Cores, Machine.VectorWidth, loadBefore, Machine.Load(),
        [.. measured.Select(row =>
            new ComparisonRow(row.Name, row.Unit, Spread.Of(row.Ours), Spread.Of(row.Peer), Spread.OfRatios(row.Ours, row.Peer)))]);
}
