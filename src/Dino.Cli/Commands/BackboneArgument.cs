using System.CommandLine;
using Dino.Cli.Arguments;
using Dino.Model;
using Dino.Model.Weights;
using Dino.Pictures.Loading;
using Dino.Pictures.Transforms;
using Dino.Tensors;
using Dino.Train.Runs;

namespace Dino.Cli.Commands;

/// <summary>
/// The network that a command looks with: <c>CHECKPOINT</c> and how it is read. The one place where commands open a model.
/// </summary>
internal static class BackboneArgument
{
    private static readonly Argument<string> checkpoint = new("CHECKPOINT")
    {
        Description = "A checkpoint of dino train, or an official, Hugging Face or timm one (.pth, .bin, .safetensors), or its folder.",
    };

    private static readonly Option<bool> student =
        new("--student") { Description = "Take the student of a training checkpoint instead of the teacher." };
    private static readonly Option<int?> heads = new("--num-heads") { Description = "Attention heads, where the file does not tell them." };
    private static readonly Option<bool> allowPartial =
        new("--allow-partial") { Description = "Use what fits when tensors are missing, unexpected or misshapen." };

    /// <summary>Adds the argument, which comes before the command's others, and the options.</summary>
    /// <param name="command">The command.</param>
    /// <param name="partial">Whether it can do with a part of a network.</param>
    public static void AddTo(Command command, bool partial = true)
    {
        command.Arguments.Insert(0, checkpoint);
        command.Options.Add(student);
        command.Options.Add(heads);
        if (partial)
            command.Options.Add(allowPartial);
    }

    /// <summary>
    /// The network on the device, the size in pixels of the square pictures that it was trained on, and how files become its inputs: as in
    /// its training, unless the options say otherwise.
    /// </summary>
    /// <exception cref="WeightsException">The file is missing or is refused, or holds no such network.</exception>
    public static (Backbone Backbone, int PictureSize, Preprocessing Preprocessing) Open(CommandContext context, Device device)
    {
        context.Cancel.ThrowIfCancellationRequested();
        var choice = Choice(context);
        using var file = CheckpointPath.Open(Path(context));
        var loaded = WeightsException.Explain(file.Path, () =>
        {
            var weights = ModelWeights.Find(file, choice.Student ? ModelWeights.Student : null);
            return LoadedBackbone.Open(file, weights, StoredRun.Of(file, weights, choice.Heads).Network, device, choice);
        });
        if (loaded.Warning is { } warning)
            context.Error.WriteLine(OptionNames.InText(warning));
        if (!loaded.Report.IsWhole)
            context.Say($"{Path(context)} fits in part: {loaded.Report.Missing.Count} tensors are missing, "
                + $"{loaded.Report.Misshapen.Count} have another shape, {loaded.Report.Unexpected.Count} are not used.");
        context.Cancel.ThrowIfCancellationRequested();
        if (!Normalize.Fits(loaded.Backbone.Channels) && loaded.Preprocessing.Mean is null)
            throw new UserErrorException(
                $"{Path(context)} is a network for {loaded.Backbone.Channels} channels whose mean and deviation are not known, and "
                    + "pictures have 1 (grey), 3 (RGB) or 4 (RGB and opacity): only inspect and export can use it.");
        return (loaded.Backbone, loaded.PictureSize, PreprocessingChoice.Read(context, loaded.Preprocessing));
    }

    /// <summary>The tokens and the attention of the network.</summary>
    /// <exception cref="UserErrorException">It has none.</exception>
    public static IAttentive Attentive(CommandContext context, Backbone backbone)
    {
        try
        {
            return backbone.Attentive();
        }
        catch (ArgumentException e)
        {
            throw new UserErrorException($"{Path(context)}: {e.Message}", e);
        }
    }

    /// <summary>Refuses pictures that are smaller than the network takes.</summary>
    /// <exception cref="UserErrorException">They are.</exception>
    public static void CheckSize(Backbone backbone, string option, int size)
    {
        if (size < backbone.SmallestSize)
            throw new UserErrorException(backbone is IAttentive
                ? $"{option} {size} is smaller than the network's patches of {backbone.SmallestSize} pixels."
                : $"{option} {size} is smaller than the {backbone.SmallestSize} pixels that the network needs.")
            { IsUsage = true };
    }

    /// <summary>The file; of a folder, the one that it stands for.</summary>
    /// <exception cref="WeightsException">A folder holds none.</exception>
    public static string Path(CommandContext context) => CheckpointPath.Resolve(context.Get(checkpoint)!);

    /// <summary>Which of the file's networks, for the record of a run.</summary>
    public static string Network(CommandContext context) => context.Get(student) ? ModelWeights.Student : ModelWeights.Teacher;

    /// <summary>What was asked for.</summary>
    /// <exception cref="UserErrorException">The number of heads is not positive.</exception>
    public static BackboneChoice Choice(CommandContext context)
    {
        if (context.Get(heads) is { } count && count < 1)
            throw new UserErrorException($"--num-heads must be at least 1, not {count}.") { IsUsage = true };
        return new BackboneChoice { Student = context.Get(student), Heads = context.Get(heads), AllowPartial = context.Get(allowPartial) };
    }
}
