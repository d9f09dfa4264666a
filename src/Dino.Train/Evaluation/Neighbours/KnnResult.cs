namespace Dino.Train.Evaluation.Neighbours;

/// <summary>What the k-NN classifier reached with k neighbours.</summary>
/// <param name="K">Number of neighbours that vote.</param>
/// <param name="Top1">Percent of the queries whose class got most votes.</param>
/// <param name="Top5">Percent of the queries whose class is among the min(5, K) with most votes.</param>
public readonly record struct KnnAccuracy(int K, double Top1, double Top5);

/// <summary>The accuracies of a k-NN evaluation.</summary>
public sealed record KnnResult
{
    /// <summary>By ascending k.</summary>
    public required IReadOnlyList<KnnAccuracy> Accuracies { get; init; }

    /// <summary>The k that are larger than the train set and were left out.</summary>
    public required IReadOnlyList<int> SkippedKs { get; init; }

    /// <summary>Rows that neighbours were taken from.</summary>
    public required int TrainCount { get; init; }

    /// <summary>Rows that were classified.</summary>
    public required int QueryCount { get; init; }

    /// <summary>Number of classes.</summary>
    public required int Classes { get; init; }

    /// <summary>Says what was left out and why; null when nothing was.</summary>
    public string? Note => SkippedKs.Count == 0
        ? null
        : $"k = {string.Join(", ", SkippedKs)} left out: there are only {TrainCount} training features.";

    /// <summary>Top-1 accuracy in percent; null when this k was not evaluated.</summary>
    public double? Top1(int k) => Find(k)?.Top1;

    /// <summary>Top-5 accuracy in percent; null when this k was not evaluated.</summary>
    public double? Top5(int k) => Find(k)?.Top5;

    private KnnAccuracy? Find(int k)
    {
        foreach (var accuracy in Accuracies)
        {
            if (accuracy.K == k)
                return accuracy;
        }
        return null;
    }
}
