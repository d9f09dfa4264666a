using System.Globalization;
using System.Text;
using Dino.Tensors.Io;

namespace Dino.Benchmarks;

/// <summary>
/// Times of the two programs, measured alternately, and the quotients of those that were measured one after the other.
/// </summary>
internal sealed class Comparison(string command, string sizes, int pairs)
{
    private const string Header =
        "date,cores,floats_a_vector,load_before,load_after,pairs,sizes,measured,ours_ms,peer_ms,ratio_median,ratio_min,ratio_max,command";

    private readonly List<string> names = [];
    private readonly Dictionary<string, (List<double> Ours, List<double> Peer)> times = [];
    private readonly double loadBefore = Machine.Load();

    /// <summary>The quotients ours / peer of every name, in the order of the first pair.</summary>
    public IEnumerable<(string Name, Spread Ours, Spread Peer, Spread Ratio)> Rows => names.Select(name =>
    {
        var (ours, peer) = times[name];
        return (name, Spread.Of(ours), Spread.Of(peer), Spread.OfRatios(ours, peer));
    });

    /// <summary>Runs the pairs: every second one starts with the peer.</summary>
    public static void Alternate<T>(int pairs, Func<T> runOurs, Func<T> runPeer, Action<T, T> take)
    {
        for (int i = 0; i < pairs; i++)
        {
            bool peerFirst = i % 2 == 1;
            var first = peerFirst ? runPeer() : runOurs();
            var second = peerFirst ? runOurs() : runPeer();
            take(peerFirst ? second : first, peerFirst ? first : second);
        }
    }

    /// <summary>Takes in one pair of one name, in milliseconds.</summary>
    public void Add(string name, double ours, double peer)
    {
        if (!times.TryGetValue(name, out var lists))
        {
            times.Add(name, lists = ([], []));
            names.Add(name);
        }
        lists.Ours.Add(ours);
        lists.Peer.Add(peer);
    }

    /// <summary>The table for a person.</summary>
    public void Print(TextWriter output)
    {
        output.WriteLine($"{sizes}; {pairs} pairs; {Machine.Cores} cores, {Machine.VectorWidth} floats a vector; load {Number(loadBefore)} to {Number(Machine.Load())}");
        output.WriteLine($"{"",-44}{"ours ms",10}{"peer ms",10}  ours / peer");
        foreach (var (name, ours, peer, ratio) in Rows)
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{name,-44}{ours.Median,10:F2}{peer.Median,10:F2}{ratio.Median,7:F2} [{ratio.Min:F2} - {ratio.Max:F2}]"));
    }

    /// <summary>Adds the rows to a file of comma-separated values, with a header if it is new.</summary>
    public void Append(string path)
    {
        var text = new StringBuilder(File.Exists(path) ? File.ReadAllText(path) : Header + "\n");
        string date = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        string loadAfter = Number(Machine.Load());
        foreach (var (name, ours, peer, ratio) in Rows)
            text.Append(CultureInfo.InvariantCulture, $"{date},{Machine.Cores},{Machine.VectorWidth},{Number(loadBefore)},{loadAfter},{pairs},")
                .Append($"{Quoted(sizes)},{Quoted(name)},{Number(ours.Median)},{Number(peer.Median)},")
                .Append($"{Number(ratio.Median)},{Number(ratio.Min)},{Number(ratio.Max)},{Quoted(command)}\n");
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text.ToString())));
    }

    private static string Number(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    private static string Quoted(string text) => text.Contains(',', StringComparison.Ordinal) ? $"\"{text}\"" : text;
}
