using MathNet.Numerics.Statistics;

namespace Dino.Benchmarks;

/// <summary>Median, range and lower quartile of repeated measurements; the peer's reports have no quartile: it is 0 there.</summary>
internal readonly record struct Spread(double Median, double Min, double Max, double LowerQuartile)
{
    /// <summary>The spread of at least one value; the quartile is interpolated between its neighbours (R's type 7).</summary>
    public static Spread Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return new Spread(
            SortedArrayStatistics.Median(sorted), sorted[0], sorted[^1],
            SortedArrayStatistics.QuantileCustom(sorted, 0.25, QuantileDefinition.R7));
    }

    /// <summary>The spread of the quotients of values that were measured together: a drift of the machine's speed cancels.</summary>
    public static Spread OfRatios(IReadOnlyList<double> ours, IReadOnlyList<double> theirs) => Of(ours.Zip(theirs, (a, b) => a / b));
}
