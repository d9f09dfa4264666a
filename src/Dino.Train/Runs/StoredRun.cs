using Dino.Model.Weights;
using Dino.Tensors.Io;
using Dino.Train.Methods.Dino;

namespace Dino.Train.Runs;

/// <summary>
/// The network in a weights file and, of a checkpoint of a run, what it says of its run: all of that is checked before the network is used.
/// </summary>
/// <param name="Network">The network's sizes.</param>
/// <param name="Own">What a checkpoint says of its run; null for other files.</param>
internal sealed record StoredRun(StoredNetwork Network, CheckpointInfo? Own)
{
    /// <summary>What an open file holds.</summary>
    /// <param name="file">The file.</param>
    /// <param name="weights">The network in it.</param>
    /// <param name="heads">Attention heads, where the file does not tell them.</param>
    /// <exception cref="RunException">The file says something impossible of its run.</exception>
    /// <exception cref="WeightsException">It says of its network what its tensors are not, or they are of no such network.</exception>
    /// <exception cref="ArgumentException">A hyperparameter makes no sense.</exception>
    public static StoredRun Of(WeightsFile file, ModelWeights weights, int? heads)
    {
        var own = Checkpoint.TryInfo(file.Path, file);
        var network = StoredNetwork.Of(file, weights, heads);
        // What is left has no tensor to be compared with, and bounds of its own.
        if (own is not null && own.IsOf(new DinoOptions()))
            own.OptionsAs<DinoOptions>().Validate();
        return new StoredRun(network, own);
    }
}
