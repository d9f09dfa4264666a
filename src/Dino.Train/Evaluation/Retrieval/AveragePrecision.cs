namespace Dino.Train.Evaluation.Retrieval;

/// <summary>
/// Average precision as the Oxford, Holidays and Copydays evaluations compute it: the area under straight lines between the points.
/// </summary>
public static class AveragePrecision
{
    /// <summary>The average precision of one query.</summary>
    /// <param name="ranks">Places of the right answers among all, ascending from 0.</param>
    /// <param name="positives">How many right answers there are, found or not.</param>
    public static double Of(IEnumerable<int> ranks, int positives)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(positives);
        double area = 0;
        int found = 0;
        foreach (int rank in ranks)
        {
            double before = rank == 0 ? 1 : (double)found / rank, after = (found + 1.0) / (rank + 1);
            area += (before + after) / (2 * positives);
            found++;
        }
        return area;
    }
}
