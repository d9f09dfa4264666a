using Dino.Pictures.DataSets;

namespace Dino.Train.Evaluation.Retrieval;

/// <summary>What retrieval reached under one of the protocols.</summary>
/// <param name="Protocol">Easy, medium or hard.</param>
/// <param name="MeanAveragePrecision">mAP, 0 to 1.</param>
/// <param name="MeanPrecision">mP@1, 5 and 10, 0 to 1.</param>
/// <param name="Queries">Queries that have a right answer.</param>
public readonly record struct RetrievalAccuracy(
    string Protocol, double MeanAveragePrecision, IReadOnlyList<double> MeanPrecision, int Queries);

/// <summary>The measures of the revisited Oxford and Paris sets (Radenović et al. 2018, section 3).</summary>
public static class RetrievalScore
{
    /// <summary>The numbers of answers that precision is taken of.</summary>
    public static IReadOnlyList<int> Kappas { get; } = [1, 5, 10];

    /// <summary>Easy, medium and hard.</summary>
    /// <param name="ranking">For each query all pictures of the database, the most similar first.</param>
    /// <param name="queries">What is right.</param>
    public static IReadOnlyList<RetrievalAccuracy> Evaluate(IReadOnlyList<int[]> ranking, IReadOnlyList<RetrievalQuery> queries) =>
    [
        Evaluate("easy", ranking, queries, q => q.Easy, q => [.. q.Junk, .. q.Hard]),
        Evaluate("medium", ranking, queries, q => [.. q.Easy, .. q.Hard], q => q.Junk),
        Evaluate("hard", ranking, queries, q => q.Hard, q => [.. q.Junk, .. q.Easy]),
    ];

    private static RetrievalAccuracy Evaluate(
        string protocol, IReadOnlyList<int[]> ranking, IReadOnlyList<RetrievalQuery> queries,
        Func<RetrievalQuery, IReadOnlyList<int>> right, Func<RetrievalQuery, IReadOnlyList<int>> passedOver)
    {
        double map = 0;
        double[] precision = new double[Kappas.Count];
        int counted = 0;
        for (int i = 0; i < queries.Count; i++)
        {
            HashSet<int> positives = [.. right(queries[i])], junk = [.. passedOver(queries[i])];
            if (positives.Count == 0)
                continue;
            counted++;
            // Places among what is left when the pictures that do not count are taken out.
            var ranks = new List<int>(positives.Count);
            int place = 0;
            foreach (int picture in ranking[i])
            {
                if (positives.Contains(picture))
                    ranks.Add(place);
                if (!junk.Contains(picture) || positives.Contains(picture))
                    place++;
            }
            map += AveragePrecision.Of(ranks, positives.Count);
            for (int k = 0; k < precision.Length; k++)
            {
                if (ranks.Count == 0)
                    continue;
                int among = Math.Min(ranks[^1] + 1, Kappas[k]); // the reference stops at the last right answer
                precision[k] += (double)ranks.Count(rank => rank < among) / among;
            }
        }
        double count = Math.Max(1, counted);
        return new RetrievalAccuracy(protocol, map / count, [.. precision.Select(sum => sum / count)], counted);
    }
}
