using Dino.Model;
using Dino.Pictures.DataSets;
using Dino.Pictures.Loading;
using Dino.Tensors;

namespace Dino.Train.Evaluation.Features;

/// <summary>Features of the pictures of folders by a trained backbone, not normalised.</summary>
public static class FeatureExtractor
{
    /// <summary>
    /// The reference's evaluation pictures for a network of crops of S pixels: shorter side to S · 256 / 224, central square of S.
    /// </summary>
    /// <param name="cropSize">S.</param>
    /// <param name="batchSize">Pictures at a time.</param>
    /// <param name="prefetch">How they are loaded.</param>
    /// <param name="preprocessing">How stored values become inputs; null for 8 bits and ImageNet's mean and deviation.</param>
    public static EvalLoaderOptions Protocol(
        int cropSize, int batchSize = 64, PrefetchOptions? prefetch = null, Preprocessing? preprocessing = null) => new()
        {
            Preprocessing = preprocessing ?? new Preprocessing(),
            ResizeSize = EvalPicture.ResizeSize(cropSize),
            CropSize = cropSize,
            BatchSize = batchSize,
            Prefetch = prefetch ?? new PrefetchOptions(),
        };

    /// <summary>Features (count, D) of every readable picture of a labelled folder, in its order.</summary>
    /// <param name="backbone">The network, with its parameters on <paramref name="device"/>.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="folder">The pictures.</param>
    /// <param name="options">How they are prepared; see <see cref="Protocol"/>.</param>
    /// <param name="skipped">Takes in the files that cannot be read.</param>
    /// <param name="classes">The label of each class of the folder; null for the folder's own numbers.</param>
    /// <param name="onBatch">Is told after each batch how many pictures it had.</param>
    /// <param name="cancel">Stops between two batches.</param>
    /// <exception cref="ArgumentException">A picture lies in no class folder, or a feature is not finite.</exception>
    /// <exception cref="ImageFolderException">No file is readable.</exception>
    public static FeatureSet Extract(
        Backbone backbone, Device device, ImageFolder folder, EvalLoaderOptions options, SkippedFiles? skipped = null,
        int[]? classes = null, Action<int>? onBatch = null, CancellationToken cancel = default)
    {
        if (!folder.IsLabelled)
            throw new ArgumentException($"'{folder.Root}' holds pictures outside class folders.", nameof(folder));
        int dim = backbone.Width, count = 0;
        if ((long)folder.Count * dim > Array.MaxLength)
            throw new ArgumentException(
                $"Features of {folder.Count} pictures of width {dim} are more than the {Array.MaxLength} numbers that fit.",
                nameof(folder));
        float[] values = new float[folder.Count * dim];
        int[] labels = new int[folder.Count];
        Stream(backbone, device, FeatureKind.OutputOf(backbone), folder, options, skipped, (batch, rows) =>
        {
            rows.CopyTo(values.AsSpan(count * dim));
            for (int i = 0; i < batch.Count; i++)
                labels[count + i] = classes is null ? batch.Labels[i] : classes[batch.Labels[i]];
            count += batch.Count;
            onBatch?.Invoke(batch.Count);
        }, cancel);
        Array.Resize(ref values, count * dim);
        Array.Resize(ref labels, count);
        return new FeatureSet(values, labels, dim);
    }

    /// <summary>
    /// Hands the features of every readable picture to <paramref name="onBatch"/>, a batch and its rows (B, width) at a time; the rows are
    /// overwritten by the next batch.
    /// </summary>
    /// <exception cref="ArgumentException">A feature is not finite.</exception>
    /// <exception cref="ImageFolderException">No file is readable.</exception>
    /// <exception cref="EvaluationException">There is not the memory for a batch.</exception>
    public static void Stream(
        Backbone backbone, Device device, FeatureKind kind, ImageFolder folder, EvalLoaderOptions options, SkippedFiles? skipped,
        FeatureBatch onBatch, CancellationToken cancel = default)
    {
        int width = kind.Width(backbone);
        options = options with { Channels = backbone.Channels };
        ForwardMemory.Check(
            backbone, device, Math.Min(options.BatchSize, folder.Count), options.CropSize, options.CropSize,
            "a smaller batch or picture size");
        float[] rows = new float[options.BatchSize * width];
        using var loader = new EvalLoader(folder, options with { Prefetch = options.Prefetch with { Cancel = cancel } }, skipped);
        while (loader.Next() is { } batch)
        {
            using (batch)
            {
                cancel.ThrowIfCancellationRequested();
                var filled = rows.AsSpan(0, batch.Count * width);
                using (device.BeginArena())
                {
                    var pictures = Tensor.From(
                        device, batch.Pictures, new Shape(batch.Count, options.Channels, options.CropSize, options.CropSize));
                    kind.Compute(backbone, pictures).CopyTo(filled);
                }
                int bad = filled.IndexOfAnyExceptInRange(float.MinValue, float.MaxValue);
                if (bad >= 0)
                    throw new ArgumentException(
                        $"The features of {folder.PathOf(batch.Samples[bad / width])} hold {filled[bad]}: the network that made them has "
                            + $"failed.");
                onBatch(batch, filled);
            }
        }
    }
}

/// <summary>Takes in a batch and the features of its pictures, (B, width).</summary>
public delegate void FeatureBatch(EvalBatch batch, ReadOnlySpan<float> rows);
