using System.CommandLine;
using System.Text.Json;
using Dino.Cli.Arguments;
using Dino.Cli.Drawing;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Pictures.Transforms;
using Dino.Tensors.Io;

namespace Dino.Cli.Commands;

/// <summary><c>dino augment</c>: what a network in training sees of a picture.</summary>
internal static class AugmentCommand
{
    private static readonly TrainOptionSet hyperparameters = new(onlyViews: true);

    private static readonly Argument<string[]> pictures =
        new("PICTURE") { Description = "Pictures.", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string> output =
        new("--output") { Description = "The sheet, a PNG file.", DefaultValueFactory = _ => "dino-views.png", HelpName = "FILE" };
    private static readonly Option<int> draws =
        new("--draws") { Description = "How often each picture is drawn, a row each.", DefaultValueFactory = _ => 4 };
    private static readonly Option<DecodeMode> decode = PreprocessingChoice.Decode("fast");
    private static readonly Option<string?> range = new("--range")
    {
        Description = "Stored values that become black and white, 0,4095 say, for pictures of more than 8 bits.",
        HelpName = "LOW,HIGH",
    };
    private static readonly Option<string?> args = new("--args")
    {
        Description = "Take the options of the views from a file, as args.json of a run; those on the command line go before it.",
        HelpName = "FILE",
    };

    public static Command Build()
    {
        var command = new ProgramCommand("augment", "Draw what a network in training sees of a picture: a sheet of its views.", Run)
        {
            File = args,
            IsOfFile = option => option != args && option != output && option != draws,
            IsPassedOver = TrainCommand.HasKey,
            Group = (TrainOptionSet.Heading, [.. hyperparameters.Views]),
            Examples =
            [
                ("dino augment cat.jpg", "four draws of its crops in dino-views.png"),
                ("dino augment part.png --jitter-prob 0 --grayscale-prob 0 --blur-radius 0.1 1", "try a recipe before training with it"),
                ("dino augment scan.tif --range 0,4095 --channels 1", "a picture of 12 bits, in grey"),
                ("dino augment cat.jpg --args dino-run/args.json", "with the views of a run"),
            ],
        };
        command.Arguments.Add(pictures);
        foreach (var option in (Option[])[output, draws, decode, range, args])
            command.Options.Add(option);
        PictureChoice.AddLimitTo(command);
        hyperparameters.AddTo(command);
        hyperparameters.Seed.Description = "Decides what is drawn.";
        return command;
    }

    private static void Run(CommandContext context)
    {
        context.KeepsNothing();
        var options = hyperparameters.ReadViews(context);
        string[] paths = context.Get(pictures)!;
        int each = context.GetBetween(draws, 1, ViewSheet.MostRows);
        if ((long)each * paths.Length > ViewSheet.MostRows)
        {
            throw new UserErrorException($"{paths.Length} pictures with {each} draws each are more than the {ViewSheet.MostRows} rows of a "
                + "sheet: give fewer, or fewer --draws.")
            { IsUsage = true };
        }
        string path = context.Get(output)!;
        if (!Path.GetExtension(path).Equals(".png", StringComparison.OrdinalIgnoreCase))
            throw new UserErrorException($"--output needs a name that ends with .png, not '{path}'.") { IsUsage = true };
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (!Directory.Exists(folder))
            throw new UserErrorException($"There is no folder {folder} for the sheet: make it, or give another --output.");
        if (paths.FirstOrDefault(one => FileStatus.Of(one).Kind is FileKind.Missing or FileKind.Folder) is { } none)
        {
            throw new UserErrorException(FileStatus.Of(none).Kind == FileKind.Folder
                ? $"{RawName.Shown(none)} is a folder: give pictures of it."
                : $"There is no picture {RawName.Shown(none)}.");
        }

        var skipped = new SkippedLines(context, hold: true);
        int channels = options.Backbone.InputChannels;
        var preprocessing = new Preprocessing
        {
            Decode = context.IsGiven(decode) ? context.Get(decode) : DecodeMode.Fast,
            Range = context.Get(range) is { } word ? PreprocessingChoice.Range(word) : null,
        };
        if (!Normalize.Fits(channels)) // nothing is normalised here
        {
            preprocessing = preprocessing with
            {
                Mean = [.. Enumerable.Repeat(0.0, channels)],
                Std = [.. Enumerable.Repeat(1.0, channels)],
            };
        }
        var drawn = new ViewDraws(options.Crops, options.Seed, channels);
        var rows = new List<(string Path, int Draw, DrawnRow Row)>();
        using var reader = new PictureReader(preprocessing, channels, PictureChoice.MaxPixels(context), coloursFirst: true);
        var picture = new DecodedPicture();
        context.Progress.Run("views", paths.Length, tracker =>
        {
            for (int i = 0; i < paths.Length; i++)
            {
                context.Cancel.ThrowIfCancellationRequested();
                if (!reader.TryRead(paths[i], picture, skipped.Files))
                    continue;
                skipped.Release();
                for (int draw = 0; draw < each; draw++)
                    rows.Add((paths[i], draw, drawn.Of($"{PictureFiles.NameFor(paths[i])}, draw {draw + 1}", picture, i, draw)));
                tracker.Report(i + 1);
            }
        });
        if (rows.Count == 0)
        {
            throw paths.Length == 1 ? new UserErrorException($"{RawName.Shown(paths[0])}: {skipped.Files.Snapshot()[0].Reason}.")
                : skipped.Failure($"None of the {paths.Length} pictures can be read");
        }
        int shown = rows.Count / each;
        ViewSheet.Write(path, $"Views of {(shown == 1 ? Path.GetFileName(RawName.Shown(rows[0].Path)) : $"{shown} pictures")}",
            [.. rows.Select(one => one.Row)]);
        context.Result(
            json =>
            {
                json.WriteString("output", path);
                json.WriteNumber("count", shown);
                json.WriteNumber("skipped", skipped.Count);
                json.WriteStartArray("draws");
                foreach (var (name, draw, row) in rows)
                {
                    json.WriteStartObject();
                    json.WriteString("picture", RawName.Shown(name));
                    json.WriteNumber("draw", draw);
                    json.WriteStartArray("views");
                    foreach (var view in row.Views)
                        Write(json, view);
                    json.WriteEndArray();
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            },
            text => text.WriteLine($"{shown} {(shown == 1 ? "picture" : "pictures")}, {each} {(each == 1 ? "draw" : "draws")} each: "
                + $"{path}{skipped.Suffix}"));
    }

    private static void Write(Utf8JsonWriter json, DrawnView view)
    {
        var plan = view.Plan;
        json.WriteStartObject();
        json.WriteString("view", view.Name);
        json.WriteNumber("size", view.Size);
        json.WriteNumber("left", plan.Box.Left);
        json.WriteNumber("top", plan.Box.Top);
        json.WriteNumber("width", plan.Box.Width);
        json.WriteNumber("height", plan.Box.Height);
        json.WriteBoolean("hflip", plan.Flip);
        json.WriteBoolean("vflip", plan.VerticalFlip);
        if (plan.Jitter is { } jitter)
        {
            // In the order in which they were done; what is left out is not there.
            json.WriteStartArray("jitter");
            for (int place = 0; place < JitterPlan.Operations; place++)
            {
                if (jitter.Factor(jitter.Operation(place)) is not { } factor)
                    continue;
                json.WriteStartObject();
                json.WriteReal(jitter.Operation(place).ToString().ToLowerInvariant(), factor);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        else
        {
            json.WriteNull("jitter");
        }
        json.WriteBoolean("grayscale", plan.Grayscale);
        json.WriteReal("blurRadius", plan.Sigma);
        if (plan.Solarize is { } threshold)
            json.WriteNumber("solarizeThreshold", threshold);
        else
            json.WriteNull("solarizeThreshold");
        json.WriteString("done", ViewSheet.Describe(plan));
        json.WriteEndObject();
    }
}
