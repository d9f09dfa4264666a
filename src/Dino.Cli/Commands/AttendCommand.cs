using System.CommandLine;
using System.Globalization;
using Dino.Cli.Arguments;
using Dino.Cli.Drawing;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Tensors.Io;
using Dino.Train.Evaluation.Attention;
using Dino.Train.Runs;

namespace Dino.Cli.Commands;

/// <summary><c>dino attend</c>: where a network's last block looks in a picture.</summary>
internal static class AttendCommand
{
    private static readonly Argument<string[]> pictures =
        new("PICTURE") { Description = "Pictures, or " + PictureChoice.Kinds + ".", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string> outputDir =
        new("--output-dir") { Description = "Where the maps go.", DefaultValueFactory = _ => "dino-attention", HelpName = "FOLDER" };
    private static readonly Option<double> threshold =
        new("--threshold") { Description = "Share of the attention inside a mask.", DefaultValueFactory = _ => 0.6 };
    private static readonly Option<int> size = new("--size")
    {
        Description =
        "Pixels along the longer side at most, cut to whole patches; 0 for twice the size that the network was trained on."
    };
    private static readonly Option<bool> originalSize =
        new("--original-size")
        {
            Description =
        "Write maps, masks and overlay in each picture's own size, not in that which the network saw."
        };
    private static readonly Option<int> limit =
        new("--limit") { Description = "Most pictures of a folder; with --video frames, all unless given.", DefaultValueFactory = _ => 16 };
    private static readonly Option<bool> video =
        new("--video") { Description = "PICTURE is a video: a folder of frames, or an animated GIF." };
    private static readonly Option<VideoFormat> videoFormat =
        new("--video-format") { Description = "gif, or mp4 where ffmpeg is installed." };
    private static readonly Option<double> fps =
        new("--fps") { Description = "Frames a second, for a GIF from 0.002 to 50; 0 for the GIF's own times, or 25 for a folder." };

    public static Command Build()
    {
        var command = new ProgramCommand("attend", "Write attention maps: per head, mean, mask and overlay, and a contact sheet.", Run)
        {
            Examples =
            [
                ("dino attend dino-run/latest.safetensors cat.jpg dog.jpg", "maps of two pictures in dino-attention"),
                ("dino attend dino-run/latest.safetensors photos --limit 8 --size 480",
                    "of the first eight pictures of a folder, the longer side 480 pixels"),
                ("dino attend dino-run/latest.safetensors frames --video", "a folder of frames as an animated GIF"),
            ],
        };
        command.Arguments.Add(pictures);
        BackboneArgument.AddTo(command);
        foreach (var option in (Option[])[outputDir, threshold, size, originalSize, limit, video, videoFormat, fps])
            command.Options.Add(option);
        PictureChoice.AddTo(command);
        PreprocessingChoice.AddTo(command);
        DeviceOption.AddTo(command);
        return command;
    }

    private static void Run(CommandContext context)
    {
        context.Kept = () => $"What was painted is in {context.Get(outputDir)}; the same command paints it all again.";
        double mass = context.Get(threshold);
        if (mass is not (> 0 and <= 1))
            throw new UserErrorException($"--threshold must lie between 0 and 1, not at {mass}.") { IsUsage = true };
        int most = context.GetBetween(limit, 1), wanted = context.GetBetween(size, 0, 8192);
        bool film = context.Get(video);
        if (film && context.Get(pictures)!.Length != 1)
            throw new UserErrorException("--video takes one folder of frames, or one GIF.") { IsUsage = true };
        // A GIF counts its frames' times in hundredths of a second, from 2 to 65,535.
        var (least, fastest) = context.Get(videoFormat) == VideoFormat.Gif ? (0.002, 50.0) : (0.001, 1000.0);
        if (context.Get(fps) is var rate && rate != 0 && !(rate >= least && rate <= fastest))
        {
            throw new UserErrorException(string.Create(CultureInfo.InvariantCulture,
                $"--fps must lie between {least} and {fastest} for {(fastest > 50 ? "an MP4" : "a GIF")}, or be 0, not {rate}."))
            {
                IsUsage = true,
            };
        }
        if (film && context.Get(originalSize))
            throw new UserErrorException("--original-size is for pictures; the frames of a film have the size that the network "
                + "saw.")
            { IsUsage = true };
        var skipped = new SkippedLines(context, hold: true);
        PictureGroup[] groups = film ? [] : [.. context.Get(pictures)!.Select(
            path => PictureGroup.Of(context, path, most, skipped.Files))];
        using var device = DeviceOption.Open(context);
        var (backbone, pictureSize, preprocessing) = BackboneArgument.Open(context, device);
        int side = wanted > 0 ? wanted : 2 * pictureSize;
        _ = BackboneArgument.Attentive(context, backbone);
        BackboneArgument.CheckSize(backbone, "--size", side);

        string folder = context.Get(outputDir)!;
        using var hold = FolderLock.Acquire(folder);
        var maps = new AttentionMaps(backbone, device, preprocessing);
        if (film)
            Film(context, new AttentionVideo(maps, side, mass, skipped), folder, context.IsGiven(limit) ? most : int.MaxValue, device.Name);
        else
            Pictures(context, maps, groups, folder, side, mass, skipped, device.Name);
    }

    private static void Film(CommandContext context, AttentionVideo video, string folder, int most, string device)
    {
        var (path, frames) = video.Write(context, context.Get(pictures)![0], folder, context.Get(videoFormat), context.Get(fps), most);
        context.Result(
            json =>
            {
                json.WriteNumber("count", frames);
                json.WriteNumber("skipped", video.Skipped.Count);
                json.WriteString("video", path);
                json.WriteString("device", device);
            },
            text => text.WriteLine($"{frames} frames: {path}, and each by itself in "
                + $"{Path.Combine(folder, "frames")}{video.Skipped.Suffix}"));
    }

    private static void Pictures(
        CommandContext context, AttentionMaps maps, PictureGroup[] groups, string folder, int side, double mass, SkippedLines skipped,
        string device)
    {
        var shown = new List<AttentionPicture>();
        var written = new List<string>();
        int count = 0, asked = groups.Sum(group => group.Count);
        bool own = context.Get(originalSize);
        using var reader = maps.OpenReader(PictureChoice.MaxPixels(context));
        var picture = new DecodedPicture();
        context.Progress.Run("attention", groups.Sum(group => group.Most), tracker =>
        {
            foreach (var group in groups)
            {
                int done = 0;
                for (int i = 0; i < group.Count && done < group.Most; i++)
                {
                    string path = group.PathOf(i);
                    context.Cancel.ThrowIfCancellationRequested();
                    if (!reader.TryRead(path, () => group.Open(i), picture, skipped.Files))
                        continue;
                    skipped.Release();
                    string name = PictureFiles.NameFor(path);
                    var attention = maps.Of(name, picture, PictureGrid.Within(picture.Width, picture.Height, side, maps.Patch));
                    written.AddRange(AttentionFiles.Write(
                        Path.Combine(folder, $"{++count:D3}-{name}"), attention, mass, own ? picture.ToRgb() : null));
                    if (shown.Count < AttentionSheet.Most)
                        shown.Add(attention);
                    done++;
                    tracker.Report(count);
                }
            }
        });
        if (count == 0)
            throw asked == 1 ? new UserErrorException($"{skipped.Files.Snapshot()[0].Path}: {skipped.Files.Snapshot()[0].Reason}.")
                : skipped.Failure($"None of the {asked} pictures can be read");
        string sheet = Path.Combine(folder, "attention.png");
        AttentionSheet.Write(sheet, "Attention of the class token, last block", shown, mass);
        written.Insert(0, sheet);
        context.Result(
            json =>
            {
                json.WriteNumber("count", count);
                json.WriteNumber("skipped", skipped.Count);
                json.WriteStartArray("pictures");
                foreach (string path in written)
                    json.WriteStringValue(path);
                json.WriteEndArray();
                json.WriteString("device", device);
            },
            text => text.WriteLine(
                $"{count} pictures: {sheet}{(count > shown.Count ? $" of the first {shown.Count}" : "")}, and each by itself in "
                    + $"{folder}{skipped.Suffix}"));
    }

    /// <summary>What one argument names: a picture, or a folder of which so many are taken.</summary>
    private sealed record PictureGroup(int Count, Func<int, string> PathOf, Func<int, PictureInput> Open, int Most)
    {
        public static PictureGroup Of(CommandContext context, string path, int most, SkippedFiles skipped)
        {
            var kind = FileStatus.Of(path).Kind;
            if (kind == FileKind.Missing && BraceNotation.Expand(path) is null)
                throw new UserErrorException($"There is no picture or folder {RawName.Shown(path)}.");
            if (kind is not (FileKind.Folder or FileKind.Missing) && !(kind == FileKind.Regular && DataPaths.IsArchiveOrList(path)))
                return new(1, _ => path, _ => PictureInput.OfFile(path), 1);
            var folder = Folders.Scan(context, [path], skipped);
            if (folder.Count > most && !context.IsGiven(limit))
                context.Say($"{RawName.Shown(path)} has {folder.Count} pictures; the first {most} are taken, --limit takes more");
            return new(folder.Count, folder.PathOf, folder.Open, Math.Min(most, folder.Count));
        }
    }
}
