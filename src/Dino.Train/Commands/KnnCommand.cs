using System.CommandLine;
using System.Globalization;
using Dino.Train.Cli;
using Dino.Train.Data;
using Dino.Train.Eval;

namespace Dino.Train.Commands;

/// <summary><c>dino knn</c>: the weighted k-NN accuracy of a checkpoint's features.</summary>
internal static class KnnCommand
{
    private static readonly Option<string> train = new("--train") { Description = "Labelled pictures to take neighbours from: one folder a class.", Required = true, HelpName = "FOLDER" };
    private static readonly Option<string> val = new("--val") { Description = "Labelled pictures to classify.", Required = true, HelpName = "FOLDER" };

    private static readonly Option<int[]> ks = new("--nb-knn")
    {
        Description = "Numbers of neighbours.",
        DefaultValueFactory = _ => [10, 20, 100, 200],
        AllowMultipleArgumentsPerToken = true,
    };

    private static readonly Option<double> temperature = new("--temperature") { Description = "Of the votes.", DefaultValueFactory = _ => 0.07 };
    private static readonly Option<int> size = new("--size") { Description = "Pixels along the side of the pictures; 0 for the size that the network was trained on." };
    private static readonly Option<int> batchSize = new("--batch-size") { Description = "Pictures at a time.", DefaultValueFactory = _ => 64 };

    public static Command Build()
    {
        var command = new ProgramCommand("knn", "Classify pictures by their nearest neighbours in feature space.", Run)
        {
            Examples =
            [
                ("dino knn dino-run/latest.safetensors --train train --val val", "top-1 and top-5 for 10, 20, 100 and 200 neighbours"),
                ("dino knn dino-run/latest.safetensors --train train --val val --nb-knn 20 --json", "one k, as JSON"),
            ],
        };
        BackboneArgument.AddTo(command);
        foreach (var option in (Option[])[train, val, ks, temperature, size, batchSize])
            command.Options.Add(option);
        DeviceOption.AddTo(command);
        return command;
    }

    private static void Run(CommandContext context)
    {
        var votes = new KnnOptions { Ks = context.Get(ks)!, Temperature = context.Get(temperature) };
        try
        {
            votes.Validate();
        }
        catch (ArgumentException e)
        {
            throw new UserErrorException(e.Message, e) { IsUsage = true };
        }
        int batch = context.GetBetween(batchSize, 1), wanted = context.GetBetween(size, 0, 8192);
        var skipped = new SkippedFiles((path, reason) => context.Error.WriteLine($"skipped {path}: {reason}"));
        var bank = Folders.ScanLabelled(context.Get(train)!, skipped);
        var queries = Folders.ScanLabelled(context.Get(val)!, skipped);
        using var device = DeviceOption.Open(context);
        var (backbone, pictureSize) = BackboneArgument.Open(context, device);
        int side = wanted > 0 ? wanted : pictureSize;

        KnnResult? result = null;
        context.Progress.Run("features", bank.Count + queries.Count, tracker =>
        {
            int done = 0;
            var run = new KnnRun(bank, queries, side, device)
            {
                BatchSize = batch,
                Options = votes,
                Skipped = skipped,
                OnBatch = count => tracker.Report(done += count),
            };
            result = run.Evaluate(backbone, context.Cancel);
        });
        if (result!.Note is { } note)
            context.Say(note);
        context.Result(
            json =>
            {
                foreach (var (name, value) in ((string, Func<KnnAccuracy, double>)[])[("top1", a => a.Top1), ("top5", a => a.Top5)])
                {
                    json.WriteStartObject(name);
                    foreach (var accuracy in result.Accuracies)
                        json.WriteNumber(accuracy.K.ToString(CultureInfo.InvariantCulture), Math.Round(value(accuracy), 4));
                    json.WriteEndObject();
                }
                json.WriteNumber("train", result.TrainCount);
                json.WriteNumber("queries", result.QueryCount);
                json.WriteNumber("classes", result.Classes);
                json.WriteString("device", device.Name);
            },
            text =>
            {
                text.WriteLine($"{result.QueryCount} pictures of {result.Classes} classes against {result.TrainCount}");
                foreach (var accuracy in result.Accuracies)
                    text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"k = {accuracy.K,-4} top-1 {accuracy.Top1:F1} %   top-5 {accuracy.Top5:F1} %"));
            });
    }
}
