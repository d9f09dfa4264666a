using Dino.Model;
using Dino.Pictures.DataSets;
using Dino.Pictures.Loading;
using Dino.Tensors;
using Dino.Tensors.Nn;
using Dino.Tensors.Random;
using Dino.Train.Evaluation.Features;
using Dino.Train.Log;

namespace Dino.Train.Evaluation.LinearProbe;

/// <summary>Which pictures the linear classifiers learn from, and so how often features have to be computed.</summary>
public enum LinearCrops
{
    /// <summary>New random crops in every epoch, as in the paper: every picture goes through the network once an epoch.</summary>
    Fresh,

    /// <summary>Some random crops of each picture, extracted once; the epochs use them in turn.</summary>
    Kept,

    /// <summary>The central squares of validation, extracted once.</summary>
    Centre,
}

/// <summary>The linear evaluation of a frozen backbone on two labelled folders (paper, section 4.1 and appendix F.2).</summary>
public sealed class LinearRun : IDisposable
{
    private readonly LabelledPair folders;
    private readonly Backbone backbone;
    private readonly Device device;
    private readonly FeatureKind kind;
    private readonly int cropSize;
    private readonly LinearOptions options;
    private readonly LinearSweep sweep;

    /// <summary>Prepares the evaluation.</summary>
    /// <param name="folders">Pictures to learn from and to classify.</param>
    /// <param name="backbone">The network, which stays as it is, with its parameters on <paramref name="device"/>.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="kind">The features; see <see cref="FeatureKind.LinearProbe"/>.</param>
    /// <param name="cropSize">Pixels along the side of the pictures that the network sees.</param>
    /// <param name="options">The sweep.</param>
    /// <exception cref="ArgumentException">An option that cannot be.</exception>
    public LinearRun(
        LabelledPair folders, Backbone backbone, Device device, FeatureKind kind, int cropSize, LinearOptions options)
    {
        (this.folders, this.backbone, this.device, this.kind, this.cropSize, this.options) =
            (folders, backbone, device, kind, cropSize, options);
        sweep = new LinearSweep(device, kind.Width(backbone), folders.Train.ClassNames.Count, options);
    }

    /// <summary>What the classifiers learn from.</summary>
    public LinearCrops Crops { get; init; }

    /// <summary>For <see cref="LinearCrops.Kept"/>: the crops of each picture.</summary>
    public int Views { get; init; } = 10;

    /// <summary>Epochs between two evaluations; the last epoch is always evaluated.</summary>
    public int ValFreq { get; init; } = 1;

    /// <summary>How stored values become inputs: 8 bits and ImageNet's mean and deviation unless said otherwise.</summary>
    public Preprocessing Preprocessing { get; init; } = new();

    /// <summary>How the pictures are loaded.</summary>
    public PrefetchOptions Prefetch { get; init; } = new();

    /// <summary>Takes in the files that cannot be read.</summary>
    public SkippedFiles Skipped { get; init; } = new();

    /// <summary>Is given the stored features: "train" or "val", and the rows.</summary>
    internal Action<string, FeatureStore>? OnFeatures { get; init; }

    /// <summary>Trains and evaluates all classifiers.</summary>
    /// <exception cref="EvaluationException">A folder has no readable picture, or the network's features are not finite.</exception>
    public LinearResult Run(ProgressDisplay progress, CancellationToken cancel = default)
    {
        try
        {
            using var val = Validation(progress, cancel);
            OnFeatures?.Invoke("val", val);
            if (Crops == LinearCrops.Fresh)
                return Train(progress, folders.Train.Count, (epoch, onBatch) => Fresh(epoch, onBatch, cancel), val);
            int views = Crops == LinearCrops.Kept ? Views : 1;
            using var train = new FeatureStore(sweep.Dim);
            progress.Run("train features", (long)folders.Train.Count * views, tracker =>
            {
                for (int view = 0; view < views; view++)
                    Extract(folders.Train, Options(Crops == LinearCrops.Kept ? EvalView.RandomCrop : EvalView.CentralSquare, view), null,
                        train, tracker, cancel);
            });
            OnFeatures?.Invoke("train", train);
            return Train(progress, train.Count / views, (epoch, onBatch) => Stored(train, views, epoch, onBatch, cancel), val);
        }
        catch (Exception e) when (e is ImageFolderException or ArgumentException)
        {
            throw new EvaluationException(e.Message, e);
        }
    }

    /// <summary>Evaluates a classifier that was trained before; the sweep must be of one.</summary>
    /// <exception cref="EvaluationException">
    /// It is of other features or classes, no picture is readable, or features are not finite.
    /// </exception>
    public LinearResult Evaluate(IEnumerable<HostTensor> classifier, ProgressDisplay progress, CancellationToken cancel = default)
    {
        try
        {
            sweep.Load(classifier);
            using var val = Validation(progress, cancel);
            var accuracy = sweep.Evaluate(val)[0];
            return Result([new LinearProbeResult(0, accuracy, accuracy, 0)], 0, val);
        }
        catch (Exception e) when (e is ImageFolderException or ArgumentException or InvalidDataException)
        {
            throw new EvaluationException(e.Message, e);
        }
    }

    /// <summary>The classifier of a learning rate, by its place in the sweep, under the official names.</summary>
    public IReadOnlyList<HostTensor> Classifier(int probe) => sweep.Save(probe);

    /// <summary>Gives the classifiers' memory back.</summary>
    public void Dispose() => sweep.Dispose();

    private FeatureStore Validation(ProgressDisplay progress, CancellationToken cancel)
    {
        var val = new FeatureStore(sweep.Dim);
        try
        {
            progress.Run("val features", folders.Val.Count, tracker =>
                Extract(folders.Val, Options(EvalView.CentralSquare, 0), folders.ValClasses, val, tracker, cancel));
            return val;
        }
        catch
        {
            val.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Trains and evaluates; <paramref name="learn"/> goes through an epoch and tells of every batch how many pictures it had.
    /// </summary>
    private LinearResult Train(ProgressDisplay progress, int pictures, Action<int, Action<int>> learn, FeatureStore val)
    {
        int count = options.LearningRates.Count, learned = 0;
        var best = new LinearAccuracy[count];
        var final = new LinearAccuracy[count];
        int[] bestEpochs = new int[count];
        progress.Run("linear", (long)options.Epochs * pictures, tracker =>
        {
            string detail = "";
            for (int epoch = 0; epoch < options.Epochs; epoch++)
            {
                learned = 0;
                learn(epoch, batch => tracker.Report((long)epoch * pictures + (learned += batch), detail));
                if ((epoch + 1) % ValFreq == 0 || epoch + 1 == options.Epochs)
                {
                    final = sweep.Evaluate(val);
                    for (int i = 0; i < count; i++)
                    {
                        if (bestEpochs[i] == 0 || final[i].Top1 > best[i].Top1)
                            (best[i], bestEpochs[i]) = (final[i], epoch + 1);
                    }
                    detail = FormattableString.Invariant($"top-1 {final.Max(accuracy => accuracy.Top1):F2} % after epoch {epoch + 1}");
                }
            }
        });
        return Result([.. options.LearningRates.Select((lr, i) => new LinearProbeResult(lr, final[i], best[i], bestEpochs[i]))], learned,
            val);
    }

    private LinearResult Result(IReadOnlyList<LinearProbeResult> probes, int learned, FeatureStore val) => new()
    {
        Probes = probes,
        TrainCount = learned,
        ValCount = val.Count,
        Classes = sweep.Classes,
        Dim = sweep.Dim,
    };

    /// <summary>An epoch over new crops.</summary>
    private void Fresh(int epoch, Action<int> onBatch, CancellationToken cancel) => FeatureExtractor.Stream(
        backbone, device, kind, folders.Train, Options(EvalView.RandomCrop, epoch) with { Shuffle = true }, Skipped, (batch, rows) =>
        {
            sweep.Learn(rows, batch.Labels, epoch);
            onBatch(batch.Count);
        }, cancel);

    /// <summary>An epoch over features that were extracted before.</summary>
    private void Stored(FeatureStore train, int views, int epoch, Action<int> onBatch, CancellationToken cancel)
    {
        int count = train.Count / views, first = epoch % views * count;
        int[] order = new PhiloxStream(options.Seed, (uint)epoch, 1, 0x4C49_4E00).Permutation(count);
        float[] rows = new float[options.BatchSize * train.Dim];
        int[] labels = new int[options.BatchSize];
        for (int at = 0; at < count; at += options.BatchSize)
        {
            cancel.ThrowIfCancellationRequested();
            int b = Math.Min(options.BatchSize, count - at);
            for (int i = 0; i < b; i++)
            {
                train.Read(first + order[at + i], rows.AsSpan(i * train.Dim, train.Dim));
                labels[i] = train.Labels[first + order[at + i]];
            }
            sweep.Learn(rows.AsSpan(0, b * train.Dim), labels.AsSpan(0, b), epoch);
            onBatch(b);
        }
    }

    private void Extract(
        ImageFolder folder, EvalLoaderOptions view, int[]? classes, FeatureStore store, ProgressTracker tracker,
        CancellationToken cancel) =>
        FeatureExtractor.Stream(backbone, device, kind, folder, view, Skipped, (batch, rows) =>
        {
            int[] labels = batch.Labels.ToArray();
            if (classes is not null)
                labels = Array.ConvertAll(labels, label => classes[label]);
            store.Append(rows, labels);
            tracker.Report(store.Count);
        }, cancel);

    private EvalLoaderOptions Options(EvalView view, int epoch) => FeatureExtractor.Protocol(
        cropSize, options.BatchSize, Prefetch, Preprocessing) with
    {
        View = view,
        Seed = options.Seed,
        Epoch = epoch,
    };
}
