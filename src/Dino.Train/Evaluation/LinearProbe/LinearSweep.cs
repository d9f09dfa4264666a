using System.Globalization;
using Dino.Tensors;
using Dino.Tensors.Nn;
using Dino.Tensors.Ops;
using Dino.Tensors.Optim;
using Dino.Tensors.Random;
using Dino.Train.Evaluation.Features;

namespace Dino.Train.Evaluation.LinearProbe;

/// <summary>How the linear classifiers are trained (eval_linear.py; paper, appendix F.2).</summary>
public sealed record LinearOptions
{
    /// <summary>Learning rates for a batch of 256, each for a classifier of its own; the paper chooses the best one of a sweep.</summary>
    public IReadOnlyList<double> LearningRates { get; init; } = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3];

    /// <summary>Passes over the pictures.</summary>
    public int Epochs { get; init; } = 100;

    /// <summary>B, features of a step.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Of the first weights, the order and the crops.</summary>
    public ulong Seed { get; init; }

    internal void Validate()
    {
        if (LearningRates.Count == 0 || LearningRates.Any(lr => lr is not (> 0 and < double.PositiveInfinity)))
            throw new ArgumentException($"Learning rates must be above 0, not "
                + $"[{string.Join(", ", LearningRates.Select(rate => rate.ToString(CultureInfo.InvariantCulture)))}].");
        if (Epochs < 1 || BatchSize < 1)
            throw new ArgumentException($"{Epochs} epochs of batches of {BatchSize}: both must be 1 or more.");
    }
}

/// <summary>What a linear classifier reached.</summary>
/// <param name="Top1">Percent of the features whose class has the highest score.</param>
/// <param name="Top5">Percent whose class is among the five highest; null for fewer than five classes.</param>
public readonly record struct LinearAccuracy(double Top1, double? Top5);

/// <summary>
/// One linear classifier for each learning rate of a sweep, all trained on the same features in the same pass: softmax cross-entropy, SGD
/// with
/// momentum 0.9, no weight decay, the rate lr · B / 256 falling to 0 along a cosine, a step an epoch.
/// </summary>
/// <remarks>
/// The classifiers are rows of one matrix. Momentum is linear in the gradients, so each classifier's constant rate may as well
/// multiply its loss; what is left for the optimizer is the cosine, which all share.
/// </remarks>
internal sealed class LinearSweep : IDisposable
{
    private const int RowsAtATime = 1024; // of an evaluation

    private readonly Device device;
    private readonly LinearOptions options;
    private readonly Classifiers classifiers;
    private readonly FlatParameters parameters;
    private readonly Sgd optimizer;
    private readonly Tape tape;
    private readonly float[] targets;

    /// <param name="device">Where to compute.</param>
    /// <param name="dim">The length of a feature.</param>
    /// <param name="classes">C.</param>
    /// <param name="options">The sweep; valid.</param>
    public LinearSweep(Device device, int dim, int classes, LinearOptions options)
    {
        options.Validate();
        (this.device, this.options, Dim, Classes) = (device, options, dim, classes);
        classifiers = new Classifiers(options.LearningRates.Count * classes, dim);
        parameters = new FlatParameters(classifiers, device, trainable: true);
        // All classifiers begin as the same one: N(0, 0.01), biases 0.
        var random = new PhiloxStream(options.Seed, 0, 0, 0x4C49_4E00);
        float[] first = new float[classes * dim];
        foreach (ref float weight in first.AsSpan())
            weight = (float)random.Normal(0, 0.01);
        float[] weights = new float[first.Length * options.LearningRates.Count];
        for (int i = 0; i < options.LearningRates.Count; i++)
            first.CopyTo(weights, i * first.Length);
        classifiers.Linear.Weight.Value.CopyFrom(weights);
        classifiers.Linear.Bias!.Value.Fill(0);
        optimizer = new Sgd(parameters);
        tape = new Tape(device);
        targets = new float[options.BatchSize * options.LearningRates.Count * classes];
    }

    /// <summary>The length of a feature.</summary>
    public int Dim { get; }

    /// <summary>C.</summary>
    public int Classes { get; }

    /// <summary>A step of all classifiers.</summary>
    /// <param name="features">(b, Dim), b up to the batch size.</param>
    /// <param name="labels">Their classes.</param>
    /// <param name="epoch">The epoch, from 0; decides on the rate.</param>
    public void Learn(ReadOnlySpan<float> features, ReadOnlySpan<int> labels, int epoch)
    {
        int b = labels.Length, probes = options.LearningRates.Count;
        // −lr / b at the label of every classifier's row, else 0: times ln softmax, summed, it is Σ lr · mean cross-entropy.
        var weights = targets.AsSpan(0, b * probes * Classes);
        weights.Clear();
        for (int row = 0; row < b; row++)
        {
            for (int probe = 0; probe < probes; probe++)
                weights[(row * probes + probe) * Classes + labels[row]] =
                    (float)(-options.LearningRates[probe] * options.BatchSize / 256 / b);
        }
        using var step = device.BeginArena(reuseTensors: true);
        parameters.ZeroGrad();
        var x = Tensor.From(device, features, new Shape(b, Dim));
        var target = Tensor.From(device, weights, new Shape(b * probes, Classes));
        tape.Record();
        var loss = classifiers.Linear.Forward(x).Reshape(new Shape(b * probes, Classes)).LogSoftmax().Multiply(target).Sum();
        tape.Backward(loss);
        optimizer.Step(0.5 * (1 + Math.Cos(Math.PI * epoch / options.Epochs)));
    }

    /// <summary>How often each classifier is right.</summary>
    public LinearAccuracy[] Evaluate(FeatureStore store)
    {
        int probes = options.LearningRates.Count, columns = probes * Classes;
        int chunk = Math.Clamp(64_000_000 / (sizeof(float) * (columns + Dim)), 1, RowsAtATime);
        float[] rows = new float[chunk * Dim], scores = new float[chunk * columns];
        int[] first = new int[probes], amongFive = new int[probes];
        for (int at = 0; at < store.Count; at += chunk)
        {
            int count = Math.Min(chunk, store.Count - at);
            store.Read(at, count, rows);
            using (device.BeginArena())
            {
                var x = Tensor.From(device, rows.AsSpan(0, count * Dim), new Shape(count, Dim));
                classifiers.Linear.Forward(x).CopyTo(scores.AsSpan(0, count * columns));
            }
            for (int row = 0; row < count; row++)
            {
                for (int probe = 0; probe < probes; probe++)
                {
                    int rank = Rank(scores.AsSpan(row * columns + probe * Classes, Classes), store.Labels[at + row]);
                    first[probe] += rank == 0 ? 1 : 0;
                    amongFive[probe] += rank < 5 ? 1 : 0;
                }
            }
        }
        return [.. first.Select((hits, probe) =>
            new LinearAccuracy(100.0 * hits / store.Count, Classes >= 5 ? 100.0 * amongFive[probe] / store.Count : null))];
    }

    /// <summary>A classifier under the names of the official files: <c>linear.weight</c> (C, Dim), <c>linear.bias</c> (C).</summary>
    public IReadOnlyList<HostTensor> Save(int probe)
    {
        float[] weights = classifiers.Linear.Weight.Value.ToArray(), biases = classifiers.Linear.Bias!.Value.ToArray();
        return
        [
            new("linear.weight", new Shape(Classes, Dim), weights.AsSpan(probe * Classes * Dim, Classes * Dim).ToArray()),
            new("linear.bias", new Shape(Classes), biases.AsSpan(probe * Classes, Classes).ToArray()),
        ];
    }

    /// <summary>Takes over a classifier that was trained before, for the sweep of one.</summary>
    /// <exception cref="InvalidDataException">It is of other features or classes.</exception>
    public void Load(IEnumerable<HostTensor> classifier) => parameters.Load(classifier);

    public void Dispose()
    {
        tape.Dispose();
        optimizer.Dispose();
        parameters.Dispose();
    }

    /// <summary>How many classes have a higher score; a score that is not a number is never the highest.</summary>
    private static int Rank(ReadOnlySpan<float> scores, int label)
    {
        if (!float.IsFinite(scores[label]))
            return scores.Length;
        int rank = 0;
        for (int other = 0; other < scores.Length; other++)
            rank += scores[other] > scores[label] || (scores[other] == scores[label] && other < label) ? 1 : 0;
        return rank;
    }

    private sealed class Classifiers : Module
    {
        public Classifiers(int rows, int dim) => Linear = Register("linear", new Linear(dim, rows));

        public Linear Linear { get; }
    }
}
