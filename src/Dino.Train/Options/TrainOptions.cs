using System.Globalization;
using System.Text.Json.Serialization;
using Dino.Model;
using Dino.Pictures.Loading;
using Dino.Tensors.Nn;
using Dino.Tensors.Optim;
using Dino.Train.Methods;

namespace Dino.Train.Options;

/// <summary>
/// The hyperparameters that every run has, under the reference's names and with its defaults. A method has a record of its own that derives
/// from this one, with what it needs besides, and declares it in <see cref="Hyperparameters"/>.
/// </summary>
/// <remarks>
/// A checkpoint holds the whole record as JSON, and a run that goes on is compared with it property by property: whatever a method adds is
/// kept and compared. The order of the properties is that of the checkpoints of the first versions; those of a method come last unless it
/// says otherwise.
/// </remarks>
public abstract record TrainOptions
{
    /// <summary>The name of the method, which checkpoints keep.</summary>
    [JsonPropertyOrder(-1)]
    public abstract string Method { get; }

    /// <summary>The backbone.</summary>
    [JsonPropertyOrder(-1)]
    public BackboneConfig Backbone { get; init; } = new ViTConfig { DropPathRate = 0.1f };

    /// <summary>Pictures in a batch of one rank; the rate is stated for 256 and scaled by the pictures of a step.</summary>
    [JsonPropertyOrder(1)]
    public int BatchSize { get; init; } = 64;

    /// <summary>Batches whose gradients make one optimizer step.</summary>
    [JsonPropertyOrder(1)]
    public int Accumulate { get; init; } = 1;

    /// <summary>Passes over the pictures.</summary>
    [JsonPropertyOrder(1)]
    public int Epochs { get; init; } = 100;

    /// <summary>The update rule.</summary>
    [JsonPropertyOrder(3)]
    public OptimizerKind Optimizer { get; init; } = OptimizerKind.AdamW;

    /// <summary>The peak learning rate for a batch of 256.</summary>
    [JsonPropertyOrder(3)]
    public double Lr { get; init; } = 0.0005;

    /// <summary>Where the learning rate ends.</summary>
    [JsonPropertyOrder(3)]
    public double MinLr { get; init; } = 1e-6;

    /// <summary>Epochs of linear warm-up of the learning rate.</summary>
    [JsonPropertyOrder(3)]
    public int WarmupEpochs { get; init; } = 10;

    /// <summary>The weight decay's start.</summary>
    [JsonPropertyOrder(3)]
    public double WeightDecay { get; init; } = 0.04;

    /// <summary>Its end, along a cosine.</summary>
    [JsonPropertyOrder(3)]
    public double WeightDecayEnd { get; init; } = 0.4;

    /// <summary>The largest L2 norm of each parameter's gradient; 0 does not clip.</summary>
    [JsonPropertyOrder(3)]
    public double ClipGrad { get; init; } = 3;

    /// <summary>Whether blocks are computed again in the backward pass instead of kept: less memory, more time, the same numbers.</summary>
    [JsonPropertyOrder(5)]
    public bool Recompute { get; init; }

    /// <summary>Decides first weights, order of pictures, crops and dropped branches.</summary>
    [JsonPropertyOrder(5)]
    public ulong Seed { get; init; }

    /// <summary>
    /// How stored values become crops; null for pictures of 8 bits, read exactly, with ImageNet's mean and deviation. Checkpoints keep it,
    /// and evaluation does the same.
    /// </summary>
    [JsonPropertyOrder(6)]
    public Preprocessing? Preprocessing { get; init; }

    /// <summary>Pictures that a rank sees in an optimizer step.</summary>
    [JsonPropertyOrder(5)]
    public int PicturesPerStep => BatchSize * Accumulate;

    /// <summary>The sizes of the backbone where it is a Vision Transformer.</summary>
    /// <exception cref="HyperparameterException">It is another network.</exception>
    [JsonIgnore]
    public ViTConfig ViT => Backbone as ViTConfig ?? throw new HyperparameterException(
        nameof(Backbone), $"`{nameof(Backbone)}` is {Backbone.Describe()} and no Vision Transformer, which is needed here.");

    /// <summary>What a person may set, in the order of a help: the method's own and <see cref="RunHyperparameters"/>.</summary>
    [JsonIgnore]
    public abstract IReadOnlyList<Hyperparameter> Hyperparameters { get; }

    /// <summary>Checks every number, by itself and beside the others. A method adds to it what holds for its own.</summary>
    /// <exception cref="HyperparameterException">One makes no sense; the message names the property and says what it may be.</exception>
    /// <exception cref="ArgumentException">The network cannot be.</exception>
    public virtual void Validate()
    {
        foreach (var one in Hyperparameters)
            one.Check(this);
        if (Backbone is ViTConfig vit && vit.Dim % vit.Heads != 0)
        {
            throw new HyperparameterException(
                $"`Backbone.Dim` {vit.Dim} must be a multiple of `Backbone.Heads` {vit.Heads}: the heads share the width.");
        }
        if ((long)BatchSize * Accumulate > int.MaxValue)
        {
            throw new HyperparameterException(
                $"`BatchSize` {BatchSize} times `Accumulate` {Accumulate} must be at most {int.MaxValue} pictures a step.");
        }
        ThrowIfLonger(nameof(WarmupEpochs), WarmupEpochs);
        Backbone.Validate();
        if (Preprocessing is { } preprocessing and not { Range: null, Mean: null, Std: null })
            _ = preprocessing.NormalizeFor(Backbone.InputChannels);
    }

    /// <summary>
    /// A line about each value that may be and is hardly meant: a comma or a point in the wrong place, a property taken for another.
    /// Properties stand in backticks.
    /// </summary>
    public virtual IEnumerable<string> Warnings()
    {
        var lines = Hyperparameters.Select(one => one.Warning(this)).OfType<string>();
        return MinLr <= Lr
            ? lines
            : lines.Append(FormattableString.Invariant($"`MinLr` {MinLr} is above `Lr` {Lr}; the rate usually falls"));
    }

    /// <summary>The learning rate by step: it grows with the pictures that all ranks together see in one.</summary>
    /// <param name="stepsPerEpoch">Optimizer steps of an epoch.</param>
    /// <param name="ranks">How many share each step.</param>
    public CosineSchedule LearningRate(int stepsPerEpoch, int ranks = 1) =>
        new(Lr * ((long)PicturesPerStep * ranks) / 256, MinLr, Epochs, stepsPerEpoch, WarmupEpochs);

    /// <summary>The weight decay by step.</summary>
    /// <param name="stepsPerEpoch">Optimizer steps of an epoch.</param>
    public CosineSchedule WeightDecays(int stepsPerEpoch) => new(WeightDecay, WeightDecayEnd, Epochs, stepsPerEpoch);

    /// <summary>What changes along a run of these options and is said when it is made longer. A method adds its own.</summary>
    /// <param name="stepsPerEpoch">Optimizer steps of an epoch.</param>
    /// <param name="ranks">How many share each step.</param>
    public virtual IEnumerable<NamedSchedule> Schedules(int stepsPerEpoch, int ranks = 1) =>
    [
        new("learning rate", LearningRate(stepsPerEpoch, ranks), "G3"), new("weight decay", WeightDecays(stepsPerEpoch), "G3"),
    ];

    /// <summary>Makes the method, with first values from the seed.</summary>
    /// <param name="context">Where it computes, and with whom.</param>
    public abstract IMethod Build(MethodContext context);

    /// <summary>Makes the update rule of a network.</summary>
    /// <param name="target">What is trained.</param>
    /// <param name="groups">Parameters to be treated apart from the others.</param>
    public Optimizer BuildOptimizer(FlatParameters target, params IReadOnlyList<ParameterGroup> groups) => Optimizer switch
    {
        OptimizerKind.AdamW => new AdamW(target, groups),
        OptimizerKind.Sgd => new Sgd(target, groups),
        _ => new Lars(target, groups),
    };

    /// <summary>
    /// What a run takes of a device's memory at the height of a step, from its sizes alone; null if the method does not say.
    /// </summary>
    public virtual MemoryEstimate? EstimateMemory() => null;

    /// <summary>Checks that a number of epochs is not above <see cref="Epochs"/>.</summary>
    /// <exception cref="HyperparameterException">It is.</exception>
    protected void ThrowIfLonger(string property, int epochs)
    {
        if (epochs > Epochs)
            throw new HyperparameterException(property, $"`{property}` must be at most `Epochs` ({Epochs}), not {epochs}.");
    }
}

/// <summary>A number that changes along a run.</summary>
/// <param name="Name">In words: <c>learning rate</c>.</param>
/// <param name="Values">By step.</param>
/// <param name="Format">How a value is written (.NET's).</param>
public sealed record NamedSchedule(string Name, CosineSchedule Values, string Format)
{
    /// <summary>The value of a step, written.</summary>
    public string At(long step) => Values.At(step).ToString(Format, CultureInfo.InvariantCulture);
}
