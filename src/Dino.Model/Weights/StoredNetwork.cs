using System.Reflection;
using Dino.Pictures.Loading;
using Dino.Tensors.Io;

namespace Dino.Model.Weights;

/// <summary>
/// The sizes of the network in a file. What a checkpoint of a training run says of itself is compared with its tensors before anything is
/// made of
/// it: a text may claim any size, a tensor has one.
/// </summary>
public sealed record StoredNetwork
{
    /// <summary>The newest layout of checkpoints that is read.</summary>
    public const int NewestLayout = 3;

    private const int MostPixels = 1 << 15;

    // Settings of a network that are in no shape.
    private static readonly string[] noShape =
    [
        nameof(ViTConfig.ImageSize), nameof(ViTConfig.MlpRatio), nameof(ViTConfig.DropPathRate), nameof(ViTConfig.NormEps),
            nameof(ViTConfig.KeyBias),
        nameof(DinoHeadConfig.NormLastLayer),
    ];

    private readonly Func<DinoHeadConfig?> head;

    private StoredNetwork(BackboneConfig backbone, Func<DinoHeadConfig?> head, int pictureSize) =>
        (Backbone, this.head, PictureSize) = (backbone, head, pictureSize);

    /// <summary>The backbone's sizes, without stochastic depth.</summary>
    public BackboneConfig Backbone { get; }

    /// <summary>The side of the square pictures that it is for, in pixels.</summary>
    public int PictureSize { get; }

    /// <summary>
    /// How the stored values of pictures become its inputs, as a checkpoint of a training run says it; 8 bits and ImageNet's numbers for
    /// all other files.
    /// </summary>
    public Preprocessing Preprocessing { get; private init; } = new();

    /// <summary>Whether the number of attention heads is known and not assumed.</summary>
    public bool HeadsAreKnown { get; private init; } = true;

    /// <summary>What to tell a person of it, or null.</summary>
    public string? Warning { get; private init; }

    /// <summary>
    /// The sizes of DINO's head, asked for where they are needed: a backbone does without a head of another kind. Null if the file has
    /// none.
    /// </summary>
    /// <exception cref="WeightsException">It has one of another kind.</exception>
    public DinoHeadConfig? Head() => head();

    /// <summary>The sizes of a network that was found.</summary>
    /// <param name="file">The file.</param>
    /// <param name="weights">The network in it.</param>
    /// <param name="heads">Attention heads, where the file does not tell them: <see cref="BackboneChoice.Heads"/>.</param>
    /// <exception cref="WeightsException">
    /// The file says of itself what its tensors are not, or something impossible; it has another number of heads than is given; or its
    /// shapes are not
    /// those of such a network.
    /// </exception>
    public static StoredNetwork Of(WeightsFile file, ModelWeights weights, int? heads = null)
    {
        var own = OwnDescription.Of(file);
        if (own is null)
        {
            var found = weights.BackboneConfig(heads);
            var count = weights.Heads(found.Dim, heads);
            return new StoredNetwork(found, weights.HeadConfig, found.EvaluationSize)
            {
                HeadsAreKnown = count.Source != HeadSource.Assumed,
                Warning = count.Warning(file.Path, found.Dim),
            };
        }
        string path = file.Path;
        var preprocessing = own.Preprocessing ?? new Preprocessing();
        if (own.Backbone is not ViTConfig said)
        {
            own.Backbone.Validate();
            Check(path, preprocessing, own.Backbone.InputChannels);
            return new StoredNetwork(own.Backbone, () => own.Head, own.PictureSize ?? 0) { Preprocessing = preprocessing };
        }
        if (heads is { } given && given != said.Heads)
            throw HeadCount.Contradicted(path, given, said.Heads);
        if (said.Heads < 1)
            throw Contradiction(path, $"{said.Heads} attention heads");
        var actual = weights.BackboneConfig(said.Heads);
        Compare(path, said, actual);
        if (said.Patch < 1 || said.ImageSize < 1 || said.Side != actual.Side)
            throw Contradiction(path, $"pictures of {said.ImageSize} pixels, its position embedding {actual.Side} patches of "
                + $"{actual.Patch} a side");
        if (!float.IsFinite(said.MlpRatio) || said.Hidden != actual.Hidden)
            throw Contradiction(path, $"an MLP of {said.MlpRatio} times the width, its tensors one of {actual.Hidden}");
        if (said.NormEps is not (> 0 and < 0.1f))
            throw Contradiction(path, $"a norm's ε of {said.NormEps}");
        Func<DinoHeadConfig?> head = weights.HeadConfig;
        if (own.Head is { } ownHead)
        {
            var actualHead = weights.HeadConfig();
            if (actualHead is not null)
                Compare(path, ownHead with { HiddenDim = actualHead.Layers == 1 ? actualHead.HiddenDim : ownHead.HiddenDim }, actualHead);
            head = () => actualHead is null ? null : ownHead;
        }
        Check(path, preprocessing, said.Channels);
        return new StoredNetwork(said with { DropPathRate = 0 }, head, own.PictureSize ?? said.EvaluationSize)
        {
            Preprocessing = preprocessing,
        };
    }

    /// <summary>Refuses numbers that no tensor tells. Without any, only pictures of usual channels can be looked at.</summary>
    private static void Check(string path, Preprocessing preprocessing, int channels)
    {
        if (preprocessing is { Range: null, Mean: null, Std: null })
            return;
        try
        {
            _ = preprocessing.NormalizeFor(channels);
        }
        catch (ArgumentException e)
        {
            throw Contradiction(path, $"a preprocessing that cannot be ({e.Message.TrimEnd('.')})");
        }
    }

    /// <summary>Refuses a picture size that cannot be, which no tensor tells.</summary>
    internal void CheckPictureSize(string path)
    {
        if (PictureSize is < 1 or > MostPixels)
            throw Contradiction(path, $"pictures of {PictureSize} pixels");
    }

    private static void Compare(string path, object said, object actual)
    {
        foreach (var property in said.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.CanWrite && !noShape.Contains(property.Name)))
            if (!Equals(property.GetValue(said), property.GetValue(actual)))
                throw Contradiction(path, FormattableString.Invariant(
                    $"{property.Name} {property.GetValue(said)}, its tensors {property.GetValue(actual)}"));
    }

    private static WeightsException Contradiction(string path, string what) => new(
        WeightsFault.Contradiction,
        $"{path} contradicts itself: its description says {what}. It was damaged or altered; take another checkpoint.");
}
