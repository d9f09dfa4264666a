using System.CommandLine;
using Dino.Cli.Arguments;
using Dino.Pictures.Transforms;
using Dino.Train.Methods.Dino;
using Dino.Train.Options;
using Dino.Train.Runs;

namespace Dino.Cli.Commands;

/// <summary>Hyperparameters on the command line: one option for each, called as <see cref="OptionNames"/> says.</summary>
internal sealed class TrainOptionSet
{
    private static readonly DinoOptions defaults = new();

    /// <summary>What the help says of the options of <see cref="Views"/>.</summary>
    public const string Heading = "Views (one value for all, or three: first global crop, second, local crops):";

    private const string OfViews = "Crops.";

    private readonly List<(Hyperparameter One, Option Option, Func<CommandContext, TrainOptions, TrainOptions> Apply)> settings = [];
    private readonly Option<string?> preset = new("--preset")
    {
        Description = "Where to start from: " + string.Join(", ", DinoPresets.Names) + ", as in the table below. "
            + "Without one, the reference's defaults; with --init, adapt.",
        HelpName = string.Join('|', DinoPresets.Names),
    };

    /// <summary>All hyperparameters, or those alone that decide on the views of a picture.</summary>
    public TrainOptionSet(bool onlyViews = false)
    {
        preset.AcceptOnlyFromAmong([.. DinoPresets.Names]);
        if (onlyViews)
            preset.Description = "Whose crops to start from. Without one, the reference's.";
        foreach (var hyperparameter in defaults.Hyperparameters.Where(
            one => !onlyViews || one.Property.StartsWith(OfViews, StringComparison.Ordinal)
                || one.Property is nameof(DinoOptions.Seed) or "Backbone.Channels"))
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
                    AddPair(scale, (low, high) => new CropScale(low, high));
                    break;
                case Hyperparameter<CropRatio> ratio:
                    AddPair(ratio, (low, high) => new CropRatio(low, high), " [default: 0.75 1.3333333333333333]");
                    break;
                case Hyperparameter<double[]> reals:
                    AddList(reals);
                    break;
                case Hyperparameter<int[]> wholes:
                    AddList(wholes);
                    break;
                default:
                    throw new InvalidOperationException(
                        $"{hyperparameter.Property} has a type that no option takes: {hyperparameter.GetType()}.");
            }
        }
    }

    /// <summary>The seed's option.</summary>
    public Option Seed => Of(nameof(DinoOptions.Seed));

    /// <summary>The options that say what is done to the views of a picture.</summary>
    public IEnumerable<Option> Views => settings.Where(setting => setting.One.Parts.Count > 0).Select(setting => setting.Option);

    /// <summary>Adds all options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(preset);
        foreach (var (_, option, _) in settings)
            command.Options.Add(option);
    }

    /// <summary>The hyperparameters for so many pictures, and why those that were not given are what they are.</summary>
    /// <param name="context">The command line.</param>
    /// <param name="pictures">The pictures to train on.</param>
    /// <param name="init">A file to begin with; its network goes before the preset's, and what is given before both.</param>
    /// <param name="found">The hyperparameters of a run that goes on. If it is made longer, what was chosen for it stays.</param>
    /// <exception cref="UserErrorException">A value makes no sense.</exception>
    public (DinoOptions Options, IReadOnlyList<string> Reasons) Read(
        CommandContext context, int pictures, Initialization? init, DinoOptions? found = null)
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

    /// <summary>The hyperparameters of the views alone, of any network; all others are those of the preset.</summary>
    /// <exception cref="UserErrorException">A value makes no sense.</exception>
    public DinoOptions ReadViews(CommandContext context)
    {
        try
        {
            var options = Apply(context, context.Get(preset) is { } name ? DinoPresets.Named(name) : new DinoOptions());
            foreach (var (one, _, _) in settings)
                one.Check(options);
            options.CheckCrops();
            return options;
        }
        catch (ArgumentException e)
        {
            throw new UserErrorException(e.Message, e) { IsUsage = true };
        }
    }

    /// <summary>The hyperparameters of a run by the names of their options, as <see cref="RunArguments"/> writes them.</summary>
    public IEnumerable<(Option Option, object? Value)> Values(TrainOptions options) =>
        settings.Select(setting => (setting.Option, RunArguments.ValueOf(setting.One, options)));

    private DinoOptions Apply(CommandContext context, DinoOptions options)
    {
        foreach (var (_, option, apply) in settings)
            if (context.IsGiven(option))
                options = (DinoOptions)apply(context, options);
        return options;
    }

    private (DinoOptions Options, IReadOnlyList<string> Reasons) Fit(
        CommandContext context, int pictures, Initialization? init, DinoOptions? found)
    {
        string? name = context.Get(preset) ?? (init is null ? null : "adapt");
        var options = name is null ? new DinoOptions() : DinoPresets.Named(name);
        if (init is not null)
        {
            var heads = (Option<int>)Of("Backbone.Heads");
            options = init.Adapt(options, context.IsGiven(heads) ? context.Get(heads) : null);
            if (init.Warning is { } warning)
                context.Error.WriteLine(warning);
        }
        options = Apply(context, options);
        // The position grid is that of the global crops.
        options = options with { Backbone = options.Backbone.ForPictures(options.Crops.GlobalCropsSize) };
        bool longer = found is not null && options.Epochs > found.Epochs, chooses = DinoPresets.IsFitted(name);
        bool chooseTemperature = chooses && !IsGiven(nameof(DinoOptions.TeacherTemp)) && !IsGiven(nameof(DinoOptions.WarmupTeacherTemp))
            && !IsGiven(nameof(DinoOptions.WarmupTeacherTempEpochs));
        bool chooseMomentum = chooses && !IsGiven(nameof(DinoOptions.MomentumTeacher));
        bool chooseOutDim = chooses && !IsGiven("Head.OutDim") && init is not { HasHead: true };
        var (fitted, reasons) = DinoPresets.FitTo(options, pictures, chooseOutDim, chooseTemperature, chooseMomentum);
        if (!IsGiven(nameof(DinoOptions.WarmupEpochs)) && fitted.WarmupEpochs > fitted.Epochs / 3)
        {
            fitted = fitted with { WarmupEpochs = fitted.Epochs / 10 };
            reasons = [.. reasons, $"`WarmupEpochs` {fitted.WarmupEpochs}: a tenth of the run"];
        }
        if (longer)
        {
            // These follow from the length of a run, and a run does not become another one by being made longer.
            if (chooseTemperature)
            {
                fitted = fitted with
                {
                    WarmupTeacherTemp = found!.WarmupTeacherTemp,
                    TeacherTemp = found.TeacherTemp,
                    WarmupTeacherTempEpochs = found.WarmupTeacherTempEpochs,
                };
            }
            if (chooseMomentum)
                fitted = fitted with { MomentumTeacher = found!.MomentumTeacher };
            if (!IsGiven(nameof(DinoOptions.WarmupEpochs)))
                fitted = fitted with { WarmupEpochs = found!.WarmupEpochs };
            reasons = [.. reasons.Take(chooseOutDim ? 1 : 0), "what was chosen for the run before it is made longer stays"];
        }
        if (init is not null && options.ViT.Channels != 3 && !IsGiven("Backbone.Channels"))
            reasons = [.. reasons, $"`Backbone.Channels` {options.ViT.Channels}: those of the network of `Initialization`"];
        fitted.Validate();
        return (fitted, [.. reasons.Select(OptionNames.InText)]);

        bool IsGiven(string property) => context.IsGiven(Of(property));
    }

    private Option Of(string property) => settings.First(setting => setting.One.Property == property).Option;

    private void Add<T>(Hyperparameter<T> one)
    {
        bool isFitted = DinoPresets.FittedProperties.Contains(one.Property), isOn = one.Get(defaults) is true;
        var option = new Option<T>(OptionNames.Of(one.Property))
        {
            Description = one.Description + (isFitted ? " [default: by the number of pictures]" : isOn ? " [default: true]" : ""),
        };
        if (!isFitted)
            option.DefaultValueFactory = _ => one.Get(defaults);
        if (one.Choices is { } choices)
            option.AcceptOnlyFromAmong([.. choices]);
        settings.Add((one, option, (context, options) => one.With(options, context.Get(option)!)));
    }

    private void AddList<T>(Hyperparameter<T[]> one)
    {
        var option = new Option<T[]>(OptionNames.Of(one.Property))
        {
            Description = one.Description,
            Arity = new ArgumentArity(one.Counts[0], one.Counts[^1]),
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => one.Get(defaults),
        };
        settings.Add((one, option, (context, options) =>
        {
            var values = context.Get(option)!;
            one.CheckCount(values.Length);
            return one.With(options, values);
        }
        ));
    }

    private void AddPair<T>(Hyperparameter<T> one, Func<double, double, T> pair, string byDefault = "")
    {
        var option = new Option<double[]>(OptionNames.Of(one.Property))
        {
            Description = one.Description + byDefault,
            Arity = new ArgumentArity(2, 2),
            AllowMultipleArgumentsPerToken = true,
        };
        if (byDefault.Length == 0)
            option.DefaultValueFactory = _ => [.. one.Numbers(defaults)];
        settings.Add((one, option, (context, options) =>
        {
            double[] values = context.Get(option)!;
            return one.With(options, pair(values[0], values[1]));
        }
        ));
    }
}
