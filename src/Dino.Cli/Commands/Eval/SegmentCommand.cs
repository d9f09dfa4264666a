using System.CommandLine;
using System.Globalization;
using Dino.Cli.Arguments;
using Dino.Cli.Terminal;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Tensors.Io;
using Dino.Train.Evaluation.Attention;
using Dino.Train.Evaluation.Segmentation;

namespace Dino.Cli.Commands.Eval;

/// <summary><c>dino eval segment</c>: how well the masks of the class token's attention fit objects.</summary>
internal static class SegmentCommand
{
    private static readonly double[] masses = [0.6, 0.8];

    private static readonly Option<string?> images = new("--images") { Description = "Pictures.", HelpName = "FOLDER" };
    private static readonly Option<string?> masks =
        new("--masks") { Description = "A mask for each, of the same name.", HelpName = "FOLDER" };
    private static readonly Option<string?> voc = new("--voc")
    {
        Description =
        "A folder like PASCAL VOC's, in place of --images and --masks: JPEGImages, SegmentationObject, ImageSets.",
        HelpName = "FOLDER"
    };
    private static readonly Option<string> split =
        new("--split")
        {
            Description = "With --voc: the list in ImageSets/Segmentation.",
            DefaultValueFactory = _ => "val",
            HelpName = "NAME"
        };
    private static readonly Option<bool> classes =
        new("--classes") { Description = "With --voc: masks of SegmentationClass instead of SegmentationObject." };

    private static readonly Option<MaskKind> kind = new("--mask-kind")
    {
        Description = "ids: 0 is background, 255 undecided, other numbers are objects. binary: 128 and more is the object. auto: ids for "
            + "palette files "
            + "and for grey ones of small numbers.",
    };

    private static readonly Option<int> size = new("--size")
    {
        Description = "Pixels along the shorter side, the longer one at most four "
        + "times as long; 0 for 480, in proportion for networks of crops smaller than 224."
    };
    private static readonly Option<int> limit = new("--limit") { Description = "Most pictures; 0 for all." };

    public static Command Build()
    {
        var command = new ProgramCommand("segment", "Compare attention masks with the objects of pictures (Jaccard index).", Run)
        {
            Examples =
            [
                ("dino eval segment dino-run/latest.safetensors --voc VOC2012", "the paper's figure 4"),
                ("dino eval segment dino-run/latest.safetensors --images ecssd/images --masks ecssd/masks",
                    "a saliency set: the foreground's IoU"),
            ],
        };
        BackboneArgument.AddTo(command);
        foreach (var option in (Option[])[images, masks, voc, split, classes, kind, size, limit])
            command.Options.Add(option);
        PictureChoice.AddTo(command);
        PreprocessingChoice.AddTo(command);
        DeviceOption.AddTo(command);
        return command;
    }

    private static void Run(CommandContext context)
    {
        context.KeepsNothing();
        int wanted = context.GetBetween(size, 0, 8192), most = context.GetBetween(limit, 0);
        var skipped = new SkippedLines(context, hold: true);
        var (pairs, maskKind) = Pairs(context, skipped.Files);
        if (most > 0)
            pairs = [.. pairs.Take(most)];
        using var device = DeviceOption.Open(context);
        var (backbone, pictureSize, preprocessing) = BackboneArgument.Open(context, device);
        int side = wanted > 0 ? wanted : (int)Math.Round(480 * Math.Min(1, pictureSize / 224.0));
        var attentive = BackboneArgument.Attentive(context, backbone);
        BackboneArgument.CheckSize(backbone, "--size", side);

        var score = new SegmentScore(attentive.Heads, masses);
        var maps = new AttentionMaps(backbone, device, preprocessing);
        int without = 0;
        using var reader = maps.OpenReader(PictureChoice.MaxPixels(context));
        var picture = new DecodedPicture();
        context.Progress.Run("segment", pairs.Count, tracker =>
        {
            for (int i = 0; i < pairs.Count; i++)
            {
                context.Cancel.ThrowIfCancellationRequested();
                var (image, mask) = pairs[i];
                MaskKind ownKind = maskKind;
                if (reader.TryRead(image, picture, skipped.Files)
                    && LabelMap.TryRead(mask, ref ownKind, skipped.Files, PictureChoice.MaxPixels(context)) is { } objects)
                    Add(image, mask, objects);
                tracker.Report(i + 1);
            }
        });
        if (score.Pictures == 0)
            throw without > 0 && without == skipped.Count ? new UserErrorException($"None of the {without} masks has an object.")
                : skipped.Failure("No picture with a mask can be used");
        Print(context, score, without, skipped, side, device.Name);

        void Add(string image, string mask, LabelMap objects)
        {
            if (objects.Width != picture.Width || objects.Height != picture.Height)
            {
                skipped.Files.Report(mask, $"it has {objects.Width} × {objects.Height} pixels, its picture {picture.Width} × "
                    + $"{picture.Height}");
                return;
            }
            if (objects.Highest == 0)
            {
                without++;
                skipped.Files.Report(mask, "it shows no object");
                return;
            }
            skipped.Release();
            score.Add(maps.Of(Path.GetFileNameWithoutExtension(image), picture, side), objects.Ids, objects.Width, objects.Height);
        }
    }

    private static (List<(string Image, string Mask)> Pairs, MaskKind Kind) Pairs(CommandContext context, SkippedFiles skipped)
    {
        string? imageFolder = context.Get(images), maskFolder = context.Get(masks);
        if (context.Get(voc) is { } root)
        {
            if (imageFolder is not null || maskFolder is not null)
                throw new UserErrorException("--voc takes the place of --images and --masks; give one or the other.") { IsUsage = true };
            string list = Path.Combine(root, "ImageSets", "Segmentation", context.Get(split) + ".txt");
            if (FileStatus.Of(list).Kind == FileKind.Missing)
                throw new UserErrorException($"There is no list {list}.");
            string annotations = Path.Combine(root, context.Get(classes) ? "SegmentationClass" : "SegmentationObject");
            string[] names = RegularFile.ReadLines(list);
            if (names.Length == 0)
                throw new UserErrorException($"The list {list} is empty.");
            return ([.. names.Select(name => (Path.Combine(root, "JPEGImages", name + ".jpg"), Path.Combine(annotations, name + ".png")))],
                context.IsGiven(kind) ? context.Get(kind) : MaskKind.Ids);
        }
        if (imageFolder is null || maskFolder is null)
            throw new UserErrorException("Pictures and masks are missing: give --images and --masks, or --voc.") { IsUsage = true };
        return (Folders.PairByName(context, imageFolder, maskFolder, skipped), context.Get(kind));
    }

    private static void Print(CommandContext context, SegmentScore score, int without, SkippedLines skipped, int side, string device)
    {
        string protocol = $"shorter side {side} (longer at most {PictureGrid.LongestRatio * side}), whole patches; masks at the "
            + $"resolution of the annotation; attention of the class token, last block; "
            + "best head of each object, mean over objects, then over pictures";
        context.Result(
            json =>
            {
                json.WriteStartArray("masks");
                foreach (var accuracy in score.Accuracies)
                {
                    json.WriteStartObject();
                    json.WriteNumber("mass", accuracy.Mass);
                    json.WriteReal("jaccard", Math.Round(accuracy.BestHead, 6));
                    json.WriteReal("jaccard_one_head", Math.Round(accuracy.FixedHead, 6));
                    json.WriteNumber("one_head", accuracy.Head);
                    json.WriteReal("jaccard_mean_of_heads", Math.Round(accuracy.MeanOfHeads, 6));
                    json.WriteReal("foreground_iou", Math.Round(accuracy.ForegroundBestHead, 6));
                    json.WriteReal("foreground_iou_mean_of_heads", Math.Round(accuracy.ForegroundMeanOfHeads, 6));
                    json.WriteEndObject();
                }
                json.WriteEndArray();
                json.WriteNumber("pictures", score.Pictures);
                json.WriteNumber("objects", score.Objects);
                json.WriteNumber("pictures_without_object", without);
                json.WriteNumber("skipped", skipped.Count);
                json.WriteString("protocol", protocol);
                json.WriteString("device", device);
            },
            text =>
            {
                text.WriteLine(protocol);
                text.WriteLine($"{score.Objects} objects in {score.Pictures} "
                    + $"pictures{skipped.Suffix}{(without > 0 ? $", {without} of them without an object" : "")}");
                var table = new ResultTable("Jaccard, %", "best head", "one head for all", "mean of heads", "foreground, best head",
                    "foreground, mean of heads");
                foreach (var accuracy in score.Accuracies)
                    table.Add(
                        string.Create(CultureInfo.InvariantCulture, $"mass {accuracy.Mass}"), 100 * accuracy.BestHead,
                        string.Create(CultureInfo.InvariantCulture, $"{100 * accuracy.FixedHead:F2} (head {accuracy.Head})"),
                        100 * accuracy.MeanOfHeads, 100 * accuracy.ForegroundBestHead, 100 * accuracy.ForegroundMeanOfHeads);
                table.WriteTo(text);
            });
    }
}
