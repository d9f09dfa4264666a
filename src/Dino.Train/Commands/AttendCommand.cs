using System.CommandLine;
using Dino.Tensors.Io;
using Dino.Train.Cli;
using Dino.Train.Data;
using Dino.Train.Eval;
using Dino.Train.Report;

namespace Dino.Train.Commands;

/// <summary><c>dino attend</c>: where a network's last block looks in a picture.</summary>
internal static class AttendCommand
{
    private static readonly Argument<string[]> pictures = new("PICTURE") { Description = "Pictures, or folders of pictures.", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string> outputDir = new("--output-dir") { Description = "Where the maps go.", DefaultValueFactory = _ => "dino-attention", HelpName = "FOLDER" };
    private static readonly Option<double> threshold = new("--threshold") { Description = "Share of the attention inside a mask.", DefaultValueFactory = _ => 0.6 };
    private static readonly Option<int> size = new("--size") { Description = "Pixels along the shorter side; 0 for twice the size that the network was trained on." };
    private static readonly Option<int> limit = new("--limit") { Description = "Most pictures of a folder; with --video frames, all unless given.", DefaultValueFactory = _ => 16 };
    private static readonly Option<bool> video = new("--video") { Description = "PICTURE is a video: a folder of frames, or an animated GIF." };
    private static readonly Option<VideoFormat> videoFormat = new("--video-format") { Description = "gif, or mp4 where ffmpeg is installed." };
    private static readonly Option<double> fps = new("--fps") { Description = "Frames a second; 0 for the GIF's own times, or 25 for a folder." };

    public static Command Build()
    {
        var command = new ProgramCommand("attend", "Write attention maps: per head, mean, mask and overlay, and a contact sheet.", Run)
        {
            Examples =
            [
                ("dino attend dino-run/latest.safetensors cat.jpg dog.jpg", "maps of two pictures in dino-attention"),
                ("dino attend dino-run/latest.safetensors photos --limit 8 --size 480", "of the first eight pictures of a folder, in fine patches"),
                ("dino attend dino-run/latest.safetensors frames --video", "a folder of frames as an animated GIF"),
            ],
        };
        command.Arguments.Add(pictures);
        BackboneArgument.AddTo(command);
        foreach (var option in (Option[])[outputDir, threshold, size, limit, video, videoFormat, fps])
            command.Options.Add(option);
        PictureChoice.AddTo(command);
        DeviceOption.AddTo(command);
        return command;
    }

    private static void Run(CommandContext context)
    {
        double mass = context.Get(threshold);
        if (mass is not (> 0 and <= 1))
            throw new UserErrorException($"--threshold must lie between 0 and 1, not at {mass}.") { IsUsage = true };
        int most = context.GetBetween(limit, 1), wanted = context.GetBetween(size, 0, 8192);
        bool film = context.Get(video);
        if (film && context.Get(pictures)!.Length != 1)
            throw new UserErrorException("--video takes one folder of frames, or one GIF.") { IsUsage = true };
        if (context.Get(fps) is not (>= 0 and <= 1000))
            throw new UserErrorException("--fps must lie between 0 and 1000.") { IsUsage = true };
        string[] paths = film ? context.Get(pictures)! : [.. context.Get(pictures)!.SelectMany(path => Expand(context, path, most))];
        using var device = DeviceOption.Open(context);
        var (backbone, pictureSize) = BackboneArgument.Open(context, device);
        int side = wanted > 0 ? wanted : 2 * pictureSize;
        if (side < backbone.Config.Patch)
            throw new UserErrorException($"--size {side} is smaller than the network's patches of {backbone.Config.Patch} pixels.")
            {
                IsUsage = true,
            };

        string folder = context.Get(outputDir)!;
        var maps = new AttentionMaps(backbone, device);
        if (film)
        {
            var (path, frames) = new AttentionVideo(maps, side, mass).Write(
                context, paths[0], folder, context.Get(videoFormat), context.Get(fps), context.IsGiven(limit) ? most : int.MaxValue);
            context.Result(
                json =>
                {
                    json.WriteNumber("count", frames);
                    json.WriteString("video", path);
                    json.WriteString("device", device.Name);
                },
                text => text.WriteLine($"{frames} frames: {path}, and each by itself in {Path.Combine(folder, "frames")}"));
            return;
        }
        var seen = new List<AttentionPicture>();
        var written = new List<string>();
        using var decoder = new ImageDecoder(PictureChoice.MaxPixels(context));
        var picture = new RgbImage();
        context.Progress.Run("attention", paths.Length, tracker =>
        {
            foreach (string path in paths)
            {
                context.Cancel.ThrowIfCancellationRequested();
                decoder.DecodeOrFail(path, picture);
                string name = Path.GetFileNameWithoutExtension(path);
                seen.Add(maps.Of(name, picture, side));
                written.AddRange(AttentionFiles.Write(Path.Combine(folder, $"{seen.Count:D3}-{name}"), seen[^1], mass));
                tracker.Report(seen.Count);
            }
        });
        string sheet = Path.Combine(folder, "attention.png");
        AttentionSheet.Write(sheet, "Attention of the class token, last block", seen, mass);
        written.Insert(0, sheet);
        context.Result(
            json =>
            {
                json.WriteNumber("count", seen.Count);
                json.WriteStartArray("pictures");
                foreach (string path in written)
                    json.WriteStringValue(path);
                json.WriteEndArray();
                json.WriteString("device", device.Name);
            },
            text => text.WriteLine($"{seen.Count} pictures: {sheet}, and each by itself in {folder}"));
    }

    private static IEnumerable<string> Expand(CommandContext context, string path, int most)
    {
        var kind = FileStatus.Of(path).Kind;
        if (kind != FileKind.Folder)
            return kind != FileKind.Missing ? [path] : throw new UserErrorException($"There is no picture or folder {path}.");
        var folder = Folders.Scan(context, path, Folders.Skipped(context));
        return Enumerable.Range(0, Math.Min(most, folder.Count)).Select(folder.PathOf);
    }
}
