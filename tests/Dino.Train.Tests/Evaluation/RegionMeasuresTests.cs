using Dino.Train.Evaluation.Segmentation;
using NUnit.Framework;

namespace Dino.Train.Tests.Evaluation;

public class RegionMeasuresTests
{
    private const int Width = 40, Height = 30; // a diagonal of 50: near is within one pixel

    [Test]
    public void APerfectMask_HasJAndFOfOne()
    {
        byte[] square = Box(5, 5, 12, 10);

        Assert.That(RegionMeasures.Jaccard(square, square, 1), Is.EqualTo(1));
        Assert.That(RegionMeasures.BoundaryF(square, square, Width, Height, 1), Is.EqualTo(1));
    }

    [Test]
    public void NothingFoundWhereNothingIs_IsRight_AndElseWrong()
    {
        byte[] empty = new byte[Width * Height], square = Box(5, 5, 12, 10);

        Assert.That((RegionMeasures.Jaccard(empty, empty, 1), RegionMeasures.BoundaryF(empty, empty, Width, Height, 1)),
            Is.EqualTo((1d, 1d)));
        Assert.That((RegionMeasures.Jaccard(empty, square, 1), RegionMeasures.BoundaryF(empty, square, Width, Height, 1)),
            Is.EqualTo((0d, 0d)));
        Assert.That((RegionMeasures.Jaccard(square, empty, 1), RegionMeasures.BoundaryF(square, empty, Width, Height, 1)),
            Is.EqualTo((0d, 0d)));
    }

    [Test]
    public void Jaccard_CountsOneObject()
    {
        byte[] truth = Box(0, 0, 10, 10), found = Box(5, 0, 10, 10);
        found[^1] = 2; // another object

        Assert.That(RegionMeasures.Jaccard(found, truth, 1), Is.EqualTo(50.0 / 150));
        Assert.That(RegionMeasures.Jaccard(found, truth, 2), Is.Zero);
    }

    /// <summary>
    /// The boundary of the box is a ring of 13 × 11 pixels, 44 in all. Two pixels further right, 12 each of its top and bottom rows and the
    /// two ends of its left side are still near.
    /// </summary>
    [TestCase(0, 1)]
    [TestCase(1, 1)]
    [TestCase(2, 26.0 / 44)]
    public void BoundaryF_ForgivesOnePixelHere(int shift, double expected) => Assert.That(
        RegionMeasures.BoundaryF(Box(5 + shift, 5, 12, 10), Box(5, 5, 12, 10), Width, Height, 1), Is.EqualTo(expected).Within(1e-12));

    /// <summary>A mask that touches the border has no boundary there.</summary>
    [Test]
    public void TheBorderOfThePicture_IsNoBoundary()
    {
        byte[] everything = new byte[Width * Height];
        Array.Fill(everything, (byte)1);

        Assert.That(RegionMeasures.BoundaryF(everything, new byte[Width * Height], Width, Height, 1), Is.EqualTo(1),
            "neither has a boundary");
    }

    [Test]
    public void Statistics_AreMeanRecallAndDecayOfQuarters()
    {
        var statistics = MeasureStatistics.Of([1, 1, 0.8, 0.6, 0.6, 0.4, 0.2, 0.2]);

        Assert.That(statistics.Mean, Is.EqualTo(0.6).Within(1e-12));
        Assert.That(statistics.Recall, Is.EqualTo(5.0 / 8));
        // numpy: round(linspace(1, 8, 5) + 1e-10) − 1 = 0, 2, 4, 5, 7
        Assert.That(statistics.Decay, Is.EqualTo((1 + 1 + 0.8) / 3 - (0.4 + 0.2 + 0.2) / 3).Within(1e-12));
    }

    private static byte[] Box(int left, int top, int width, int height)
    {
        byte[] labels = new byte[Width * Height];
        for (int y = top; y < top + height; y++)
            labels.AsSpan(y * Width + left, width).Fill(1);
        return labels;
    }
}
