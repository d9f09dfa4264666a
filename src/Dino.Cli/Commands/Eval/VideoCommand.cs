using System.CommandLine;
using System.Globalization;
using Dino.Cli.Arguments;
using Dino.Cli.Terminal;
using Dino.Pictures.DataSets;
using Dino.Pictures.Writing;
using Dino.Tensors.Io;
using Dino.Train.Evaluation;
using Dino.Train.Evaluation.Segmentation;
using Dino.Train.Options;

namespace Dino.Cli.Commands.Eval;

/// <summary><c>dino eval video</c>: objects followed through videos by the similarity of patch features.</summary>
internal static class VideoCommand
{
    private static readonly LabelPropagationOptions defaults = new();

    private static readonly Option<string> data =
        new("--data")
        {
            Description = "Videos in the layout of DAVIS: JPEGImages/480p/NAME, Annotations/480p/NAME.",
            Required = true,
            HelpName = "FOLDER"
        };

    private static readonly Option<string[]> sequences = new("--sequences")
    {
        Description = "Videos by name; otherwise those of ImageSets/2017/val.txt, or all.",
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => [],
        HelpName = "NAME",
    };

    private static readonly Option<string?> outputDir =
        new("--output-dir") { Description = "Write the masks, as indexed PNG files, into NAME/ below this folder.", HelpName = "FOLDER" };
    private static readonly Option<int> lastFrames =
        new("--n-last-frames")
        {
            Description = "Frames before the current one that labels come from, beside the first.",
            DefaultValueFactory = _ => defaults.LastFrames
        };
    private static readonly Option<int> radius =
        new("--size-mask-neighborhood")
        {
            Description = "Patches that a label may move; 0 for any number.",
            DefaultValueFactory = _ => defaults.Radius
        };
    private static readonly Option<int> topk =
        new("--topk") { Description = "Patches that a label is averaged over.", DefaultValueFactory = _ => defaults.TopK };
    private static readonly Option<double> temperature =
        new("--temperature") { Description = "Of the patches' weights.", DefaultValueFactory = _ => defaults.Temperature };
    private static readonly Option<int> size =
        new("--size")
        {
            Description = "Pixels along the shorter side of the frames, the longer one at most four times as long.",
            DefaultValueFactory = _ => 480
        };
    private static readonly Option<MaskKind> kind = new("--mask-kind")
    {
        Description =
        "ids: 0 is background, other numbers are objects. binary: 128 and more is the object. auto: by the first mask."
    };

    public static Command Build()
    {
        var command = new ProgramCommand("video", "Follow objects through videos from their masks in the first frame (J and F of DAVIS).",
            Run)
        {
            Examples =
            [
                ("dino eval video dino-run/latest.safetensors --data DAVIS", "the paper's protocol on DAVIS 2017"),
                ("dino eval video dino-run/latest.safetensors --data DAVIS --sequences dog --output-dir masks",
                    "one video, with its masks"),
            ],
        };
        BackboneArgument.AddTo(command);
        foreach (var option in (Option[])[data, sequences, outputDir, lastFrames, radius, topk, temperature, size, kind])
            command.Options.Add(option);
        PictureChoice.AddLimitTo(command);
        PreprocessingChoice.AddTo(command);
        DeviceOption.AddTo(command);
        return command;
    }

    private static void Run(CommandContext context)
    {
        context.KeepsNothing();
        var options = new LabelPropagationOptions
        {
            LastFrames = context.GetBetween(lastFrames, 0),
            Radius = context.GetBetween(radius, 0),
            TopK = context.GetBetween(topk, 1),
            Temperature = context.GetWithin(temperature, new Limits(0) { IsAbove = true, StrangeOver = 1, Usual = "the paper's is 0.1" }),
        };
        int side = context.GetBetween(size, 1, 8192);
        var leftOut = new List<(string Video, string Reason)>();
        int told = 0, followed = 0;
        var videos = VideoFolder.Scan(context.Get(data)!, context.Get(sequences)!, LeaveOut);
        foreach (var video in videos)
        {
            foreach (string remark in video.Remarks)
                Note(video.Name, remark);
        }
        using var device = DeviceOption.Open(context);
        var (backbone, _, preprocessing) = BackboneArgument.Open(context, device);
        var attentive = BackboneArgument.Attentive(context, backbone);
        BackboneArgument.CheckSize(backbone, "--size", side);

        var scores = new List<ObjectScore>();
        int frames = 0, done = 0;
        var skipped = new SkippedLines(context);
        using var run = new VideoRun(backbone, device, side, options, preprocessing)
        {
            MaxPixels = PictureChoice.MaxPixels(context),
            OnNote = Note,
            Skipped = skipped.Files
        };
        context.Progress.Run("video", videos.Sum(video => video.Frames.Count), tracker =>
        {
            foreach (var video in videos)
            {
                int before = frames;
                try
                {
                    string? folder = context.Get(outputDir) is { } root ? Path.Combine(root, RawName.Shown(video.Name)) : null;
                    if (folder is not null)
                        Directory.CreateDirectory(folder);
                    scores.AddRange(run.Follow(video, context.Get(kind), (i, labels) =>
                    {
                        if (folder is not null)
                            IndexedPng.Write(Path.Combine(
                                folder, RawName.Shown(Path.GetFileNameWithoutExtension(video.Frames[i])) + ".png"), labels.Ids,
                                labels.Width, labels.Height);
                        tracker.Report(++frames - before + done, video.Name);
                    }, context.Cancel));
                    followed++;
                    Tell();
                }
                catch (Exception e) when (e is EvaluationException or ImageFolderException)
                {
                    frames = before;
                    LeaveOut(video.Name, e.Message);
                }
                done += video.Frames.Count;
                tracker.Report(done, video.Name);
            }
        });
        if (followed == 0)
            throw new UserErrorException(leftOut.Count == 1
                ? $"{leftOut[0].Video}: {leftOut[0].Reason}"
                : $"None of the {leftOut.Count} videos could be followed: {leftOut[0].Video}: {leftOut[0].Reason} And "
                    + $"{leftOut.Count - 1} more like it.");
        string protocol = string.Create(CultureInfo.InvariantCulture,
            $"shorter side {side}, patches of {attentive.Patch}; first frame and {options.LastFrames} last, radius {options.Radius}, "
                + $"top-{options.TopK}, temperature {options.Temperature}; first and last frame not counted");
        Print(context, scores, leftOut, skipped, followed, frames, protocol, device.Name);

        void Note(string video, string remark) => context.Error.WriteLine($"note: {RawName.Shown(video)}: {remark}");

        void LeaveOut(string video, string reason)
        {
            leftOut.Add((RawName.Shown(video), reason));
            if (followed > 0)
                Tell();
        }

        // Once one could be followed: if none can, one line says so.
        void Tell()
        {
            for (; told < leftOut.Count; told++)
                context.Error.WriteLine($"left out {leftOut[told].Video}: {leftOut[told].Reason}");
        }
    }

    private static void Print(
        CommandContext context, List<ObjectScore> scores, List<(string Video, string Reason)> leftOut, SkippedLines skipped, int videos,
        int frames, string protocol, string device)
    {
        bool any = scores.Count > 0; // masks may be wanted where only first frames are annotated
        var (j, f) = any
            ? (MeasureStatistics.MeanOf([.. scores.Select(score => score.J)]),
                MeasureStatistics.MeanOf([.. scores.Select(score => score.F)]))
            : default;
        context.Result(
            json =>
            {
                void Measures(MeasureStatistics region, MeasureStatistics boundary)
                {
                    json.WriteReal("j_and_f", Math.Round((region.Mean + boundary.Mean) / 2, 6));
                    foreach (var (name, value) in ((string, double)[])[("j_mean", region.Mean), ("j_recall", region.Recall),
                        ("j_decay", region.Decay),
                        ("f_mean", boundary.Mean), ("f_recall", boundary.Recall), ("f_decay", boundary.Decay)])
                        json.WriteReal(name, Math.Round(value, 6));
                }
                if (any)
                    Measures(j, f);
                json.WriteStartArray("objects");
                foreach (var score in scores)
                {
                    json.WriteStartObject();
                    json.WriteString("sequence", score.Sequence);
                    json.WriteNumber("id", score.Id);
                    Measures(score.J, score.F);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
                json.WriteNumber("videos", videos);
                json.WriteStartArray("left_out");
                foreach (var (video, reason) in leftOut)
                {
                    json.WriteStartObject();
                    json.WriteString("sequence", video);
                    json.WriteString("reason", reason);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
                json.WriteNumber("frames", frames);
                json.WriteNumber("skipped", skipped.Count);
                json.WriteString("protocol", protocol);
                json.WriteString("device", device);
            },
            text =>
            {
                text.WriteLine(protocol);
                text.WriteLine($"{scores.Count} annotated objects in {videos} videos of {frames} "
                    + $"frames{(leftOut.Count > 0 ? $"; {leftOut.Count} videos left out" : "")}{skipped.Suffix}");
                if (!any)
                    return;
                var table = new ResultTable("%", "J&F", "J mean", "J recall", "J decay", "F mean", "F recall", "F decay");
                void Row(string name, MeasureStatistics region, MeasureStatistics boundary) => table.Add(
                    name, 50 * (region.Mean + boundary.Mean), 100 * region.Mean, 100 * region.Recall, 100 * region.Decay,
                    100 * boundary.Mean, 100 * boundary.Recall, 100 * boundary.Decay);
                foreach (var score in scores)
                    Row($"{score.Sequence} {score.Id}", score.J, score.F);
                Row("all", j, f);
                table.WriteTo(text);
            });
    }
}
