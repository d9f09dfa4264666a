using Dino.Tensors;
using Dino.Train.Evaluation.Features;

namespace Dino.Train.Evaluation.Neighbours;

/// <summary>How the neighbours vote.</summary>
public sealed record KnnOptions
{
    /// <summary>Numbers of neighbours.</summary>
    public IReadOnlyList<int> Ks { get; init; } = [10, 20, 100, 200];

    /// <summary>T: a neighbour of similarity s votes with weight e^(s/T).</summary>
    public double Temperature { get; init; } = 0.07;

    /// <summary>Bytes to use on the device for features and similarities; 0 for an eighth of its memory, 64 MiB to 1 GiB.</summary>
    public long MemoryBytes { get; init; }

    internal void Validate()
    {
        if (Ks.Count == 0 || Ks.Any(k => k < 1))
            throw new ArgumentException($"The numbers of neighbours must be 1 or more, not [{string.Join(", ", Ks)}].");
        if (Temperature is not (> 0 and < double.PositiveInfinity))
            throw new ArgumentException(FormattableString.Invariant($"The temperature of the votes must be above 0, not {Temperature}."));
        if (MemoryBytes < 0)
            throw new ArgumentException($"The k-NN classifier cannot use {MemoryBytes} bytes of memory.");
    }
}

/// <summary>
/// The weighted k-nearest-neighbour classifier of Wu et al. (2018) as DINO evaluates with it (paper, appendix F.1): each of the k nearest
/// training features, by cosine similarity s, adds e^(s/T) to the score of its class.
/// </summary>
public static class KnnClassifier
{
    /// <summary>Classifies every query and counts how often the label is right, for each k.</summary>
    /// <param name="device">Where to compute.</param>
    /// <param name="train">Rows with known classes. Lengths of rows do not matter.</param>
    /// <param name="queries">Rows to classify, of the same width.</param>
    /// <param name="options">Null for the reference's: k = 10, 20, 100, 200 and T = 0.07.</param>
    /// <param name="cancel">Stops the evaluation.</param>
    /// <exception cref="ArgumentException">The widths differ, a set is empty, or an option cannot be.</exception>
    public static KnnResult Evaluate(
        Device device, FeatureSet train, FeatureSet queries, KnnOptions? options = null, CancellationToken cancel = default)
    {
        options ??= new KnnOptions();
        options.Validate();
        Check(train, queries);
        int[] asked = [.. options.Ks.Distinct().Order()], ks = [.. asked.Where(k => k <= train.Count)];
        int classes = 1 + Math.Max(train.Labels.Max(), queries.Labels.Max());
        return new KnnResult
        {
            Accuracies = ks.Length == 0 ? [] : Accuracies(device, train, queries, ks, classes, options, cancel),
            SkippedKs = [.. asked.Where(k => k > train.Count)],
            TrainCount = train.Count,
            QueryCount = queries.Count,
            Classes = classes,
        };
    }

    /// <summary>
    /// (queries, classes): the sums of e^(s/T) over the k nearest training rows of each class; at a T below 1/600, where those overflow, of
    /// e^((s − s of the nearest)/T).
    /// </summary>
    /// <exception cref="ArgumentException">
    /// The widths differ, a set is empty, k is larger than the train set, or a class is not below <paramref name="classes"/>.
    /// </exception>
    public static double[] Scores(
        Device device, FeatureSet train, FeatureSet queries, int k, int classes, KnnOptions? options = null,
        CancellationToken cancel = default)
    {
        options ??= new KnnOptions();
        options.Validate();
        Check(train, queries);
        if (k < 1 || k > train.Count)
            throw new ArgumentException($"{k} neighbours cannot be taken from {train.Count} training features.", nameof(k));
        if (train.Labels.Max() >= classes)
            throw new ArgumentException($"Label {train.Labels.Max()} is not one of {classes} classes.", nameof(classes));
        var neighbours = NearestNeighbours.Find(device, train, queries, k, options.MemoryBytes, cancel);
        double[] scores = new double[queries.Count * classes];
        for (int query = 0; query < queries.Count; query++)
            Vote(neighbours, train.Labels, query, 0, k, options.Temperature, scores.AsSpan(query * classes, classes));
        return scores;
    }

    /// <summary>How many classes come before this one by descending score; of equal scores the lower label comes first.</summary>
    internal static int Rank(ReadOnlySpan<double> scores, int label)
    {
        double mine = scores[label];
        int rank = 0;
        for (int other = 0; other < scores.Length; other++)
            rank += scores[other] > mine || (scores[other] == mine && other < label) ? 1 : 0;
        return rank;
    }

    private static KnnAccuracy[] Accuracies(
        Device device, FeatureSet train, FeatureSet queries, int[] ks, int classes, KnnOptions options, CancellationToken cancel)
    {
        var neighbours = NearestNeighbours.Find(device, train, queries, ks[^1], options.MemoryBytes, cancel);
        double[] scores = new double[classes];
        int[] first = new int[ks.Length], amongFive = new int[ks.Length];
        for (int query = 0; query < queries.Count; query++)
        {
            Array.Clear(scores);
            int voted = 0;
            for (int i = 0; i < ks.Length; i++)
            {
                Vote(neighbours, train.Labels, query, voted, ks[i], options.Temperature, scores);
                voted = ks[i];
                int rank = Rank(scores, queries.Labels[query]);
                first[i] += rank == 0 ? 1 : 0;
                amongFive[i] += rank < Math.Min(5, ks[i]) ? 1 : 0;
            }
        }
        double percent = 100.0 / queries.Count;
        return [.. ks.Select((k, i) => new KnnAccuracy(k, first[i] * percent, amongFive[i] * percent))];
    }

    /// <summary>Adds the votes of the neighbours from … to − 1 of a query.</summary>
    private static void Vote(
        NearestNeighbours neighbours, int[] labels, int query, int from, int to, double temperature, Span<double> scores)
    {
        int first = query * neighbours.K;
        double origin = 1 / temperature > 600 ? neighbours.Similarities[first] : 0;
        for (int i = first + from; i < first + to; i++)
            scores[labels[neighbours.Indices[i]]] += Math.Exp((neighbours.Similarities[i] - origin) / temperature);
    }

    private static void Check(FeatureSet train, FeatureSet queries)
    {
        if (train.Dim != queries.Dim)
            throw new ArgumentException($"Training features have width {train.Dim}, queries {queries.Dim}: they must be of one network.");
        if (train.Count == 0 || queries.Count == 0)
            throw new ArgumentException($"k-NN needs training features and queries, not {train.Count} and {queries.Count}.");
    }
}
