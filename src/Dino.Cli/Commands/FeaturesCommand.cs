using System.CommandLine;
using Dino.Cli.Arguments;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Pictures.Writing;
using Dino.Train.Evaluation.Attention;
using Dino.Train.Evaluation.Features;

namespace Dino.Cli.Commands;

/// <summary><c>dino features</c>: the features of a folder's pictures as a file for other programs.</summary>
internal static class FeaturesCommand
{
    private static readonly Argument<string[]> folder = new("FOLDER")
    {
        Description = "Pictures, in class folders or not: " + PictureChoice.Kinds + ".",
        Arity = ArgumentArity.OneOrMore,
    };
    private static readonly Option<string> outputDir =
        new("--output-dir")
        {
            Description = "Where features.npy, features.csv and pictures go.",
            DefaultValueFactory = _ => "dino-features",
            HelpName = "FOLDER"
        };

    private static readonly Option<FeatureChoice> kind = new("--kind")
    {
        Description = "cls: the class token. linear: class tokens of the last 4 blocks, or class and mean patch token for networks as "
            + "wide as ViT-B. "
            + "copy: class token and GeM of the patch tokens (p = 4).",
    };

    private static readonly Option<int> size =
        new("--size") { Description = "Pixels along the side of the pictures; 0 for the size that the network was trained on." };
    private static readonly Option<int> batchSize =
        new("--batch-size") { Description = "Pictures at a time.", DefaultValueFactory = _ => 64 };
    private static readonly Option<int> pca =
        new("--pca") { Description = "Also paint the patch features of so many first pictures by their three principal components." };
    private static readonly Option<int> pcaSize = new(
        "--pca-size")
    { Description = "Pixels along the shorter side for --pca; 0 for twice the size that the network was trained on." };

    private static readonly Option<bool> verify = new("--verify")
    {
        Description = "Compare the contents of the pictures with those of "
        + "features that are there, however many they are; without it, names, sizes and times of large data sets."
    };

    private enum FeatureChoice
    {
        Cls,
        Linear,
        Copy,
    }

    public static Command Build()
    {
        var command = new ProgramCommand("features",
            "Write the features of a folder's pictures as .npy and .csv; goes on where it was stopped.", Run)
        {
            Examples =
            [
                ("dino features dino-run/latest.safetensors photos",
                    "dino-features/features.npy, a row a picture, and features.csv with their names"),
                ("dino features dino-run/latest.safetensors photos --pca 16 --pca-size 448",
                    "and pictures of the first sixteen's patch features"),
            ],
        };
        command.Arguments.Add(folder);
        BackboneArgument.AddTo(command);
        foreach (var option in (Option[])[outputDir, kind, size, batchSize, pca, pcaSize, verify])
            command.Options.Add(option);
        PictureChoice.AddTo(command);
        PreprocessingChoice.AddTo(command);
        DeviceOption.AddTo(command);
        return command;
    }

    private static void Run(CommandContext context)
    {
        context.Kept = () => $"Rows that were made are kept in {context.Get(outputDir)}; the same command goes on behind them.";
        int batch = context.GetBetween(batchSize, 1), wanted = context.GetBetween(size, 0, 8192);
        int painted = context.GetBetween(pca, 0), wantedPca = context.GetBetween(pcaSize, 0, 8192);
        var left = new SkippedLines(context);
        var skipped = left.Files;
        var pictures = Folders.Scan(context, context.Get(folder)!, skipped);
        using var device = DeviceOption.Open(context);
        var (backbone, pictureSize, preprocessing) = BackboneArgument.Open(context, device);
        int side = wanted > 0 ? wanted : pictureSize;
        if (context.Get(kind) == FeatureChoice.Copy || painted > 0)
            _ = BackboneArgument.Attentive(context, backbone);
        var feature = context.Get(kind) switch
        {
            FeatureChoice.Linear => FeatureKind.LinearProbeOf(backbone),
            FeatureChoice.Copy => FeatureKind.CopyDetection,
            _ => FeatureKind.OutputOf(backbone),
        };
        int dim = feature.Width(backbone);
        var prefetch = new PrefetchOptions { MaxPixels = PictureChoice.MaxPixels(context) };
        var listing = PictureListing.Of(pictures, context.Get(verify), context.Cancel);
        var origin = new FeatureDumpOrigin(
            FileHash.Of(BackboneArgument.Path(context), context.Cancel), BackboneArgument.Network(context), feature.Name, dim, side,
            pictures.Count, FeatureDumpOrigin.ListingOf(pictures))
        {
            Architecture = backbone.Architecture + (BackboneArgument.Choice(context).AllowPartial ? ", in part" : ""),
            Precision = device.Precision.ToString().ToLowerInvariant(),
            MaxPixels = prefetch.UnusualMaxPixels,
            Preprocessing = preprocessing == new Preprocessing() ? null : preprocessing,
            Data = listing.Identity(),
        };
        DepthNotes.Say(context, pictures, preprocessing, backbone.Channels, DepthNotes.Evaluation);
        using var dump = new FeatureDump(context.Get(outputDir)!, origin, listing);
        (int Kept, int Rows)? made = null;
        if (dump.IsDone)
            context.Say($"{dump.NpyPath} is there already, of the same pictures and weights");
        else
            made = Extract();
        string[] paintings = painted > 0
            ? Paint(context, new PatchComponents(backbone, device, wantedPca > 0 ? wantedPca : 2 * pictureSize, preprocessing), pictures,
                Math.Min(painted, pictures.Count), skipped)
            : [];

        context.Result(
            json =>
            {
                json.WriteString("features", dump.NpyPath);
                json.WriteString("index", dump.CsvPath);
                json.WriteNumber("dim", dim);
                if (made is { } rows)
                {
                    json.WriteNumber("rows", rows.Rows);
                    json.WriteNumber("rows_of_earlier_runs", rows.Kept);
                }
                json.WriteNumber("skipped", skipped.Count);
                json.WriteString("feature", feature.Name);
                json.WriteNumber("size", side);
                json.WriteStartArray("pictures");
                foreach (string path in paintings)
                    json.WriteStringValue(path);
                json.WriteEndArray();
                json.WriteString("device", device.Name);
            },
            text =>
            {
                if (made is { } rows)
                    text.WriteLine($"{rows.Rows} features of {dim} numbers "
                        + $"({feature.Name}){(rows.Kept > 0 ? $", {rows.Kept} of them from an earlier run" : "")}{left.Suffix}");
                text.WriteLine($"{dump.NpyPath}, {dump.CsvPath}");
                if (paintings.Length > 0)
                    text.WriteLine($"{paintings.Length} pictures of patch features in {Path.GetDirectoryName(paintings[0])}");
            });

        (int, int) Extract()
        {
            (int, int) result = default;
            bool any = false;
            context.Progress.Run("features", pictures.Count, tracker =>
            {
                try
                {
                    result = dump.Run(
                        backbone, device, feature, pictures, FeatureExtractor.Protocol(side, batch, prefetch, preprocessing), skipped, Done,
                        context.Cancel);
                }
                catch (Exception e) when (e is ImageFolderException or ArgumentException)
                {
                    throw new UserErrorException(e.Message, e);
                }

                void Done(int done)
                {
                    if (!any)
                        tracker.StartAt(done); // the first report is of the pictures of earlier runs
                    any = true;
                    tracker.Report(done);
                }
            });
            return result;
        }
    }

    private static string[] Paint(CommandContext context, PatchComponents components, ImageFolder pictures, int count, SkippedFiles skipped)
    {
        string target = Path.Combine(context.Get(outputDir)!, "pca");
        Directory.CreateDirectory(target);
        var written = new List<string>();
        using var reader = components.OpenReader(PictureChoice.MaxPixels(context));
        var picture = new DecodedPicture();
        context.Progress.Run("patch features", 2 * count, tracker =>
        {
            for (int pass = 0; pass < 2; pass++)
            {
                for (int i = 0; i < count; i++)
                {
                    context.Cancel.ThrowIfCancellationRequested();
                    try
                    {
                        using var input = pictures.Open(i);
                        reader.Read(input, picture);
                    }
                    catch (ImageDecodeException e)
                    {
                        skipped.Report(pictures.PathOf(i), e.Reason);
                        continue;
                    }
                    if (pass == 0)
                    {
                        components.Add(picture);
                    }
                    else
                    {
                        var painting = components.Paint(picture, scale: 8);
                        string path = Path.Combine(target, $"{i:D3}-{PictureFiles.NameFor(pictures.PathOf(i))}.png");
                        Png.WriteRgb(path, painting.Pixels, painting.Width, painting.Height);
                        written.Add(path);
                    }
                    tracker.Report(pass * count + i + 1);
                }
            }
        });
        return [.. written];
    }
}
