using System.CommandLine;
using Dino.Cli.Arguments;
using Dino.Pictures.Transforms;
using Dino.Train;
using Dino.Train.Options;
using Dino.Train.Runs;

namespace Dino.Cli.Commands;

/// <summary>The hyperparameters on the command line, under the reference's names.</summary>
internal sealed class TrainOptionSet
{
    private readonly List<(Option Option, Func<CommandContext, TrainOptions, TrainOptions> Apply)> settings = [];
    private readonly Option<string?> preset = new("--preset") { Description = "Where to start from: " + string.Join(", ", Presets.Names) + ", as in the table below. Without one, the reference's defaults; with --init, adapt.", HelpName = string.Join('|', Presets.Names) };
    private readonly Option<int> heads;

    public TrainOptionSet()
    {
        preset.AcceptOnlyFromAmong([.. Presets.Names]);
        foreach (var hyperparameter in Hyperparameters.All)
        {
            // The option follows from the type of the value.
            switch (hyperparameter)
            {
                case Hyperparameter<int> whole:
                    Add(whole);
                    break;
                case Hyperparameter<ulong> whole:
                    Add(whole);
                    break;
                case Hyperparameter<float> real:
                    Add(real);
                    break;
                case Hyperparameter<double> real:
                    Add(real);
                    break;
                case Hyperparameter<bool> flag:
                    Add(flag);
                    break;
                case Hyperparameter<string> text:
                    Add(text);
                    break;
                case Hyperparameter<OptimizerKind> choice:
                    Add(choice);
                    break;
                case Hyperparameter<CropScale> scale:
                    Add(scale);
                    break;
                default:
                    throw new InvalidOperationException($"{hyperparameter.Option} has a type that no option takes: {hyperparameter.GetType()}.");
            }
        }
        heads = (Option<int>)Of("--num-heads");
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
        bool longer = found is not null && options.Epochs > found.Epochs, chooses = Presets.IsFitted(name);
        bool chooseTemperature = chooses && !IsGiven("--teacher-temp") && !IsGiven("--warmup-teacher-temp") && !IsGiven("--warmup-teacher-temp-epochs");
        bool chooseMomentum = chooses && !IsGiven("--momentum-teacher");
        var (fitted, reasons) = Presets.FitTo(
            options, pictures, chooses && !IsGiven("--out-dim") && init is not { HasHead: true }, chooseTemperature, chooseMomentum);
        if (!IsGiven("--warmup-epochs") && fitted.WarmupEpochs > fitted.Epochs / 3)
        {
            fitted = fitted with { WarmupEpochs = fitted.Epochs / 10 };
            reasons = [.. reasons, $"--warmup-epochs {fitted.WarmupEpochs}: a tenth of the run"];
        }
        if (longer)
        {
            // These follow from the length of a run, and a run does not become another one by being made longer.
            if (chooseTemperature)
                fitted = fitted with { WarmupTeacherTemp = found!.WarmupTeacherTemp, TeacherTemp = found.TeacherTemp, WarmupTeacherTempEpochs = found.WarmupTeacherTempEpochs };
            if (chooseMomentum)
                fitted = fitted with { MomentumTeacher = found!.MomentumTeacher };
            if (!IsGiven("--warmup-epochs"))
                fitted = fitted with { WarmupEpochs = found!.WarmupEpochs };
            reasons = [.. reasons.Where(reason => reason.StartsWith("--out-dim", StringComparison.Ordinal)), "what was chosen for the run before it is made longer stays"];
        }
        if (init is not null && options.Backbone.Channels != 3 && !IsGiven("--channels"))
            reasons = [.. reasons, $"--channels {options.Backbone.Channels}: those of the network of --init"];
        fitted.Validate();
        return (fitted, reasons);

        bool IsGiven(string option) => context.IsGiven(Of(option));
    }

    private Option Of(string name) => settings.First(setting => setting.Option.Name == name).Option;

    private void Add<T>(Hyperparameter<T> one)
    {
        bool isFitted = Presets.FittedOptions.Contains(one.Option), isOn = one.Get(new TrainOptions()) is true;
        var option = new Option<T>(one.Option)
        {
            Description = one.Description + (isFitted ? " [default: by the number of pictures]" : isOn ? " [default: true]" : ""),
        };
        if (!isFitted)
            option.DefaultValueFactory = _ => one.Get(new TrainOptions());
        if (one.Choices is { } choices)
            option.AcceptOnlyFromAmong([.. choices]);
        settings.Add((option, (context, options) => one.With(options, context.Get(option)!)));
    }

    private void Add(Hyperparameter<CropScale> one)
    {
        var option = new Option<double[]>(one.Option)
        {
            Description = one.Description,
            Arity = new ArgumentArity(2, 2),
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [.. one.Numbers(new TrainOptions())],
        };
        settings.Add((option, (context, options) =>
        {
            double[] values = context.Get(option)!;
            return one.With(options, new CropScale(values[0], values[1]));
        }
        ));
    }
}
