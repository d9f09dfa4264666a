using System.CommandLine;
using Dino.Model;
using Dino.Train.Cli;
using Dino.Train.Data;
using Dino.Train.Weights;

namespace Dino.Train.Commands;

/// <summary>The hyperparameters on the command line, under the reference's names.</summary>
internal sealed class TrainOptionSet
{
    private readonly List<(Option Option, Func<CommandContext, TrainOptions, TrainOptions> Apply)> settings = [];
    private readonly Option<string?> preset = new("--preset") { Description = "Where to start from: " + string.Join(", ", Presets.Names) + ". Without one, the reference's defaults; with --init, adapt." };
    private readonly Option<int> heads;
    private readonly Option outDim, teacherTemp, warmupTeacherTemp, momentum, warmupEpochs;

    public TrainOptionSet()
    {
        preset.AcceptOnlyFromAmong([.. Presets.Names]);
        Add<string>("--arch", "vit_tiny, vit_small or vit_base.", (o, v) => o with
        {
            Backbone = ViTConfig.Named(v, o.Backbone.Patch, o.Backbone.ImageSize) with { DropPathRate = o.Backbone.DropPathRate, Channels = o.Backbone.Channels },
        });
        Add<int>("--patch-size", "Pixels along the side of a patch.", (o, v) => o with { Backbone = o.Backbone with { Patch = v } });
        Add<int>("--channels", "Colour channels: 3, or 1 to train on grey (the same crops; changes of hue and saturation then leave no trace).", (o, v) => o with { Backbone = o.Backbone with { Channels = v } });
        Add<int>("--embed-dim", "Width of a token, instead of the architecture's.", (o, v) => o with { Backbone = o.Backbone with { Dim = v } });
        Add<int>("--depth", "Blocks, instead of the architecture's.", (o, v) => o with { Backbone = o.Backbone with { Depth = v } });
        heads = Add<int>("--num-heads", "Attention heads, instead of the architecture's.", (o, v) => o with { Backbone = o.Backbone with { Heads = v } });
        Add<float>("--drop-path-rate", "Stochastic depth of the last block.", (o, v) => o with { Backbone = o.Backbone with { DropPathRate = v } });
        outDim = Add<int>("--out-dim", "K, the number of prototypes.", (o, v) => o with { Head = o.Head with { OutDim = v } });
        Add<bool>("--norm-last-layer", "Keep the prototypes' lengths at 1.", (o, v) => o with { Head = o.Head with { NormLastLayer = v } });
        Add<bool>("--use-bn-in-head", "Batch normalisation in the head.", (o, v) => o with { Head = o.Head with { UseBatchNorm = v } });
        Add<int>("--head-layers", "Layers of the head's MLP.", (o, v) => o with { Head = o.Head with { Layers = v } });
        Add<int>("--hidden-dim", "Width of the head's hidden layers.", (o, v) => o with { Head = o.Head with { HiddenDim = v } });
        Add<int>("--bottleneck-dim", "Width of what the head normalises.", (o, v) => o with { Head = o.Head with { BottleneckDim = v } });
        momentum = Add<double>("--momentum-teacher", "The teacher's average at the start; rises to 1.", (o, v) => o with { MomentumTeacher = v });
        warmupTeacherTemp = Add<double>("--warmup-teacher-temp", "Teacher temperature at the start.", (o, v) => o with { WarmupTeacherTemp = v });
        teacherTemp = Add<double>("--teacher-temp", "Teacher temperature after its warm-up; above 0.07 is unstable.", (o, v) => o with { TeacherTemp = v });
        Add<int>("--warmup-teacher-temp-epochs", "Epochs of that warm-up.", (o, v) => o with { WarmupTeacherTempEpochs = v });
        Add<double>("--student-temp", "Student temperature.", (o, v) => o with { StudentTemp = v });
        Add<double>("--center-momentum", "How slowly the centre follows.", (o, v) => o with { CenterMomentum = v });
        Add<int>("--center-warmup", "Batches whose teacher logits make the first centre; 0 starts it at 0.", (o, v) => o with { CenterWarmup = v });
        Add<OptimizerKind>("--optimizer", "adamw, sgd or lars.", (o, v) => o with { Optimizer = v });
        Add<double>("--lr", "Peak learning rate for 256 pictures a step; scaled by the pictures a step.", (o, v) => o with { Lr = v });
        Add<double>("--min-lr", "Learning rate at the end.", (o, v) => o with { MinLr = v });
        warmupEpochs = Add<int>("--warmup-epochs", "Epochs of linear warm-up of the learning rate.", (o, v) => o with { WarmupEpochs = v });
        Add<double>("--weight-decay", "Weight decay at the start.", (o, v) => o with { WeightDecay = v });
        Add<double>("--weight-decay-end", "Weight decay at the end.", (o, v) => o with { WeightDecayEnd = v });
        Add<double>("--clip-grad", "Largest gradient norm of each parameter; 0 does not clip.", (o, v) => o with { ClipGrad = v });
        Add<int>("--freeze-last-layer", "Epochs in which the last layer is not trained.", (o, v) => o with { FreezeLastLayer = v });
        Add<int>("--batch-size", "Pictures a batch.", (o, v) => o with { BatchSize = v });
        Add<int>("--accumulate", "Batches whose gradients make one step.", (o, v) => o with { Accumulate = v });
        Add<bool>("--recompute", "Compute blocks again in the backward pass: less memory, more time, the same numbers.", (o, v) => o with { Recompute = v });
        Add<int>("--epochs", "Passes over the pictures.", (o, v) => o with { Epochs = v });
        Add<int>("--global-crops-size", "Pixels along the side of a global crop.", (o, v) => o with { Crops = o.Crops with { GlobalCropsSize = v } });
        Scale("--global-crops-scale", "Smallest and largest share of a picture in a global crop.", (c, v) => c with { GlobalCropsScale = v });
        Add<int>("--local-crops-number", "Local crops a picture; 0 for none.", (o, v) => o with { Crops = o.Crops with { LocalCropsNumber = v } });
        Add<int>("--local-crops-size", "Pixels along the side of a local crop.", (o, v) => o with { Crops = o.Crops with { LocalCropsSize = v } });
        Scale("--local-crops-scale", "Smallest and largest share of a picture in a local crop.", (c, v) => c with { LocalCropsScale = v });
        Add<ulong>("--seed", "Decides first weights, order, crops and dropped branches.", (o, v) => o with { Seed = v });
    }

    /// <summary>Adds all options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(preset);
        foreach (var (option, _) in settings)
            command.Options.Add(option);
    }

    /// <summary>The hyperparameters for so many pictures, and why those that were not given are what they are.</summary>
    /// <param name="context">The command line.</param>
    /// <param name="pictures">The pictures to train on.</param>
    /// <param name="init">A file to begin with; its network goes before the preset's, and what is given before both.</param>
    /// <param name="found">The hyperparameters of a run that goes on. If it is made longer, what was chosen for it stays.</param>
    /// <exception cref="UserErrorException">A value makes no sense.</exception>
    public (TrainOptions Options, IReadOnlyList<string> Reasons) Read(CommandContext context, int pictures, Initialization? init, TrainOptions? found = null)
    {
        try
        {
            return Fit(context, pictures, init, found);
        }
        catch (ArgumentException e)
        {
            throw new UserErrorException(e.Message, e) { IsUsage = true };
        }
    }

    private (TrainOptions Options, IReadOnlyList<string> Reasons) Fit(CommandContext context, int pictures, Initialization? init, TrainOptions? found)
    {
        string? name = context.Get(preset) ?? (init is null ? null : "adapt");
        var options = name is null ? new TrainOptions() : Presets.Named(name);
        if (init is not null)
        {
            options = init.Adapt(options, context.IsGiven(heads) ? context.Get(heads) : null);
            if (init.Warning is { } warning)
                context.Error.WriteLine(warning);
        }
        foreach (var (option, apply) in settings)
            if (context.IsGiven(option))
                options = apply(context, options);
        // The position grid is that of the global crops.
        options = options with { Backbone = options.Backbone with { ImageSize = options.Crops.GlobalCropsSize } };
        bool choose = name != "paper";
        bool longer = found is not null && options.Epochs > found.Epochs;
        var (fitted, reasons) = Presets.FitTo(
            options, pictures,
            choose && !context.IsGiven(outDim) && init is not { HasHead: true },
            choose && !context.IsGiven(teacherTemp) && !context.IsGiven(warmupTeacherTemp),
            choose && !context.IsGiven(momentum));
        if (!context.IsGiven(warmupEpochs) && fitted.WarmupEpochs > fitted.Epochs / 3)
        {
            fitted = fitted with { WarmupEpochs = fitted.Epochs / 10 };
            reasons = [.. reasons, $"--warmup-epochs {fitted.WarmupEpochs}: a tenth of the run"];
        }
        if (longer)
        {
            // These follow from the length of a run, and a run does not become another one by being made longer.
            if (choose && !context.IsGiven(teacherTemp) && !context.IsGiven(warmupTeacherTemp))
                fitted = fitted with { WarmupTeacherTemp = found!.WarmupTeacherTemp, TeacherTemp = found.TeacherTemp, WarmupTeacherTempEpochs = found.WarmupTeacherTempEpochs };
            if (choose && !context.IsGiven(momentum))
                fitted = fitted with { MomentumTeacher = found!.MomentumTeacher };
            if (!context.IsGiven(warmupEpochs))
                fitted = fitted with { WarmupEpochs = found!.WarmupEpochs };
            reasons = [.. reasons.Where(reason => reason.StartsWith("--out-dim", StringComparison.Ordinal)), "what was chosen for the run before it is made longer stays"];
        }
        fitted.Validate();
        return (fitted, reasons);
    }

    private Option<T> Add<T>(string name, string description, Func<TrainOptions, T, TrainOptions> apply)
    {
        var option = new Option<T>(name) { Description = description };
        settings.Add((option, (context, options) => apply(options, context.Get(option)!)));
        return option;
    }

    private void Scale(string name, string description, Func<MultiCropOptions, CropScale, MultiCropOptions> apply)
    {
        var option = new Option<double[]>(name)
        {
            Description = description,
            Arity = new ArgumentArity(2, 2),
            AllowMultipleArgumentsPerToken = true,
        };
        settings.Add((option, (context, options) =>
        {
            double[] values = context.Get(option)!;
            return options with { Crops = apply(options.Crops, new CropScale(values[0], values[1])) };
        }
        ));
    }
}
