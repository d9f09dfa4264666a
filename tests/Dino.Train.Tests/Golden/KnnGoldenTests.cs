using System.Globalization;
using System.Text.Json;
using Dino.Testing;
using Dino.Train.Evaluation.Features;
using Dino.Train.Evaluation.Neighbours;
using NUnit.Framework;

namespace Dino.Train.Tests.Golden;

/// <summary>The weighted k-NN classifier against the reference's scores, predictions and accuracies.</summary>
[Category("Golden")]
public class KnnGoldenTests
{
    private static readonly GoldenSet Set = GoldenSet.Open("knn");
    private static readonly int Classes = Set.Config.GetProperty("classes").GetInt32();

    private static IEnumerable<int> Ks => Set.Config.GetProperty("ks").EnumerateArray().Select(k => k.GetInt32());

    [TestCaseSource(nameof(Ks))]
    public void Scores_And_predictions(int k)
    {
        double[] scores = KnnClassifier.Scores(Devices.Open("cpu"), Features("train"), Features("test"), k, Classes, Options());
        Set.Check<double>(Invariant($"scores.k{k}"), scores);
        long[] predicted = [.. scores.Chunk(Classes)
            .Select(row => (long)Enumerable.Range(0, Classes).Single(c => KnnClassifier.Rank(row, c) == 0))];
        Set.Check<long>(Invariant($"predicted.k{k}"), predicted);
    }

    [Test]
    public void Accuracies()
    {
        var result = KnnClassifier.Evaluate(Devices.Open("cpu"), Features("train"), Features("test"), Options());
        Assert.That(result.SkippedKs, Is.Empty);
        Assert.That(result.Accuracies.Select(accuracy => accuracy.K), Is.EqualTo(Ks.Order()));
        foreach (int k in Ks)
        {
            var expected = Set.Config.GetProperty("accuracy").GetProperty(Invariant($"k{k}"));
            Assert.That(result.Top1(k), Is.EqualTo(Number(expected, "top1")).Within(1e-9), $"top-1, k = {k}");
            Assert.That(result.Top5(k), Is.EqualTo(Number(expected, "top5")).Within(1e-9), $"top-5, k = {k}");
        }
    }

    [Test]
    public void Every_expected_tensor_is_covered()
    {
        var known = Ks.SelectMany(k => new[] { Invariant($"scores.k{k}"), Invariant($"predicted.k{k}") });
        Assert.That(Set.Tensors.Values.Where(tensor => !tensor.IsGiven).Select(tensor => tensor.Name), Is.EquivalentTo(known));
    }

    private static KnnOptions Options() => new() { Ks = [.. Ks], Temperature = Number(Set.Config, "temperature") };

    private static FeatureSet Features(string name) =>
        new(Set.Floats(name), Array.ConvertAll(Set.Longs(name + "_labels"), label => (int)label), Set[name].Shape[1]);

    private static double Number(JsonElement json, string key) => json.GetProperty(key).GetDouble();

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
