using Dino.Model;

namespace Dino.Train.Options;

/// <summary>
/// The hyperparameters that runs of all methods have, under the reference's names, with what each may be and what is strange. They are in
/// parts, so that a method's own can stand among them in a help.
/// </summary>
public static class RunHyperparameters
{
    private const int MostChannels = 1024;

    private static readonly Limits decay = new(0) { StrangeOver = 1, Usual = "the paper's are 0.04 to 0.4" };

    /// <summary>The backbone, and the sizes of a Vision Transformer.</summary>
    public static IReadOnlyList<Hyperparameter> Network { get; } =
    [
        new Hyperparameter<TrainOptions, string>(
            "Backbone", $"{string.Join(", ", BackboneConfig.ArchNames.SkipLast(1))} or {BackboneConfig.ArchNames[^1]}.",
            o => o.Backbone.ArchName() ?? "its own", (o, v) => o with { Backbone = BackboneConfig.Named(v, o.Backbone) })
        {
            Choices = BackboneConfig.ArchNames,
        },
        OfBackbone("Patch", "Pixels along the side of a patch.", b => b.Patch, (b, v) => b with { Patch = v }, Limits.Count),
        Of(
            "Backbone.Channels", "Channels: 3, 1 for grey, 4 for RGB and opacity or a fourth band, or the number of bands of TIFFs.",
            o => o.Backbone.InputChannels, (o, v) => o with { Backbone = o.Backbone with { InputChannels = v } }, new(1, MostChannels)),
        OfBackbone("Dim", "Width of a token, instead of the architecture's.", b => b.Dim, (b, v) => b with { Dim = v }, Limits.Count),
        OfBackbone("Depth", "Blocks, instead of the architecture's.", b => b.Depth, (b, v) => b with { Depth = v }, Limits.Count),
        OfBackbone("Heads", "Attention heads, instead of the architecture's.", b => b.Heads, (b, v) => b with { Heads = v }, Limits.Count),
        OfBackbone(
            "DropPathRate", "Stochastic depth, the drop-path rate of the last block.", b => b.DropPathRate,
            (b, v) => b with { DropPathRate = v }, new(0, 1) { IsBelow = true, StrangeOver = 0.5, Usual = "the paper's is 0.1" }),
    ];

    /// <summary>The update rule, its rates and what limits them.</summary>
    public static IReadOnlyList<Hyperparameter> Rates { get; } =
    [
        Of("Optimizer", "adamw, sgd or lars.", o => o.Optimizer, (o, v) => o with { Optimizer = v }),
        Of(
            "Lr", "Peak learning rate for 256 pictures a step; scaled by the pictures a step.", o => o.Lr, (o, v) => o with { Lr = v },
            new(0) { IsAbove = true, StrangeOver = 1, Usual = "the paper's is 0.0005" }),
        Of(
            "MinLr", "Learning rate at the end.", o => o.MinLr, (o, v) => o with { MinLr = v },
            new(0) { StrangeOver = 1, Usual = "the paper's is 0.000001" }),
        Of(
            "WarmupEpochs", "Epochs of linear warm-up of the learning rate.", o => o.WarmupEpochs, (o, v) => o with { WarmupEpochs = v },
            Limits.NotNegative),
        Of("WeightDecay", "Weight decay at the start.", o => o.WeightDecay, (o, v) => o with { WeightDecay = v }, decay),
        Of("WeightDecayEnd", "Weight decay at the end.", o => o.WeightDecayEnd, (o, v) => o with { WeightDecayEnd = v }, decay),
        Of(
            "ClipGrad", "Largest gradient norm of each parameter; 0 does not clip.", o => o.ClipGrad, (o, v) => o with { ClipGrad = v },
            Limits.NotNegative),
    ];

    /// <summary>How the pictures are shared out among steps and epochs.</summary>
    public static IReadOnlyList<Hyperparameter> Batches { get; } =
    [
        Of("BatchSize", "Pictures a batch.", o => o.BatchSize, (o, v) => o with { BatchSize = v }, Limits.Count),
        Of("Accumulate", "Batches whose gradients make one step.", o => o.Accumulate, (o, v) => o with { Accumulate = v }, Limits.Count),
        Of(
            "Recompute", "Compute blocks again in the backward pass: less memory, more time, the same numbers.", o => o.Recompute,
            (o, v) => o with { Recompute = v }),
        Of("Epochs", "Passes over the pictures.", o => o.Epochs, (o, v) => o with { Epochs = v }, Limits.Count),
    ];

    /// <summary>The seed.</summary>
    public static Hyperparameter Seed { get; } =
        Of("Seed", "Decides first weights, order, crops and dropped branches.", o => o.Seed, (o, v) => o with { Seed = v });

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Hyperparameter> All { get; } = [.. Network, .. Rates, .. Batches, Seed];

    private static Hyperparameter<TrainOptions, T> Of<T>(
        string property, string description, Func<TrainOptions, T> get, Func<TrainOptions, T, TrainOptions> set, Limits? limits = null) =>
        new(property, description, get, set) { Limits = limits };

    private static Hyperparameter<TrainOptions, T> OfBackbone<T>(
        string property, string description, Func<ViTConfig, T> get, Func<ViTConfig, T, ViTConfig> set, Limits? limits = null) =>
        new("Backbone." + property, description, o => get(o.ViT), (o, v) => o with { Backbone = set(o.ViT, v) })
        {
            Limits = limits,
            Applies = o => o.Backbone is ViTConfig,
        };
}
