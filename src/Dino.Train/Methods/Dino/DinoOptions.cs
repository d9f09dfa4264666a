using System.Text.Json.Serialization;
using Dino.Model;
using Dino.Pictures.Transforms;
using Dino.Tensors.Optim;
using Dino.Train.Options;

namespace Dino.Train.Methods.Dino;

/// <summary>
/// Every hyperparameter of a run of DINO, under the reference's names and with its defaults (the preset <c>paper</c> is the defaults and
/// what section 3.2 of the paper says differently).
/// </summary>
public sealed record DinoOptions : TrainOptions
{
    /// <inheritdoc/>
    /// <remarks>It is not written: the first checkpoints had no name in them, and their readers know of none.</remarks>
    [JsonIgnore]
    public override string Method => "dino";

    /// <summary>The projection head.</summary>
    [JsonPropertyOrder(0)]
    public DinoHeadConfig Head { get; init; } = new();

    /// <summary>The crops of a picture.</summary>
    [JsonPropertyOrder(0)]
    public MultiCropOptions Crops { get; init; } = new();

    /// <summary>The teacher temperature's start.</summary>
    [JsonPropertyOrder(2)]
    public double WarmupTeacherTemp { get; init; } = 0.04;

    /// <summary>The teacher temperature after its warm-up.</summary>
    [JsonPropertyOrder(2)]
    public double TeacherTemp { get; init; } = 0.04;

    /// <summary>Epochs of that warm-up.</summary>
    [JsonPropertyOrder(2)]
    public int WarmupTeacherTempEpochs { get; init; }

    /// <summary>The student temperature.</summary>
    [JsonPropertyOrder(2)]
    public double StudentTemp { get; init; } = 0.1;

    /// <summary>How slowly the centre follows.</summary>
    [JsonPropertyOrder(2)]
    public double CenterMomentum { get; init; } = 0.9;

    /// <summary>Batches whose teacher logits make the first centre, where no file gives one; 0 starts it at 0.</summary>
    [JsonPropertyOrder(2)]
    public int CenterWarmup { get; init; }

    /// <summary>The teacher's average, rising to 1 along a cosine.</summary>
    [JsonPropertyOrder(2)]
    public double MomentumTeacher { get; init; } = 0.996;

    /// <summary>Epochs during which the last layer keeps its first values.</summary>
    [JsonPropertyOrder(4)]
    public int FreezeLastLayer { get; init; } = 1;

    /// <inheritdoc/>
    [JsonIgnore]
    public override IReadOnlyList<Hyperparameter> Hyperparameters => DinoHyperparameters.All;

    /// <inheritdoc/>
    public override void Validate()
    {
        // The network's own check speaks of its pictures, whose size is that of the crops: what is wrong with those is said first.
        foreach (var one in Hyperparameters)
            one.Check(this);
        ThrowIfTooSmall("Crops.GlobalCropsSize", Crops.GlobalCropsSize);
        if (Crops.LocalCropsNumber > 0)
            ThrowIfTooSmall("Crops.LocalCropsSize", Crops.LocalCropsSize);
        base.Validate();
        CheckCrops();
        ThrowIfLonger(nameof(WarmupTeacherTempEpochs), WarmupTeacherTempEpochs);
        Head.Validate();
    }

    /// <summary>Checks what the crops of a picture are, whatever network sees them.</summary>
    /// <exception cref="HyperparameterException">A number makes no sense.</exception>
    internal void CheckCrops()
    {
        foreach (var one in Hyperparameters.Where(one => one.Property.StartsWith("Crops.", StringComparison.Ordinal)))
            one.Check(this);
        ThrowIfFalling("GlobalCropsScale", "share", Crops.GlobalCropsScale.Low, Crops.GlobalCropsScale.High);
        ThrowIfFalling("LocalCropsScale", "share", Crops.LocalCropsScale.Low, Crops.LocalCropsScale.High);
        ThrowIfFalling("CropRatio", "ratio", Crops.CropRatio.Low, Crops.CropRatio.High);
        foreach (var recipe in (Recipe[])[Crops.Global1, Crops.Global2, Crops.Local])
            ThrowIfFalling("BlurRadius", "radius", recipe.BlurRadiusMin, recipe.BlurRadiusMax);
        Crops.Validate();
    }

    /// <inheritdoc/>
    public override IEnumerable<string> Warnings()
    {
        double highest = Math.Max(TeacherTemp, WarmupTeacherTemp);
        return highest < StudentTemp ? base.Warnings() : base.Warnings().Append(FormattableString.Invariant(
            $"`TeacherTemp` {highest} is not below `StudentTemp` {StudentTemp}; the teacher is usually the sharper of the two"));
    }

    /// <inheritdoc/>
    public override IEnumerable<NamedSchedule> Schedules(int stepsPerEpoch, int ranks = 1) =>
        base.Schedules(stepsPerEpoch, ranks).Append(new("teacher momentum", Momentum(stepsPerEpoch), "G5"));

    /// <summary>The momentum of the teacher's average by step.</summary>
    /// <param name="stepsPerEpoch">Optimizer steps of an epoch.</param>
    public CosineSchedule Momentum(int stepsPerEpoch) => new(MomentumTeacher, 1, Epochs, stepsPerEpoch);

    /// <summary>The teacher's temperature by epoch (paper, section 3.2).</summary>
    public WarmupSchedule TeacherTemperature() => new(WarmupTeacherTemp, TeacherTemp, WarmupTeacherTempEpochs, Epochs);

    /// <inheritdoc/>
    public override IMethod Build(MethodContext context) => new DinoMethod(this, context);

    /// <inheritdoc/>
    public override MemoryEstimate? EstimateMemory() => DinoMemory.Of(this);

    private static void ThrowIfFalling(string property, string what, double low, double high)
    {
        if (low > high)
        {
            throw new HyperparameterException("Crops." + property, FormattableString.Invariant(
                $"`Crops.{property}` takes the smallest {what} first and the largest then, not {low} {high}."));
        }
    }

    private void ThrowIfTooSmall(string property, int size)
    {
        if (Backbone is ViTConfig vit && size < vit.Patch)
        {
            throw new HyperparameterException(
                property,
                $"`{property}` {size} is smaller than a patch of {vit.Patch} pixels: give larger crops, or a smaller `Backbone.Patch`.");
        }
        if (Backbone is not ViTConfig && Backbone.SmallestSize is var smallest && size < smallest)
        {
            throw new HyperparameterException(
                property, $"`{property}` {size} is smaller than the {smallest} pixels that the network needs: give larger crops.");
        }
    }
}
