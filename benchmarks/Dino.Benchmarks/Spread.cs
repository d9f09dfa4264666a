namespace Dino.Benchmarks;

/// <summary>Median and range of repeated measurements.</summary>
internal readonly record struct Spread(double Median, double Min, double Max)
{
    /// <summary>The spread of at least one value.</summary>
    public static Spread Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        double median = sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Spread(median, sorted[0], sorted[^1]);
    }

    /// <summary>The spread of the quotients of values that were measured together: a drift of the machine's speed cancels.</summary>
    public static Spread OfRatios(IReadOnlyList<double> ours, IReadOnlyList<double> theirs) => Of(ours.Zip(theirs, (a, b) => a / b));
}
