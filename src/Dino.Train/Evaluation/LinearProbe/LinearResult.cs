namespace Dino.Train.Evaluation.LinearProbe;

/// <summary>What one learning rate of a sweep came to.</summary>
/// <param name="LearningRate">The rate for a batch of 256.</param>
/// <param name="Final">After the last epoch.</param>
/// <param name="Best">At the best of the epochs that were evaluated, which is what the reference prints.</param>
/// <param name="BestEpoch">Which one, from 1.</param>
public readonly record struct LinearProbeResult(double LearningRate, LinearAccuracy Final, LinearAccuracy Best, int BestEpoch);

/// <summary>The accuracies of a linear evaluation.</summary>
public sealed record LinearResult
{
    /// <summary>In the order of the sweep.</summary>
    public required IReadOnlyList<LinearProbeResult> Probes { get; init; }

    /// <summary>Pictures that were learned from; 0 for a classifier that came from a file.</summary>
    public required int TrainCount { get; init; }

    /// <summary>Pictures that were classified.</summary>
    public required int ValCount { get; init; }

    /// <summary>Number of classes.</summary>
    public required int Classes { get; init; }

    /// <summary>The length of a feature.</summary>
    public required int Dim { get; init; }

    /// <summary>The place of the classifier with the highest accuracy after the last epoch; of equal ones the first.</summary>
    public int BestProbe
    {
        get
        {
            int best = 0;
            for (int i = 1; i < Probes.Count; i++)
                best = Probes[i].Final.Top1 > Probes[best].Final.Top1 ? i : best;
            return best;
        }
    }
}
