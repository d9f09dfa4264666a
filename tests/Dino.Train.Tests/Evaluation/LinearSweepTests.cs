using Dino.Tensors.Nn;
using Dino.Testing;
using Dino.Train.Evaluation.Features;
using Dino.Train.Evaluation.LinearProbe;
using NUnit.Framework;

namespace Dino.Train.Tests.Evaluation;

/// <summary>Linear classifiers against softmax regression written out in double precision.</summary>
[TestFixtureSource(typeof(Devices), nameof(Devices.FastFixtures))]
public class LinearSweepTests(string device)
{
    private const int Dim = 6, Classes = 5, Batch = 4;

    [Test]
    public void EveryRateLearns_AsIfAlone()
    {
        var options = new LinearOptions { LearningRates = [0.5, 20, 300], Epochs = 5, BatchSize = Batch, Seed = 3 };
        using var sweep = new LinearSweep(Devices.Open(device), Dim, Classes, options);
        var alone = Enumerable.Range(0, 3).Select(i => new Regression(sweep.Save(i), options.LearningRates[i])).ToArray();
        for (int epoch = 0; epoch < options.Epochs; epoch++)
        {
            foreach (int count in (int[])[Batch, Batch, 2]) // the last batch of an epoch may be smaller
            {
                var (features, labels) = Data(count, epoch * 100 + count);
                sweep.Learn(features, labels, epoch);
                foreach (var regression in alone)
                    regression.Learn(features, labels, 0.5 * (1 + Math.Cos(Math.PI * epoch / 5)) * Batch / 256);
            }
        }
        for (int i = 0; i < 3; i++)
        {
            Tolerance.Balanced.Check<float>(sweep.Save(i)[0].Values, Array.ConvertAll(alone[i].Weights, x => (float)x), $"weights {i}");
            Tolerance.Balanced.Check<float>(sweep.Save(i)[1].Values, Array.ConvertAll(alone[i].Biases, x => (float)x), $"biases {i}");
        }
    }

    [Test]
    public void Accuracy_CountsTheHighestScores_OfEachClassifier()
    {
        var options = new LinearOptions { LearningRates = [1], BatchSize = Batch };
        using var sweep = new LinearSweep(Devices.Open(device), Dim, Classes + 1, options);
        float[] weights = new float[(Classes + 1) * Dim];
        for (int c = 0; c < Dim; c++)
            weights[c * Dim + c] = 1; // the score of class c is feature c
        sweep.Load([new HostTensor("linear.weight", new(Classes + 1, Dim), weights),
            new HostTensor("linear.bias", new(Classes + 1), new float[Classes + 1])]);
        using var store = new FeatureStore(Dim);
        float[] row = [6, 5, 4, 3, 2, 1];
        foreach (int label in (int[])[0, 0, 1, 4, 5])
            store.Append(row, [label]);

        var accuracy = sweep.Evaluate(store).Single();
        Assert.That((accuracy.Top1, accuracy.Top5), Is.EqualTo((40d, (double?)80)));
    }

    [Test]
    public void AClassifierOfOtherFeatures_IsRefused()
    {
        using var sweep = new LinearSweep(Devices.Open(device), Dim, Classes, new LinearOptions { LearningRates = [1] });

        Assert.That(
            () => sweep.Load([new HostTensor("linear.weight", new(Classes, 7), new float[Classes * 7]),
                new HostTensor("linear.bias", new(Classes), new float[Classes])]),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("linear.weight"));
    }

    private static (float[] Features, int[] Labels) Data(int count, int seed)
    {
        var random = new System.Random(seed);
        return ([.. Enumerable.Range(0, count * Dim).Select(_ => random.NextSingle() * 2 - 1)],
            [.. Enumerable.Range(0, count).Select(_ => random.Next(Classes))]);
    }

    private sealed class Regression(IReadOnlyList<HostTensor> start, double rate)
    {
        private readonly double[] weightMomentum = new double[Classes * Dim], biasMomentum = new double[Classes];

        public double[] Weights { get; } = Array.ConvertAll(start[0].Values, x => (double)x);

        public double[] Biases { get; } = Array.ConvertAll(start[1].Values, x => (double)x);

        public void Learn(float[] features, int[] labels, double factor)
        {
            double[] dw = new double[Weights.Length], db = new double[Classes];
            for (int row = 0; row < labels.Length; row++)
            {
                double[] scores = [.. Enumerable.Range(0, Classes)
                    .Select(c => Biases[c] + Enumerable.Range(0, Dim).Sum(d => Weights[c * Dim + d] * features[row * Dim + d]))];
                double total = scores.Sum(Math.Exp);
                for (int c = 0; c < Classes; c++)
                {
                    double slope = (Math.Exp(scores[c]) / total - (labels[row] == c ? 1 : 0)) / labels.Length;
                    db[c] += slope;
                    for (int d = 0; d < Dim; d++)
                        dw[c * Dim + d] += slope * features[row * Dim + d];
                }
            }
            for (int i = 0; i < dw.Length; i++)
                Weights[i] -= factor * rate * (weightMomentum[i] = 0.9 * weightMomentum[i] + dw[i]);
            for (int i = 0; i < db.Length; i++)
                Biases[i] -= factor * rate * (biasMomentum[i] = 0.9 * biasMomentum[i] + db[i]);
        }
    }
}
