using System.CommandLine;
using System.Globalization;
using Dino.Cli.Arguments;
using Dino.Model;
using Dino.Model.Onnx;
using Dino.Model.Weights;
using Dino.Tensors.Io;
using Dino.Train.Runs;

namespace Dino.Cli.Commands;

/// <summary><c>dino export</c>: a backbone for other programs.</summary>
internal static class ExportCommand
{
    private static readonly string[] formats = ["official", "timm", "pth", "hf", "onnx"];

    private static readonly Argument<string> output =
        new("OUTPUT") { Description = "The file to write; for hf the folder of model.safetensors and config.json." };
    private static readonly Option<string?> format = new("--format")
    {
        Description = "By default the ending of OUTPUT says it: .safetensors (official), .pth, .onnx, a folder (hf). official or timm: "
            + "safetensors under those names; pth: for torch.load; hf: Hugging Face's names; onnx: a graph for any batch and picture size.",
        HelpName = string.Join('|', formats),
    };

    private static readonly Option<bool> force = new("--force") { Description = "Replace files that are there." };

    static ExportCommand() => format.AcceptOnlyFromAmong(formats);

    public static Command Build()
    {
        var command = new ProgramCommand("export", "Write the backbone of a checkpoint for PyTorch, timm, Hugging Face or ONNX.", Run)
        {
            Examples =
            [
                ("dino export dino-run/latest.safetensors backbone.pth --format pth", "for torch.load, also with weights_only=True"),
                ("dino export dino_deitsmall16_pretrain.pth vits16 --format hf", "a folder for Hugging Face's ViTModel"),
                ("dino export dino-run/latest.safetensors vit.onnx --format onnx", "for ONNX Runtime"),
            ],
        };
        command.Arguments.Add(output);
        BackboneArgument.AddTo(command, partial: false);
        command.Options.Add(format);
        command.Options.Add(force);
        return command;
    }

    private static void Run(CommandContext context)
    {
        string target = context.Get(output)!, kind = Format(context.Get(format), target);
        string[] paths = kind == "hf" ? [Path.Combine(target, "model.safetensors"), Path.Combine(target, "config.json")] : [target];
        if (!context.Get(force) && paths.FirstOrDefault(File.Exists) is { } there)
            throw new UserErrorException($"{there} is there already: give --force to replace it, or another OUTPUT.") { IsUsage = true };
        context.Kept = () => "No file was changed, or all of it; the same command begins again.";
        var choice = BackboneArgument.Choice(context);
        string source = BackboneArgument.Path(context);
        // A run's checkpoint holds more than a backbone: what is lost with it, no command brings back.
        if (paths.FirstOrDefault(path => IsSameFile(path, source)) is { } same)
            throw new UserErrorException($"{same} is the CHECKPOINT itself: give another OUTPUT.") { IsUsage = true };
        using var file = CheckpointPath.Open(source);
        var config = WeightsException.Explain(source, () =>
        {
            var weights = ModelWeights.Find(file, choice.Student ? ModelWeights.Student : null);
            var stored = StoredRun.Of(file, weights, choice.Heads).Network;
            weights.Compare(stored.Backbone.Build()).ThrowIfPartial();
            if (stored.Warning is { } warning)
                context.Error.WriteLine(OptionNames.InText(warning));
            if (stored.Preprocessing is { } inputs && (inputs.Range is not null || inputs.Mean is not null))
                context.Say($"no other program knows what the network's inputs are: {PreprocessingChoice.Describe(inputs)}");
            Write(kind, paths, stored.Backbone, stored.HeadsAreKnown, name =>
            {
                context.Cancel.ThrowIfCancellationRequested();
                return weights.Values(name, stored.Backbone);
            });
            return stored.Backbone;
        });
        context.Result(
            json =>
            {
                json.WriteString("format", kind);
                json.WriteStartArray("files");
                foreach (string path in paths)
                    json.WriteStringValue(path);
                json.WriteEndArray();
                json.WriteNumber("bytes", paths.Sum(path => new FileInfo(path).Length));
            },
            text => text.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{config.Describe()}: {string.Join(", ", paths)}")));
    }

    private static bool IsSameFile(string path, string other)
    {
        FileStatus first = FileStatus.Of(path), second = FileStatus.Of(other);
        return first.Kind != FileKind.Missing && first.Number != 0 && (first.Volume, first.Number) == (second.Volume, second.Number);
    }

    /// <summary>What to write: what was asked for, or what the ending of the output says.</summary>
    /// <exception cref="UserErrorException">The two contradict each other, or neither says anything.</exception>
    private static string Format(string? asked, string target)
    {
        string ending = Path.GetExtension(target).ToLowerInvariant();
        string[] fitting = ending switch
        {
            ".safetensors" => ["official", "timm"],
            ".pth" or ".pt" or ".bin" or ".ckpt" => ["pth"],
            ".onnx" => ["onnx"],
            _ when asked is null && (ending.Length == 0 || Directory.Exists(target) || Path.EndsInDirectorySeparator(target)) => ["hf"],
            _ => [],
        };
        if (asked is null)
            return fitting is [var first, ..] ? first
                : throw new UserErrorException(
                    $"--format is missing: the ending {ending} of {target} says none. It is one of {string.Join(", ", formats)}.")
                { IsUsage = true };
        return fitting.Length == 0 || fitting.Contains(asked) ? asked
            : throw new UserErrorException(
                $"--format {asked} does not go with {target}: {ending} says {string.Join(" or ", fitting)}. Leave --format out, or give "
                    + $"another name.")
            { IsUsage = true };
    }

    private static void Write(string kind, string[] paths, BackboneConfig config, bool headsAreKnown, Func<string, float[]> values)
    {
        // The number of heads is in no shape. One that was assumed must not become one that is stated.
        var heads = headsAreKnown ? WeightsExport.Metadata(config) : new Dictionary<string, string>();
        // Without it Hugging Face's loader does not know whose tensors they are.
        var metadata = new Dictionary<string, string>(heads) { ["format"] = "pt" };
        switch (kind)
        {
            case "pth":
                PyTorchFile.Write(paths[0], WeightsExport.Official(config, values), heads);
                break;
            case "hf":
                Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(paths[0]))!);
                SafetensorsFile.Write(paths[0], WeightsExport.HuggingFace(config, values), metadata);
                AtomicFile.Write(paths[1], stream => WeightsExport.WriteHuggingFaceConfig(stream, config));
                break;
            case "onnx":
                OnnxExport.Write(paths[0], config, values);
                break;
            default:
                SafetensorsFile.Write(paths[0], WeightsExport.Official(config, values), metadata);
                break;
        }
    }
}
