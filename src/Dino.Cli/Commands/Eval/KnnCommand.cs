using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Dino.Cli.Arguments;
using Dino.Cli.Terminal;
using Dino.Pictures.Loading;
using Dino.Train.Evaluation.Neighbours;
using Dino.Train.Options;

namespace Dino.Cli.Commands.Eval;

/// <summary><c>dino eval knn</c>: the weighted k-NN accuracy of a checkpoint's features.</summary>
internal static class KnnCommand
{
    private static readonly Option<string[]> train = PictureChoice.Sources("--train",
        $"Labelled pictures to take neighbours from, one folder a class: {PictureChoice.Kinds}.", required: true);
    private static readonly Option<string[]> val =
        PictureChoice.Sources(
            "--val", "Labelled pictures to classify; or a share of --train, 10% say, which is then no neighbour.", required: true);

    private static readonly Option<int[]> ks = new("--nb-knn")
    {
        Description = "Numbers of neighbours.",
        DefaultValueFactory = _ => [10, 20, 100, 200],
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<double[]> fewShot = new("--few-shot")
    {
        Description = "Evaluate also with these percentages of the labels, 1 5 10 say, drawn at random from each class.",
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => [],
        HelpName = "PERCENT",
    };

    private static readonly Option<int> seed = new("--seed") { Description = "For --few-shot: decides which labels." };
    private static readonly Option<double> temperature =
        new("--temperature") { Description = "Of the votes.", DefaultValueFactory = _ => 0.07 };
    private static readonly Limits temperatures = new(0) { IsAbove = true, StrangeOver = 1, Usual = "the paper's is 0.07" };
    private static readonly Option<int> size =
        new("--size") { Description = "Pixels along the side of the pictures; 0 for the size that the network was trained on." };
    private static readonly Option<int> batchSize =
        new("--batch-size") { Description = "Pictures at a time.", DefaultValueFactory = _ => 64 };

    public static Command Build()
    {
        var command = new ProgramCommand("knn", "Classify pictures by their nearest neighbours in feature space.", Run)
        {
            Examples =
            [
                ("dino eval knn dino-run/latest.safetensors --train train --val val", "top-1 and top-5 for 10, 20, 100 and 200 neighbours"),
                ("dino eval knn dino-run/latest.safetensors --train train --val val --nb-knn 20 --json", "one k, as JSON"),
                ("dino eval knn dino-run/latest.safetensors --train train --val val --few-shot 1 5 10", "also with few labels"),
            ],
        };
        BackboneArgument.AddTo(command);
        foreach (var option in (Option[])[train, val, ks, temperature, fewShot, seed, size, batchSize])
            command.Options.Add(option);
        PictureChoice.AddTo(command);
        PreprocessingChoice.AddTo(command);
        DeviceOption.AddTo(command);
        return command;
    }

    private static void Run(CommandContext context)
    {
        context.KeepsNothing();
        var votes = new KnnOptions { Ks = context.Get(ks)!, Temperature = context.GetWithin(temperature, temperatures) };
        if (votes.Ks.FirstOrDefault(k => k < 1, 1) is < 1 and var wrong)
            throw new UserErrorException($"{ks.Name} takes numbers of neighbours of at least 1, not {wrong}.") { IsUsage = true };
        double[] percents = [.. context.Get(fewShot)!.Distinct().Order()];
        if (percents.Any(percent => percent is not (> 0 and < 100)))
            throw new UserErrorException("--few-shot takes percentages above 0 and below 100.") { IsUsage = true };
        int batch = context.GetBetween(batchSize, 1), wanted = context.GetBetween(size, 0, 8192), draw = context.GetBetween(seed, 0);
        var left = new SkippedLines(context);
        var skipped = left.Files;
        var (bank, queries) = Folders.ScanLabelled(context, context.Get(train)!, val, skipped);
        using var device = DeviceOption.Open(context);
        var (backbone, pictureSize, preprocessing) = BackboneArgument.Open(context, device);
        int side = wanted > 0 ? wanted : pictureSize;

        DepthNotes.Say(context, bank, preprocessing, backbone.Channels, DepthNotes.Evaluation);
        var results = new List<(double Percent, KnnResult Result)>();
        context.Progress.Run("features", bank.Count + queries.Count, tracker =>
        {
            int done = 0;
            var run = new KnnRun(bank, queries, side, device, new PrefetchOptions { MaxPixels = PictureChoice.MaxPixels(context) })
            {
                Preprocessing = preprocessing,
                BatchSize = batch,
                Options = votes,
                Skipped = skipped,
                OnBatch = count => tracker.Report(done += count),
            };
            var features = run.Features(backbone, context.Cancel);
            foreach (double percent in percents)
                results.Add((percent, run.Evaluate(features.Bank.Subset(percent / 100, (ulong)draw), features.Queries, context.Cancel)));
            results.Add((100, run.Evaluate(features.Bank, features.Queries, context.Cancel)));
        });
        var result = results[^1].Result;
        foreach (var (percent, few) in results)
        {
            if (few.Note is { } note)
                context.Say(percent == 100 ? note : $"{percent} % of the labels: {note}");
        }
        context.Result(
            json =>
            {
                WriteAccuracies(json, result);
                if (percents.Length > 0)
                {
                    json.WriteStartArray("few_shot");
                    foreach (var (percent, few) in results.SkipLast(1))
                    {
                        json.WriteStartObject();
                        json.WriteNumber("percent", percent);
                        WriteAccuracies(json, few);
                        json.WriteNumber("train", few.TrainCount);
                        json.WriteEndObject();
                    }
                    json.WriteEndArray();
                }
                json.WriteNumber("train", result.TrainCount);
                json.WriteNumber("queries", result.QueryCount);
                json.WriteNumber("classes", result.Classes);
                json.WriteNumber("skipped", left.Count);
                json.WriteNumber("size", side);
                json.WriteString("device", device.Name);
            },
            text =>
            {
                text.WriteLine($"{result.QueryCount} pictures of {result.Classes} classes against {result.TrainCount}; class token at "
                    + $"{side}², cosine, temperature {votes.Temperature.ToString(CultureInfo.InvariantCulture)}{left.Suffix}");
                var table = new ResultTable("labels", "of pictures", "k", "top-1 %", "top-5 %");
                foreach (var (percent, few) in results)
                {
                    foreach (var accuracy in few.Accuracies)
                        table.Add(string.Create(CultureInfo.InvariantCulture, $"{percent} %"), few.TrainCount, accuracy.K, accuracy.Top1,
                            accuracy.Top5);
                }
                table.WriteTo(text);
            });
    }

    private static void WriteAccuracies(Utf8JsonWriter json, KnnResult result)
    {
        foreach (var (name, value) in ((string, Func<KnnAccuracy, double>)[])[("top1", a => a.Top1), ("top5", a => a.Top5)])
        {
            json.WriteStartObject(name);
            foreach (var accuracy in result.Accuracies)
                json.WriteReal(accuracy.K.ToString(CultureInfo.InvariantCulture), Math.Round(value(accuracy), 4));
            json.WriteEndObject();
        }
    }
}
