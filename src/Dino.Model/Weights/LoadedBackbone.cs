using Dino.Pictures.Loading;
using Dino.Tensors;
using Dino.Tensors.Io;
using Dino.Tensors.Nn;

namespace Dino.Model.Weights;

/// <summary>
/// A backbone with the weights of a file of any layout that is known: the one way from a file to a network that looks at pictures.
/// </summary>
public sealed class LoadedBackbone : IDisposable
{
    private LoadedBackbone(Backbone backbone, FlatParameters parameters, StoredNetwork stored, string source, WeightReport report) =>
        (Backbone, Parameters, PictureSize, Preprocessing, Source, Report, Warning) =
            (backbone, parameters, stored.PictureSize, stored.Preprocessing, source, report, stored.Warning);

    /// <summary>The network, without stochastic depth.</summary>
    public Backbone Backbone { get; }

    /// <summary>Its memory; nothing is trainable.</summary>
    public FlatParameters Parameters { get; }

    /// <summary>
    /// The side of the square pictures that it is evaluated on, in pixels: that of its training, or <see cref="ViTConfig.EvaluationSize"/>.
    /// </summary>
    public int PictureSize { get; }

    /// <summary>How the stored values of pictures become its inputs: <see cref="StoredNetwork.Preprocessing"/>.</summary>
    public Preprocessing Preprocessing { get; }

    /// <summary>The file's format and layout, in words.</summary>
    public string Source { get; }

    /// <summary>What was loaded; whole unless partial loading was allowed.</summary>
    public WeightReport Report { get; }

    /// <summary>What was assumed of the file and may be wrong, for a person; null if nothing was.</summary>
    public string? Warning { get; }

    /// <summary>Reads a checkpoint of a training run, an official one, Hugging Face's or timm's.</summary>
    /// <param name="path">The file, or the folder that it is in.</param>
    /// <param name="device">Where the network is to be.</param>
    /// <param name="choice">Which network of the file, and what it may lack.</param>
    /// <exception cref="WeightsException">
    /// The file is missing, damaged, hostile, or holds no such network; the message names every difference.
    /// </exception>
    public static LoadedBackbone Open(string path, Device device, BackboneChoice? choice = null)
    {
        using var file = CheckpointPath.Open(path);
        return WeightsException.Explain(path, () =>
        {
            var weights = ModelWeights.Find(file, choice?.Key);
            return Open(file, weights, StoredNetwork.Of(file, weights, choice?.Heads), device, choice);
        });
    }

    /// <summary>Reads a network that was found in an open file.</summary>
    /// <param name="file">The file, which is not needed afterwards.</param>
    /// <param name="weights">The network in it.</param>
    /// <param name="stored">Its sizes.</param>
    /// <param name="device">Where the network is to be.</param>
    /// <param name="choice">What it may lack.</param>
    /// <exception cref="WeightsException">It does not fit; the message names every difference.</exception>
    public static LoadedBackbone Open(WeightsFile file, ModelWeights weights, StoredNetwork stored, Device device,
        BackboneChoice? choice = null)
    {
        bool partial = choice?.AllowPartial ?? false;
        return WeightsException.Explain(file.Path, () =>
        {
            stored.CheckPictureSize(file.Path);
            var backbone = stored.Backbone.Build();
            // Before memory is taken: a file that does not fit may be of any size.
            weights.Compare(backbone).ThrowIfNot(partial);
            var parameters = new FlatParameters(backbone, device, trainable: false);
            try
            {
                if (partial)
                    parameters.Initialize(seed: 0);
                var report = weights.Load(backbone, partial);
                return new LoadedBackbone(backbone, parameters, stored, $"{file.Format}, {weights.Layout}", report);
            }
            catch
            {
                parameters.Dispose();
                throw;
            }
        });
    }

    /// <inheritdoc/>
    public void Dispose() => Parameters.Dispose();
}
