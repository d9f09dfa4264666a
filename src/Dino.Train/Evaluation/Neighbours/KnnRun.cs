using Dino.Model;
using Dino.Pictures.DataSets;
using Dino.Pictures.Loading;
using Dino.Tensors;
using Dino.Train.Evaluation.Features;

namespace Dino.Train.Evaluation.Neighbours;

/// <summary>k-NN evaluation of backbones on two labelled folders, as often as wanted: after training, or every few epochs of it.</summary>
public sealed class KnnRun
{
    private readonly LabelledPair folders;
    private readonly int cropSize;
    private readonly Device device;
    private readonly PrefetchOptions prefetch;

    /// <summary>Prepares the evaluation. Pictures of the same class lie in folders of the same name.</summary>
    /// <param name="train">Pictures to take neighbours from.</param>
    /// <param name="val">Pictures to classify.</param>
    /// <param name="cropSize">S, the size of the pictures that the network sees.</param>
    /// <param name="device">Where the backbones have their parameters.</param>
    /// <param name="prefetch">How the pictures are loaded.</param>
    /// <exception cref="EvaluationException">A picture lies in no class folder, or a class of val is none of train.</exception>
    public KnnRun(ImageFolder train, ImageFolder val, int cropSize, Device device, PrefetchOptions? prefetch = null)
    {
        folders = new LabelledPair(train, val, "k-NN");
        (this.cropSize, this.device) = (cropSize, device);
        this.prefetch = prefetch ?? new PrefetchOptions();
    }

    /// <summary>How stored values become inputs: 8 bits and ImageNet's mean and deviation unless said otherwise.</summary>
    public Preprocessing Preprocessing { get; init; } = new();

    /// <summary>Pictures that go through the network at a time.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>How the neighbours vote.</summary>
    public KnnOptions Options { get; init; } = new();

    /// <summary>Takes in the files that cannot be read.</summary>
    public SkippedFiles Skipped { get; init; } = new();

    /// <summary>Is told after each batch how many pictures it had; there are <see cref="Pictures"/> in all.</summary>
    public Action<int>? OnBatch { get; init; }

    /// <summary>Pictures of both folders, unreadable ones included.</summary>
    public int Pictures => folders.Train.Count + folders.Val.Count;

    /// <summary>Accuracies of a network, which stays as it is.</summary>
    /// <exception cref="EvaluationException">A folder has no readable picture, or the network's features are not finite.</exception>
    public KnnResult Evaluate(Backbone backbone, CancellationToken cancel = default)
    {
        var (bank, queries) = Features(backbone, cancel);
        return Evaluate(bank, queries, cancel);
    }

    /// <summary>The features of both folders, the first folder's to take neighbours from.</summary>
    /// <exception cref="EvaluationException">A folder has no readable picture, or the network's features are not finite.</exception>
    public (FeatureSet Bank, FeatureSet Queries) Features(Backbone backbone, CancellationToken cancel = default)
    {
        var options = FeatureExtractor.Protocol(cropSize, BatchSize, prefetch, Preprocessing);
        try
        {
            return (FeatureExtractor.Extract(backbone, device, folders.Train, options, Skipped, null, OnBatch, cancel),
                FeatureExtractor.Extract(backbone, device, folders.Val, options, Skipped, folders.ValClasses, OnBatch, cancel));
        }
        catch (Exception e) when (e is ImageFolderException or ArgumentException)
        {
            throw new EvaluationException($"k-NN: {e.Message}", e);
        }
    }

    /// <summary>Accuracies of features.</summary>
    /// <exception cref="EvaluationException">They do not fit together.</exception>
    public KnnResult Evaluate(FeatureSet bank, FeatureSet queries, CancellationToken cancel = default)
    {
        try
        {
            return KnnClassifier.Evaluate(device, bank, queries, Options, cancel);
        }
        catch (ArgumentException e)
        {
            throw new EvaluationException($"k-NN: {e.Message}", e);
        }
    }
}
