using NUnit.Framework;

namespace Dino.Benchmarks.Tests;

internal sealed class SpreadTests
{
    // numpy.quantile([1, 2, 4, 8], 0.25) = 1.75
    [TestCase(new[] { 8.0, 1, 4, 2 }, 3.0, 1.0, 8.0, 1.75)]
    [TestCase(new[] { 5.0, 1, 3 }, 3.0, 1.0, 5.0, 2.0)]
    [TestCase(new[] { 7.0 }, 7.0, 7.0, 7.0, 7.0)]
    public void MedianRangeAndQuartileOfAnyOrder(double[] values, double median, double min, double max, double quartile) =>
        Assert.That(Spread.Of(values), Is.EqualTo(new Spread(median, min, max, quartile)));

    [Test]
    public void QuotientsAreOfPairsAndNotOfMedians()
    {
        // The machine halved its speed from pair to pair: the quotient stays.
        var ratio = Spread.OfRatios([1, 2, 4], [2, 4, 8]);
        Assert.That(ratio, Is.EqualTo(new Spread(0.5, 0.5, 0.5, 0.5)));
    }

    [Test]
    public void AStraightLineIsFoundAndExplainsEverything()
    {
        var line = LineFit.Of([1, 2, 4, 8], x => x, x => 3 + 0.5 * x);
        Assert.That(line.Intercept, Is.EqualTo(3).Within(1e-12));
        Assert.That(line.Slope, Is.EqualTo(0.5).Within(1e-12));
        Assert.That(line.RSquared, Is.EqualTo(1).Within(1e-12));
    }
}
