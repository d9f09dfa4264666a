using Dino.Testing;
using Dino.Train.Evaluation.Features;
using Dino.Train.Evaluation.Neighbours;
using NUnit.Framework;

namespace Dino.Train.Tests.Evaluation;

public class KnnClassifierTests
{
    private const int Dim = 8;

    /// <summary>Similarities, order and votes of everything with everything, in double precision.</summary>
    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void Scores_AreThoseOfAFullSort(string device)
    {
        var (train, queries) = (Random(150, 6, seed: 1), Random(23, 6, seed: 2));
        double[] actual = KnnClassifier.Scores(Devices.Open(device), train, queries, 20, 6);
        new Tolerance(0, 1e-4).Check<double>(actual, FullSort(train, queries, 20, 6), "scores");
    }

    /// <summary>Memory for a few rows: many pieces of the bank and of the queries, whose best are merged.</summary>
    [TestCase(1, TestName = "Pieces_OfOneRow")]
    [TestCase(2000)]
    [TestCase(10000)]
    public void Pieces_GiveWhatTheWholeGives(int bytes)
    {
        var (train, queries) = (Random(150, 6, seed: 1), Random(23, 6, seed: 2));
        double[] actual = KnnClassifier.Scores(Devices.Open("cpu"), train, queries, 20, 6, new KnnOptions { MemoryBytes = bytes });
        new Tolerance(0, 1e-4).Check<double>(actual, FullSort(train, queries, 20, 6), "scores");
    }

    /// <summary>Every row is there four times, so that only the order of equals decides which are taken.</summary>
    [TestCase(0)]
    [TestCase(300)]
    public void EquallyNearRows_AreTakenInTheirOrder(int bytes)
    {
        float[] rows = [.. Enumerable.Range(0, 12).SelectMany(i => i % 3 == 0 ? new float[] { 1, 0 } : i % 3 == 1 ? [0, 1] : [-1, 0])];
        var bank = new FeatureSet(rows, new int[12], 2);
        var found = NearestNeighbours.Find(Devices.Open("cpu"), bank, new FeatureSet([2, 0, 0, 3], [0, 0], 2), 6, bytes);
        Assert.That(found.Indices, Is.EqualTo(new[] { 0, 3, 6, 9, 1, 4, 1, 4, 7, 10, 0, 2 }));
        Assert.That(found.Similarities, Is.EqualTo(new float[] { 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0 }));
    }

    [Test]
    public void NumbersOfNeighbours_BeyondTheTrainSet_AreLeftOutWithANote()
    {
        var (train, queries) = (Random(15, 3, seed: 1), Random(4, 3, seed: 2));
        var result = KnnClassifier.Evaluate(Devices.Open("cpu"), train, queries);
        Assert.That(result.Accuracies.Select(a => a.K), Is.EqualTo(new[] { 10 }));
        Assert.That(result.SkippedKs, Is.EqualTo(new[] { 20, 100, 200 }));
        Assert.That(result.Note, Does.Contain("20, 100, 200").And.Contain("15"));
        Assert.That(result.Top1(20), Is.Null);
        Assert.That((result.TrainCount, result.QueryCount, result.Classes), Is.EqualTo((15, 4, 3)));
    }

    [Test]
    public void Accuracies_CountWhatIsRight()
    {
        // Class c points along axis c. The last of the four queries points along axis 3, but its label is 7.
        float[] axes = [.. Enumerable.Range(0, 8).SelectMany(row => Enumerable.Range(0, Dim).Select(c => c == row ? 1f : 0f))];
        var train = new FeatureSet(axes, [0, 1, 2, 3, 4, 5, 6, 7], Dim);
        var queries = new FeatureSet(axes[..(4 * Dim)], [0, 1, 2, 7], Dim);
        var result = KnnClassifier.Evaluate(Devices.Open("cpu"), train, queries, new KnnOptions { Ks = [1, 6, 8] });
        Assert.That(result.Top1(1), Is.EqualTo(75));
        Assert.That(result.Top5(1), Is.EqualTo(75), "one neighbour names one class");
        Assert.That(result.Top5(6), Is.EqualTo(75), "of equal scores the lower label comes first");
        Assert.That(result.Top1(8), Is.EqualTo(75));
    }

    /// <summary>At a temperature whose powers have no double the nearest decides, near or far.</summary>
    [TestCase(1f)]
    [TestCase(-1f)]
    public void TinyTemperature_LeavesTheVoteToTheNearest(float sign)
    {
        var train = new FeatureSet([1, 0, 0.9f, 0.1f, 0.8f, 0.3f], [2, 1, 1], 2);
        var queries = new FeatureSet([sign, sign > 0 ? 0 : -1], [2], 2);
        double[] scores = KnnClassifier.Scores(Devices.Open("cpu"), train, queries, 3, 3, new KnnOptions { Temperature = 1e-5 });
        Assert.That(scores, Is.EqualTo(new double[] { 0, 0, 1 }).Within(1e-6));
    }

    [Test]
    public void SetsThatDoNotFit_AreRefused()
    {
        var device = Devices.Open("cpu");
        var features = Random(5, 2, seed: 1);
        Assert.That(() => KnnClassifier.Evaluate(device, features, new FeatureSet([1, 2], [0], 2)), Throws.ArgumentException);
        Assert.That(() => KnnClassifier.Evaluate(device, features, new FeatureSet([], [], Dim)), Throws.ArgumentException);
        Assert.That(() => KnnClassifier.Evaluate(device, features, features, new KnnOptions { Ks = [0] }), Throws.ArgumentException);
        Assert.That(() => KnnClassifier.Scores(device, features, features, 6, 2), Throws.ArgumentException);
        Assert.That(() => new FeatureSet([1, float.NaN], [0], 2), Throws.ArgumentException.With.Message.Contains("row 0"));
        Assert.That(() => new FeatureSet([1, 2], [-1], 2), Throws.ArgumentException);
        Assert.That(() => new FeatureSet([1, 2, 3], [0], 2), Throws.ArgumentException);
    }

    private static double[] FullSort(FeatureSet train, FeatureSet queries, int k, int classes)
    {
        double[] scores = new double[queries.Count * classes];
        for (int query = 0; query < queries.Count; query++)
        {
            double[] similarities = [.. Enumerable.Range(0, train.Count).Select(row => Cosine(queries.Rows(query, 1), train.Rows(row, 1)))];
            foreach (int row in Enumerable.Range(0, train.Count).OrderByDescending(row => similarities[row]).Take(k))
                scores[query * classes + train.Labels[row]] += Math.Exp(similarities[row] / 0.07);
        }
        return scores;
    }

    private static double Cosine(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double dot = 0, left = 0, right = 0;
        for (int i = 0; i < a.Length; i++)
            (dot, left, right) = (dot + (double)a[i] * b[i], left + (double)a[i] * a[i], right + (double)b[i] * b[i]);
        return dot / Math.Sqrt(left * right);
    }

    private static FeatureSet Random(int count, int classes, int seed)
    {
        var random = new Random(seed);
        float[] values = [.. Enumerable.Range(0, count * Dim).Select(_ => random.NextSingle() - 0.5f)];
        return new FeatureSet(values, [.. Enumerable.Range(0, count).Select(i => i % classes)], Dim);
    }
}
