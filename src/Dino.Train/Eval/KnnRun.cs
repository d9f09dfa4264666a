using Dino.Model;
using Dino.Tensors;
using Dino.Train.Data;

namespace Dino.Train.Eval;

/// <summary>k-NN evaluation of backbones on two labelled folders, as often as wanted: after training, or every few epochs of it.</summary>
public sealed class KnnRun
{
    private readonly ImageFolder train, val;
    private readonly int[] valClasses;
    private readonly int cropSize;
    private readonly Device device;
    private readonly PrefetchOptions prefetch;

    /// <summary>Prepares the evaluation. Pictures of the same class lie in folders of the same name.</summary>
    /// <param name="train">Pictures to take neighbours from.</param>
    /// <param name="val">Pictures to classify.</param>
    /// <param name="cropSize">S, the size of the pictures that the network sees.</param>
    /// <param name="device">Where the backbones have their parameters.</param>
    /// <param name="prefetch">How the pictures are loaded.</param>
    /// <exception cref="UserErrorException">A picture lies in no class folder, or a class of val is none of train.</exception>
    public KnnRun(ImageFolder train, ImageFolder val, int cropSize, Device device, PrefetchOptions? prefetch = null)
    {
        foreach (var folder in (ReadOnlySpan<ImageFolder>)[train, val])
        {
            if (!folder.IsLabelled)
                throw new UserErrorException($"{folder.Root} holds pictures outside class folders; k-NN needs one folder a class.");
        }
        var known = train.ClassNames.Select((name, label) => (name, label)).ToDictionary(entry => entry.name, entry => entry.label);
        if (val.ClassNames.FirstOrDefault(name => !known.ContainsKey(name)) is { } missing)
            throw new UserErrorException(
                $"{val.Root} has a class '{missing}' that {train.Root} has not; k-NN needs class folders of the same names in both.");
        valClasses = [.. val.ClassNames.Select(name => known[name])];
        (this.train, this.val, this.cropSize, this.device) = (train, val, cropSize, device);
        this.prefetch = prefetch ?? new PrefetchOptions();
    }

    /// <summary>Pictures that go through the network at a time.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>How the neighbours vote.</summary>
    public KnnOptions Options { get; init; } = new();

    /// <summary>Takes in the files that cannot be read.</summary>
    public SkippedFiles Skipped { get; init; } = new();

    /// <summary>Is told after each batch how many pictures it had; there are <see cref="Pictures"/> in all.</summary>
    public Action<int>? OnBatch { get; init; }

    /// <summary>Pictures of both folders, unreadable ones included.</summary>
    public int Pictures => train.Count + val.Count;

    /// <summary>Accuracies of a network, which stays as it is.</summary>
    /// <exception cref="UserErrorException">A folder has no readable picture, or the network's features are not finite.</exception>
    public KnnResult Evaluate(VisionTransformer backbone, CancellationToken cancel = default)
    {
        var options = FeatureExtractor.Protocol(cropSize, BatchSize, prefetch);
        try
        {
            var bank = FeatureExtractor.Extract(backbone, device, train, options, Skipped, default, OnBatch, cancel);
            var queries = FeatureExtractor.Extract(backbone, device, val, options, Skipped, valClasses, OnBatch, cancel);
            return KnnClassifier.Evaluate(device, bank, queries, Options, cancel);
        }
        catch (Exception e) when (e is ImageFolderException or ArgumentException)
        {
            throw new UserErrorException($"k-NN: {e.Message}", e);
        }
    }
}
