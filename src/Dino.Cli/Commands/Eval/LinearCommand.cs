using System.CommandLine;
using System.Globalization;
using Dino.Cli.Arguments;
using Dino.Cli.Terminal;
using Dino.Model;
using Dino.Pictures.DataSets;
using Dino.Pictures.Loading;
using Dino.Tensors.Io;
using Dino.Train.Evaluation.Features;
using Dino.Train.Evaluation.LinearProbe;
using Dino.Train.Options;
using Dino.Train.Runs;

namespace Dino.Cli.Commands.Eval;

/// <summary><c>dino eval linear</c>: the accuracy of linear classifiers on frozen features.</summary>
internal static class LinearCommand
{
    private static readonly LinearOptions defaults = new();

    private static readonly Option<string[]> train =
        PictureChoice.Sources("--train", $"Labelled pictures to learn from, one folder a class: {PictureChoice.Kinds}.");
    private static readonly Option<string[]> val =
        PictureChoice.Sources(
            "--val", "Labelled pictures to classify; or a share of --train, 10% say, which is then not learnt from.", required: true);

    private static readonly Option<double[]> rates = new("--lr")
    {
        Description = "Learning rates for a batch of 256, each for a classifier of its own; all are trained in one pass.",
        DefaultValueFactory = _ => [.. defaults.LearningRates],
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<int> epochs =
        new("--epochs") { Description = "Passes over the pictures.", DefaultValueFactory = _ => defaults.Epochs };
    private static readonly Option<int> batchSize =
        new("--batch-size") { Description = "Pictures of a step.", DefaultValueFactory = _ => defaults.BatchSize };
    private static readonly Option<int> blocks =
        new("--n-last-blocks") { Description = "Class tokens of so many last blocks; 0 for 4, or 1 for networks as wide as ViT-B." };
    private static readonly Option<bool?> averagePool =
        new("--avgpool-patchtokens")
        {
            Description =
        "Add the mean patch token, for one block alone. Default: for networks as wide as ViT-B."
        };

    private static readonly Option<LinearCrops> crops = new("--crops")
    {
        Description = "fresh: new random crops in every epoch, as in the paper. kept: --views random crops of each picture, their features "
            + "extracted once. centre: the central squares, extracted once.",
    };

    private static readonly Option<int> views =
        new("--views") { Description = "With --crops kept: crops of each picture.", DefaultValueFactory = _ => 10 };
    private static readonly Option<int> valFreq =
        new("--val-freq") { Description = "Epochs between evaluations.", DefaultValueFactory = _ => 1 };
    private static readonly Option<int> seed = new("--seed") { Description = "Of first weights, order and crops." };
    private static readonly Option<int> size =
        new("--size") { Description = "Pixels along the side of the pictures; 0 for the size that the network was trained on." };
    private static readonly Option<string?> weights =
        new("--linear-weights")
        {
            Description = "Evaluate this classifier, an official one or one written here, and train none.",
            HelpName = "FILE"
        };
    private static readonly Option<string?> outputDir =
        new("--output-dir")
        {
            Description = "Write the best classifier, and features that are extracted once (.npy), here.",
            HelpName = "FOLDER"
        };

    public static Command Build()
    {
        var command = new ProgramCommand("linear", "Train linear classifiers on frozen features and report their accuracy.", Run)
        {
            Examples =
            [
                ("dino eval linear dino-run/latest.safetensors --train train --val val",
                    "the paper's protocol, with a sweep of learning rates"),
                ("dino eval linear dino-run/latest.safetensors --train train --val val --crops kept",
                    "ten crops of each picture, through the network once"),
                ("dino eval linear dino-run/latest.safetensors --val val --linear-weights probe/linear.safetensors",
                    "a classifier trained before"),
            ],
        };
        BackboneArgument.AddTo(command);
        foreach (var option in (Option[])[train, val, rates, epochs, batchSize, blocks, averagePool, crops, views, valFreq, seed, size,
            weights, outputDir])
            command.Options.Add(option);
        PictureChoice.AddTo(command);
        PreprocessingChoice.AddTo(command);
        DeviceOption.AddTo(command);
        return command;
    }

    /// <summary>The pictures; without a classifier to be trained, those of <c>--val</c> name its classes.</summary>
    private static LabelledPair Pair(CommandContext context, string[] trainFolders, bool trains, SkippedFiles skipped)
    {
        const string what = "the linear evaluation";
        if (trains)
        {
            var (trained, judged) = Folders.ScanLabelled(context, trainFolders, val, skipped);
            return new LabelledPair(trained, judged, what);
        }
        var pictures = Folders.ScanLabelled(context, context.Get(val)!, skipped);
        return new LabelledPair(pictures, pictures, what);
    }

    private static void Run(CommandContext context)
    {
        context.KeepsNothing();
        string? file = context.Get(weights);
        string[] trainFolders = context.Get(train) ?? [];
        if (file is null && trainFolders.Length == 0)
            throw new UserErrorException("--train is missing: a classifier has to be trained, unless --linear-weights gives "
                + "one.")
            { IsUsage = true };
        bool isShare = HeldOutShare.Of(val, context.Get(val)!) is not null;
        if (isShare && trainFolders.Length == 0)
            throw new UserErrorException($"{val.Name} {context.Get(val)![0]} is a share of --train, which is missing.") { IsUsage = true };
        var options = new LinearOptions
        {
            LearningRates = file is null ? [.. context.Get(rates)!] : [1],
            Epochs = context.GetBetween(epochs, 1),
            BatchSize = context.GetBetween(batchSize, 1),
            Seed = (ulong)context.GetBetween(seed, 0),
        };
        foreach (double rate in options.LearningRates)
            context.Within(rates, rate, new Limits(0) { IsAbove = true, StrangeOver = 1, Usual = "the defaults are 0.0001 to 0.3" });
        int wanted = context.GetBetween(size, 0, 8192), viewCount = context.GetBetween(views, 1),
            frequency = context.GetBetween(valFreq, 1);
        var left = new SkippedLines(context);
        var skipped = left.Files;
        var folders = Pair(context, trainFolders, file is null || isShare, skipped);
        using var hold = context.Get(outputDir) is { } made ? FolderLock.Acquire(made) : null;

        using var device = DeviceOption.Open(context);
        var (backbone, pictureSize, preprocessing) = BackboneArgument.Open(context, device);
        var kind = Kind(context, backbone);
        int side = wanted > 0 ? wanted : pictureSize;
        DepthNotes.Say(context, folders.Val, preprocessing, backbone.Channels, DepthNotes.Evaluation);

        using var run = new LinearRun(folders, backbone, device, kind, side, options)
        {
            Crops = context.Get(crops),
            Views = viewCount,
            ValFreq = frequency,
            Preprocessing = preprocessing,
            Skipped = skipped,
            Prefetch = new PrefetchOptions { MaxPixels = PictureChoice.MaxPixels(context) },
            OnFeatures = (name, store) => WriteFeatures(context, name, store),
        };
        var result = file is null ? run.Run(context.Progress, context.Cancel)
            : run.Evaluate(LinearClassifierFile.Read(file), context.Progress, context.Cancel);
        if (file is null && context.Get(outputDir) is { } folder)
            LinearClassifierFile.Write(Path.Combine(folder, "linear.safetensors"), run.Classifier(result.BestProbe));
        Print(context, result, Protocol(context, kind, side, options, file, viewCount), left, device.Name);
    }

    /// <summary>What the reference gives its classifiers of such a network, unless something else is asked for.</summary>
    private static FeatureKind Kind(CommandContext context, Backbone backbone)
    {
        if (backbone is not IAttentive && context.Get(blocks) == 0 && context.Get(averagePool) is not true)
            return FeatureKind.OutputOf(backbone);
        var attentive = BackboneArgument.Attentive(context, backbone);
        bool wide = backbone.Width >= 768;
        bool pool = context.Get(averagePool) ?? (wide && context.Get(blocks) is 0 or 1);
        int last = context.GetBetween(blocks, 0, attentive.Blocks) is > 0 and var given ? given : pool
            || wide ? 1 : Math.Min(4, attentive.Blocks);
        if (pool && last != 1)
            throw new UserErrorException($"--avgpool-patchtokens is defined for the last block alone, not with --n-last-blocks "
                + $"{last}.")
            { IsUsage = true };
        return FeatureKind.LinearProbe(last, pool);
    }

    private static string Protocol(CommandContext context, FeatureKind kind, int side, LinearOptions options, string? file, int viewCount)
    {
        string features = string.Create(CultureInfo.InvariantCulture,
            $"{kind.Name}; val: shorter side {FeatureExtractor.Protocol(side).ResizeSize}, central {side}²");
        if (file is not null)
            return $"{features}; classifier from {file}";
        string seen = context.Get(crops) switch
        {
            LinearCrops.Fresh => "new random crops (8-100 % of the area, flips) and features in every epoch, as in the paper",
            LinearCrops.Kept => string.Create(
                CultureInfo.InvariantCulture,
                $"{viewCount} random crops of each picture (8-100 % of the area, flips), features extracted once and used in turn"),
            _ => "central squares, features extracted once, no augmentation",
        };
        return string.Create(CultureInfo.InvariantCulture,
            $"{features}; train: {seen}; SGD momentum 0.9, cosine, {options.Epochs} epochs, batch {options.BatchSize}");
    }

    private static void Print(CommandContext context, LinearResult result, string protocol, SkippedLines skipped, string device)
    {
        var best = result.Probes[result.BestProbe];
        bool trained = result.TrainCount > 0;
        context.Result(
            json =>
            {
                json.WriteReal("top1", Math.Round(best.Final.Top1, 4));
                if (best.Final.Top5 is { } top5)
                    json.WriteReal("top5", Math.Round(top5, 4));
                if (trained)
                {
                    json.WriteNumber("lr", best.LearningRate);
                    json.WriteStartArray("sweep");
                    foreach (var probe in result.Probes)
                    {
                        json.WriteStartObject();
                        json.WriteNumber("lr", probe.LearningRate);
                        json.WriteReal("top1", Math.Round(probe.Final.Top1, 4));
                        if (probe.Final.Top5 is { } five)
                            json.WriteReal("top5", Math.Round(five, 4));
                        json.WriteReal("best_top1", Math.Round(probe.Best.Top1, 4));
                        json.WriteNumber("best_epoch", probe.BestEpoch);
                        json.WriteEndObject();
                    }
                    json.WriteEndArray();
                }
                json.WriteNumber("train", result.TrainCount);
                json.WriteNumber("val", result.ValCount);
                json.WriteNumber("classes", result.Classes);
                json.WriteNumber("dim", result.Dim);
                json.WriteNumber("skipped", skipped.Count);
                json.WriteString("protocol", protocol);
                json.WriteString("device", device);
            },
            text =>
            {
                text.WriteLine(protocol);
                text.WriteLine($"{result.ValCount} pictures of {result.Classes} classes, "
                    + $"{(trained ? $"learned from {result.TrainCount}" : "none learned from")}{skipped.Suffix}");
                if (!trained)
                {
                    text.WriteLine(string.Create(
                        CultureInfo.InvariantCulture,
                        $"top-1 {best.Final.Top1:F2} %{(best.Final.Top5 is { } five ? $"   top-5 {five:F2} %" : "")}"));
                    return;
                }
                var table = new ResultTable("lr (batch 256)", "top-1 %", "top-5 %", "best epoch's top-1 %", "epoch", "");
                for (int i = 0; i < result.Probes.Count; i++)
                {
                    var probe = result.Probes[i];
                    table.Add(
                        probe.LearningRate.ToString("G4", CultureInfo.InvariantCulture), probe.Final.Top1, probe.Final.Top5,
                        probe.Best.Top1, probe.BestEpoch, i == result.BestProbe ? "<- chosen" : "");
                }
                table.WriteTo(text);
            });
    }

    private static void WriteFeatures(CommandContext context, string name, FeatureStore store)
    {
        if (context.Get(outputDir) is not { } folder)
            return;
        NpyFile.Write(Path.Combine(folder, $"{name}-labels.npy"), store.Labels);
        float[] row = new float[store.Dim];
        NpyFile.Write(Path.Combine(folder, $"{name}-features.npy"), store.Count, store.Dim, i =>
        {
            store.Read(i, row);
            return row;
        });
    }
}
