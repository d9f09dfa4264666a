using Dino.Model;
using Dino.Tensors;
using Dino.Tensors.Nn;

namespace Dino.Train.Weights;

/// <summary>Which network of a weights file, and what the file may lack.</summary>
public sealed record BackboneChoice
{
    /// <summary>The student of a training checkpoint instead of the teacher, which the paper evaluates.</summary>
    public bool Student { get; init; }

    /// <summary>Attention heads, where neither the file nor its width tells them.</summary>
    public int? Heads { get; init; }

    /// <summary>Whether tensors may be missing, unexpected or misshapen; what is missing has the first values of seed 0.</summary>
    public bool AllowPartial { get; init; }
}

/// <summary>A backbone with the weights of a file of any layout that is known: the one way from a file to a network that looks at pictures.</summary>
public sealed class LoadedBackbone : IDisposable
{
    private LoadedBackbone(Backbone backbone, FlatParameters parameters, int pictureSize, string source, WeightReport report, string? warning) =>
        (Backbone, Parameters, PictureSize, Source, Report, Warning) = (backbone, parameters, pictureSize, source, report, warning);

    /// <summary>The network, without stochastic depth.</summary>
    public Backbone Backbone { get; }

    /// <summary>Its memory; nothing is trainable.</summary>
    public FlatParameters Parameters { get; }

    /// <summary>The side of the square pictures that it is evaluated on, in pixels: that of its training, or <see cref="ViTConfig.EvaluationSize"/>.</summary>
    public int PictureSize { get; }

    /// <summary>The file's format and layout, in words.</summary>
    public string Source { get; }

    /// <summary>What was loaded; whole unless partial loading was allowed.</summary>
    public WeightReport Report { get; }

    /// <summary>What was assumed of the file and may be wrong, for a person; null if nothing was.</summary>
    public string? Warning { get; }

    /// <summary>Reads a checkpoint of this program, an official one, Hugging Face's or timm's.</summary>
    /// <exception cref="UserErrorException">The file is missing, damaged, hostile, or holds no such network; the message names every difference.</exception>
    public static LoadedBackbone Open(string path, Device device, BackboneChoice? choice = null)
    {
        choice ??= new BackboneChoice();
        using var file = WeightsFiles.Open(path);
        return WeightsFiles.Explain(path, () =>
        {
            var weights = ModelWeights.Find(file, choice.Student ? ModelWeights.Student : null);
            var stored = StoredNetwork.Of(file.Path, file, weights, choice.Heads);
            var backbone = stored.Backbone.Build();
            // Before memory is taken: a file that does not fit may be of any size.
            weights.Compare(backbone).ThrowIfNot(choice.AllowPartial);
            var parameters = new FlatParameters(backbone, device, trainable: false);
            try
            {
                if (choice.AllowPartial)
                    parameters.Initialize(seed: 0);
                var report = weights.Load(backbone, choice.AllowPartial);
                return new LoadedBackbone(backbone, parameters, stored.PictureSize, $"{file.Format}, {weights.Layout}", report, stored.Warning);
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
