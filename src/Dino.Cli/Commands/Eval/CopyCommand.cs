using System.CommandLine;
using Dino.Cli.Arguments;
using Dino.Cli.Terminal;
using Dino.Pictures.Loading;
using Dino.Tensors.Io;
using Dino.Train.Evaluation.Features;
using Dino.Train.Evaluation.Retrieval;

namespace Dino.Cli.Commands.Eval;

/// <summary><c>dino eval copy</c>: altered copies and their originals.</summary>
internal static class CopyCommand
{
    private static readonly Option<string> data =
        new("--data")
        {
            Description = "A folder like Copydays: 'original' beside folders of copies (strong, jpegqual/N, crops/N).",
            Required = true,
            HelpName = "FOLDER"
        };
    private static readonly Option<string?> distractors =
        new("--distractors") { Description = "Pictures that are nobody's original.", HelpName = "FOLDER" };
    private static readonly Option<string?> whitening =
        new("--whitening") { Description = "Pictures to learn a PCA whitening of the features from.", HelpName = "FOLDER" };
    private static readonly Option<int> imsize =
        new("--imsize")
        {
            Description = "Pixels along the side of the square that pictures are stretched to.",
            DefaultValueFactory = _ => 320
        };
    private static readonly Option<int> batchSize =
        new("--batch-size") { Description = "Pictures at a time.", DefaultValueFactory = _ => 16 };

    public static Command Build()
    {
        var command = new ProgramCommand("copy", "Find the originals of altered copies (mAP of Copydays).", Run)
        {
            Examples =
            [
                ("dino eval copy dino-run/latest.safetensors --data copydays", "class token and GeM of the patch tokens at 320²"),
                ("dino eval copy dino-run/latest.safetensors --data copydays --distractors more --whitening others",
                    "the paper's harder setting"),
            ],
        };
        BackboneArgument.AddTo(command);
        foreach (var option in (Option[])[data, distractors, whitening, imsize, batchSize])
            command.Options.Add(option);
        PictureChoice.AddTo(command);
        PreprocessingChoice.AddTo(command);
        DeviceOption.AddTo(command);
        return command;
    }

    private static void Run(CommandContext context)
    {
        context.KeepsNothing();
        int size = context.GetBetween(imsize, 1, 8192), batch = context.GetBetween(batchSize, 1);
        string root = context.Get(data)!;
        if (FileStatus.Of(root).Kind != FileKind.Folder)
            throw new UserErrorException($"There is no folder {RawName.Shown(root)}.");
        var left = new SkippedLines(context);
        var skipped = left.Files;
        var more = context.Get(distractors) is { } folder ? Folders.Scan(context, [folder], skipped) : null;
        var learned = context.Get(whitening) is { } other ? Folders.Scan(context, [other], skipped) : null;
        using var device = DeviceOption.Open(context);
        var (backbone, _, preprocessing) = BackboneArgument.Open(context, device);
        _ = BackboneArgument.Attentive(context, backbone);
        BackboneArgument.CheckSize(backbone, "--imsize", size);

        var (blocks, database) = new CopyDetectionRun(backbone, device, size, batch, skipped)
        {
            Prefetch = new PrefetchOptions { MaxPixels = PictureChoice.MaxPixels(context) },
            Preprocessing = preprocessing,
            Patterns = PictureChoice.Read(context).Patterns,
        }.Evaluate(root, more, learned, context.Progress, context.Cancel);
        string protocol = $"{FeatureKind.CopyDetection.Name}, {size}² stretched, "
            + $"{(learned is null ? "not whitened" : $"whitened by {learned.Count} pictures")}, "
            + $"cosine, first 20 of {database} pictures ({more?.Count ?? 0} distractors)";
        context.Result(
            json =>
            {
                json.WriteStartArray("blocks");
                foreach (var block in blocks)
                {
                    json.WriteStartObject();
                    json.WriteString("name", block.Block);
                    json.WriteReal("map", Math.Round(block.MeanAveragePrecision, 6));
                    json.WriteNumber("queries", block.Queries);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
                json.WriteNumber("database", database);
                json.WriteNumber("skipped", left.Count);
                json.WriteString("protocol", protocol);
                json.WriteString("device", device.Name);
            },
            text =>
            {
                text.WriteLine(protocol + left.Suffix);
                var table = new ResultTable("copies", "queries", "mAP %");
                foreach (var block in blocks)
                    table.Add(block.Block, block.Queries, 100 * block.MeanAveragePrecision);
                table.WriteTo(text);
            });
    }
}
