using Dino.Model;
using Dino.Pictures.Decoding;
using Dino.Pictures.Transforms;

namespace Dino.Train.Options;

/// <summary>Every hyperparameter, under the reference's name, with what it may be and what is strange: the one table of them.</summary>
public static class Hyperparameters
{
    private static readonly Limits count = new(1), share = new(0, 1), crop = new(1, Math.Floor(Math.Sqrt(RgbImage.MaxPixels)));
    private static readonly Limits temperature = new(0) { IsAbove = true, StrangeOver = 1, Usual = "the paper's are 0.04 to 0.1" };
    private static readonly Limits decay = new(0) { StrangeOver = 1, Usual = "the paper's are 0.04 to 0.4" };
    private static readonly Limits scale = new(0, 1) { IsAbove = true };

    /// <summary>All of them, in the order of the help.</summary>
    public static IReadOnlyList<Hyperparameter> All { get; } =
    [
        new Hyperparameter<string>("--arch", "vit_tiny, vit_small or vit_base.", o => o.Backbone.ArchName() ?? "its own", (o, v) => o with
        {
            Backbone = ViTConfig.Named(v, o.Backbone.Patch, o.Backbone.ImageSize) with { DropPathRate = o.Backbone.DropPathRate, Channels = o.Backbone.Channels },
        })
        {
            Choices = ["vit_tiny", "vit_small", "vit_base"],
        },
        new Hyperparameter<int>("--patch-size", "Pixels along the side of a patch.", o => o.Backbone.Patch, (o, v) => o with { Backbone = o.Backbone with { Patch = v } }) { Limits = count },
        // Which numbers can be is for TrainOptions to say: they are two, and no range.
        new Hyperparameter<int>("--channels", "Colour channels: 3, or 1 to train on grey (the same crops; changes of hue and saturation then leave no trace).", o => o.Backbone.Channels, (o, v) => o with { Backbone = o.Backbone with { Channels = v } }),
        new Hyperparameter<int>("--embed-dim", "Width of a token, instead of the architecture's.", o => o.Backbone.Dim, (o, v) => o with { Backbone = o.Backbone with { Dim = v } }) { Limits = count },
        new Hyperparameter<int>("--depth", "Blocks, instead of the architecture's.", o => o.Backbone.Depth, (o, v) => o with { Backbone = o.Backbone with { Depth = v } }) { Limits = count },
        new Hyperparameter<int>("--num-heads", "Attention heads, instead of the architecture's.", o => o.Backbone.Heads, (o, v) => o with { Backbone = o.Backbone with { Heads = v } }) { Limits = count },
        new Hyperparameter<float>("--drop-path-rate", "Stochastic depth, the drop-path rate of the last block.", o => o.Backbone.DropPathRate, (o, v) => o with { Backbone = o.Backbone with { DropPathRate = v } })
        {
            Limits = new(0, 1) { IsBelow = true, StrangeOver = 0.5, Usual = "the paper's is 0.1" },
        },
        new Hyperparameter<int>("--out-dim", "K, the number of prototypes.", o => o.Head.OutDim, (o, v) => o with { Head = o.Head with { OutDim = v } }) { Limits = new(2) },
        new Hyperparameter<bool>("--norm-last-layer", "Keep the prototypes' lengths at 1.", o => o.Head.NormLastLayer, (o, v) => o with { Head = o.Head with { NormLastLayer = v } }),
        new Hyperparameter<bool>("--use-bn-in-head", "Batch normalisation in the head.", o => o.Head.UseBatchNorm, (o, v) => o with { Head = o.Head with { UseBatchNorm = v } }),
        new Hyperparameter<int>("--head-layers", "Layers of the head's MLP.", o => o.Head.Layers, (o, v) => o with { Head = o.Head with { Layers = v } }) { Limits = count },
        new Hyperparameter<int>("--hidden-dim", "Width of the head's hidden layers.", o => o.Head.HiddenDim, (o, v) => o with { Head = o.Head with { HiddenDim = v } }) { Limits = count },
        new Hyperparameter<int>("--bottleneck-dim", "Width of what the head normalises.", o => o.Head.BottleneckDim, (o, v) => o with { Head = o.Head with { BottleneckDim = v } }) { Limits = count },
        new Hyperparameter<double>("--momentum-teacher", "The teacher's average at the start; rises to 1.", o => o.MomentumTeacher, (o, v) => o with { MomentumTeacher = v })
        {
            Limits = share with { StrangeUnder = 0.5, Usual = "the paper's is 0.996" },
        },
        new Hyperparameter<double>("--warmup-teacher-temp", "Teacher temperature at the start.", o => o.WarmupTeacherTemp, (o, v) => o with { WarmupTeacherTemp = v }) { Limits = temperature },
        new Hyperparameter<double>("--teacher-temp", "Teacher temperature after its warm-up; above 0.07 is unstable.", o => o.TeacherTemp, (o, v) => o with { TeacherTemp = v }) { Limits = temperature },
        new Hyperparameter<int>("--warmup-teacher-temp-epochs", "Epochs of that warm-up.", o => o.WarmupTeacherTempEpochs, (o, v) => o with { WarmupTeacherTempEpochs = v }) { Limits = new(0) },
        new Hyperparameter<double>("--student-temp", "Student temperature.", o => o.StudentTemp, (o, v) => o with { StudentTemp = v }) { Limits = temperature },
        new Hyperparameter<double>("--center-momentum", "How slowly the centre follows.", o => o.CenterMomentum, (o, v) => o with { CenterMomentum = v }) { Limits = share },
        new Hyperparameter<int>("--center-warmup", "Batches whose teacher logits make the first centre; 0 starts it at 0.", o => o.CenterWarmup, (o, v) => o with { CenterWarmup = v }) { Limits = new(0) },
        new Hyperparameter<OptimizerKind>("--optimizer", "adamw, sgd or lars.", o => o.Optimizer, (o, v) => o with { Optimizer = v }),
        new Hyperparameter<double>("--lr", "Peak learning rate for 256 pictures a step; scaled by the pictures a step.", o => o.Lr, (o, v) => o with { Lr = v })
        {
            Limits = new(0) { IsAbove = true, StrangeOver = 1, Usual = "the paper's is 0.0005" },
        },
        new Hyperparameter<double>("--min-lr", "Learning rate at the end.", o => o.MinLr, (o, v) => o with { MinLr = v }) { Limits = new(0) { StrangeOver = 1, Usual = "the paper's is 0.000001" } },
        new Hyperparameter<int>("--warmup-epochs", "Epochs of linear warm-up of the learning rate.", o => o.WarmupEpochs, (o, v) => o with { WarmupEpochs = v }) { Limits = new(0) },
        new Hyperparameter<double>("--weight-decay", "Weight decay at the start.", o => o.WeightDecay, (o, v) => o with { WeightDecay = v }) { Limits = decay },
        new Hyperparameter<double>("--weight-decay-end", "Weight decay at the end.", o => o.WeightDecayEnd, (o, v) => o with { WeightDecayEnd = v }) { Limits = decay },
        new Hyperparameter<double>("--clip-grad", "Largest gradient norm of each parameter; 0 does not clip.", o => o.ClipGrad, (o, v) => o with { ClipGrad = v }) { Limits = new(0) },
        new Hyperparameter<int>("--freeze-last-layer", "Epochs in which the last layer is not trained.", o => o.FreezeLastLayer, (o, v) => o with { FreezeLastLayer = v }) { Limits = new(0) },
        new Hyperparameter<int>("--batch-size", "Pictures a batch.", o => o.BatchSize, (o, v) => o with { BatchSize = v }) { Limits = count },
        new Hyperparameter<int>("--accumulate", "Batches whose gradients make one step.", o => o.Accumulate, (o, v) => o with { Accumulate = v }) { Limits = count },
        new Hyperparameter<bool>("--recompute", "Compute blocks again in the backward pass: less memory, more time, the same numbers.", o => o.Recompute, (o, v) => o with { Recompute = v }),
        new Hyperparameter<int>("--epochs", "Passes over the pictures.", o => o.Epochs, (o, v) => o with { Epochs = v }) { Limits = count },
        new Hyperparameter<int>("--global-crops-size", "Pixels along the side of a global crop.", o => o.Crops.GlobalCropsSize, (o, v) => o with { Crops = o.Crops with { GlobalCropsSize = v } }) { Limits = crop },
        new Hyperparameter<CropScale>("--global-crops-scale", "Smallest and largest share of a picture in a global crop.", o => o.Crops.GlobalCropsScale, (o, v) => o with { Crops = o.Crops with { GlobalCropsScale = v } }) { Limits = scale },
        new Hyperparameter<int>("--local-crops-number", "Local crops a picture; 0 for none.", o => o.Crops.LocalCropsNumber, (o, v) => o with { Crops = o.Crops with { LocalCropsNumber = v } }) { Limits = new(0, 1000) },
        new Hyperparameter<int>("--local-crops-size", "Pixels along the side of a local crop.", o => o.Crops.LocalCropsSize, (o, v) => o with { Crops = o.Crops with { LocalCropsSize = v } }) { Limits = crop },
        new Hyperparameter<CropScale>("--local-crops-scale", "Smallest and largest share of a picture in a local crop.", o => o.Crops.LocalCropsScale, (o, v) => o with { Crops = o.Crops with { LocalCropsScale = v } }) { Limits = scale },
        new Hyperparameter<ulong>("--seed", "Decides first weights, order, crops and dropped branches.", o => o.Seed, (o, v) => o with { Seed = v }),
    ];

    /// <summary>Checks every value, by itself and beside the others.</summary>
    /// <exception cref="ArgumentException">One makes no sense; the message names the option and says what it may be.</exception>
    public static void Check(TrainOptions options)
    {
        foreach (var one in All)
            one.Check(options);
        var (backbone, crops) = (options.Backbone, options.Crops);
        if (backbone.Dim % backbone.Heads != 0)
            throw new ArgumentException($"--embed-dim {backbone.Dim} must be a multiple of --num-heads {backbone.Heads}: the heads share the width.");
        foreach (var (option, range) in ((string, CropScale)[])[("--global-crops-scale", crops.GlobalCropsScale), ("--local-crops-scale", crops.LocalCropsScale)])
        {
            if (range.Low > range.High)
                throw new ArgumentException(FormattableString.Invariant($"{option} takes the smallest share first and the largest then, not {range.Low} {range.High}."));
        }
        if ((long)options.BatchSize * options.Accumulate > int.MaxValue)
            throw new ArgumentException($"--batch-size {options.BatchSize} times --accumulate {options.Accumulate} must be at most {int.MaxValue} pictures a step.");
        foreach (var (option, epochs) in ((string, int)[])[("--warmup-epochs", options.WarmupEpochs), ("--warmup-teacher-temp-epochs", options.WarmupTeacherTempEpochs)])
        {
            if (epochs > options.Epochs)
                throw new ArgumentException($"{option} must be at most --epochs ({options.Epochs}), not {epochs}.");
        }
        foreach (var (option, size) in ((string, int)[])[("--global-crops-size", crops.GlobalCropsSize), ("--local-crops-size", crops.LocalCropsNumber > 0 ? crops.LocalCropsSize : int.MaxValue)])
        {
            if (size < backbone.Patch)
                throw new ArgumentException($"{option} {size} is smaller than a patch of {backbone.Patch} pixels: give larger crops, or a smaller --patch-size.");
        }
    }

    /// <summary>A line about each value that may be and is hardly meant: a comma or a point in the wrong place, an option taken for another.</summary>
    public static IReadOnlyList<string> Warnings(TrainOptions options)
    {
        var lines = All.Select(one => one.Warning(options)).OfType<string>().ToList();
        if (options.MinLr > options.Lr)
            lines.Add(FormattableString.Invariant($"--min-lr {options.MinLr} is above --lr {options.Lr}; the rate usually falls"));
        if (Math.Max(options.TeacherTemp, options.WarmupTeacherTemp) >= options.StudentTemp)
            lines.Add(FormattableString.Invariant(
                $"--teacher-temp {Math.Max(options.TeacherTemp, options.WarmupTeacherTemp)} is not below --student-temp {options.StudentTemp}; the teacher is usually the sharper of the two"));
        return lines;
    }
}
