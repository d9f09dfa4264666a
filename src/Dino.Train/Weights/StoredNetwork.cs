using System.Reflection;
using Dino.Model;
using Dino.Tensors.Io;
using Dino.Train.Methods.Dino;
using Dino.Train.Runs;

namespace Dino.Train.Weights;

/// <summary>
/// The sizes of the network in a file. What a checkpoint of this program says of itself is compared with its tensors before anything is made of
/// it: a text may claim any size, a tensor has one.
/// </summary>
/// <param name="Backbone">The backbone's, without stochastic depth.</param>
/// <param name="Head">The head's, asked for where it is needed: a backbone does without one of another kind. Null if the file has none.</param>
/// <param name="PictureSize">The side of the square pictures that it is for, in pixels.</param>
/// <param name="Own">What a checkpoint of this program says of its run; null for others.</param>
/// <param name="HeadsAreKnown">Whether the number of attention heads is known and not assumed.</param>
/// <param name="Warning">What to tell a person of it, or null.</param>
internal sealed record StoredNetwork(ViTConfig Backbone, Func<DinoHeadConfig?> Head, int PictureSize, CheckpointInfo? Own, bool HeadsAreKnown, string? Warning)
{
    // Settings of a network that are in no shape.
    private static readonly string[] noShape =
    [
        nameof(ViTConfig.ImageSize), nameof(ViTConfig.MlpRatio), nameof(ViTConfig.DropPathRate), nameof(ViTConfig.NormEps), nameof(ViTConfig.KeyBias),
        nameof(DinoHeadConfig.NormLastLayer),
    ];

    /// <summary>The sizes of a network that was found.</summary>
    /// <param name="path">The file.</param>
    /// <param name="file">The same, open.</param>
    /// <param name="weights">The network in it.</param>
    /// <param name="heads"><c>--num-heads</c>, or null.</param>
    /// <exception cref="UserErrorException">The file says of itself what its tensors are not, or something impossible.</exception>
    /// <exception cref="HeadsContradictedException">It has another number of heads than is given.</exception>
    /// <exception cref="InvalidDataException">The shapes are not those of such a network.</exception>
    public static StoredNetwork Of(string path, WeightsFile file, ModelWeights weights, int? heads)
    {
        var own = Checkpoint.TryInfo(path, file);
        if (own is null)
        {
            var config = weights.BackboneConfig(heads);
            var count = weights.Heads(config.Dim, heads);
            return new StoredNetwork(config, weights.HeadConfig, config.EvaluationSize, null, count.Source != HeadSource.Assumed, count.Warning(path, config.Dim));
        }
        var options = own.OptionsAs<DinoOptions>();
        var said = options.Backbone;
        if (heads is { } given && given != said.Heads)
            throw HeadsContradictedException.Of(path, given, said.Heads);
        if (said.Heads < 1)
            throw Contradiction(path, $"{said.Heads} attention heads");
        var actual = weights.BackboneConfig(said.Heads);
        Compare(path, said, actual);
        if (said.Patch < 1 || said.ImageSize < 1 || said.Side != actual.Side)
            throw Contradiction(path, $"pictures of {said.ImageSize} pixels, its position embedding {actual.Side} patches of {actual.Patch} a side");
        if (!float.IsFinite(said.MlpRatio) || said.Hidden != actual.Hidden)
            throw Contradiction(path, $"an MLP of {said.MlpRatio} times the width, its tensors one of {actual.Hidden}");
        if (said.NormEps is not (> 0 and < 0.1f))
            throw Contradiction(path, $"a norm's ε of {said.NormEps}");
        var head = weights.HeadConfig();
        if (head is not null)
            Compare(path, options.Head with { HiddenDim = head.Layers == 1 ? head.HiddenDim : options.Head.HiddenDim }, head);
        // What is left has no tensor to be compared with, and bounds of its own.
        options.Validate();
        return new StoredNetwork(said with { DropPathRate = 0 }, () => head is null ? null : options.Head, options.Crops.GlobalCropsSize, own, true, null);
    }

    private static void Compare(string path, object said, object actual)
    {
        foreach (var property in said.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.CanWrite && !noShape.Contains(property.Name)))
            if (!Equals(property.GetValue(said), property.GetValue(actual)))
                throw Contradiction(path, $"{property.Name} {property.GetValue(said)}, its tensors {property.GetValue(actual)}");
    }

    private static UserErrorException Contradiction(string path, string what) =>
        new(FormattableString.Invariant($"{path} contradicts itself: its description says {what}. It was damaged or altered; take another checkpoint."));
}
