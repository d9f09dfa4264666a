using System.CommandLine;
using Dino.Cli.Arguments;
using Dino.Cli.Terminal;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Tensors;
using Dino.Tensors.Ops;
using Dino.Train.Evaluation.Features;
using Dino.Train.Evaluation.Retrieval;

namespace Dino.Cli.Commands.Eval;

/// <summary><c>dino eval retrieve</c>: pictures of the same landmark.</summary>
internal static class RetrieveCommand
{
    private const int RowsAtATime = 4096;

    private static readonly Option<string> data =
        new("--data")
        {
            Description = "A folder like revisited Oxford's or Paris's: jpg/ and gnd_NAME.pkl or .json.",
            Required = true,
            HelpName = "FOLDER"
        };
    private static readonly Option<string?> groundTruth =
        new("--ground-truth")
        {
            Description = "The ground truth, as published (.pkl) or as JSON; otherwise the folder's only gnd_* file.",
            HelpName = "FILE"
        };
    private static readonly Option<int> imsize =
        new("--imsize") { Description = "Pictures with a longer side are shrunk to so many pixels.", DefaultValueFactory = _ => 224 };
    private static readonly Option<bool> multiScale =
        new("--multiscale") { Description = "Average the features at scales 1, 1/√2 and 1/2." };
    private static readonly Option<bool> crop =
        new("--crop-queries") { Description = "Cut queries to their boxes, as the sets' own protocol does; DINO's takes them whole." };

    public static Command Build()
    {
        var command = new ProgramCommand("retrieve", "Find pictures of the same landmark (mAP of revisited Oxford and Paris).", Run)
        {
            Examples =
            [
                ("dino eval retrieve dino-run/latest.safetensors --data roxford5k --imsize 512 --multiscale", "easy, medium and hard"),
            ],
        };
        BackboneArgument.AddTo(command);
        foreach (var option in (Option[])[data, groundTruth, imsize, multiScale, crop])
            command.Options.Add(option);
        PictureChoice.AddLimitTo(command);
        PreprocessingChoice.AddTo(command);
        DeviceOption.AddTo(command);
        return command;
    }

    private static void Run(CommandContext context)
    {
        context.KeepsNothing();
        int size = context.GetBetween(imsize, 1, 8192);
        var set = RetrievalSet.Open(context.Get(data)!, context.Get(groundTruth));
        bool cut = context.Get(crop), scales = context.Get(multiScale);
        if (cut && set.Queries.Any(query => query.Box is null))
            throw new UserErrorException("--crop-queries needs a box (bbx) for every query of the ground truth.") { IsUsage = true };
        using var device = DeviceOption.Open(context);
        var (backbone, _, preprocessing) = BackboneArgument.Open(context, device);

        int dim = backbone.Width;
        var features = new RetrievalFeatures(backbone, device, size, scales, preprocessing);
        using var reader = new PictureReader(preprocessing, backbone.Channels, PictureChoice.MaxPixels(context));
        var picture = new DecodedPicture();
        var skipped = new SkippedLines(context, hold: true);
        var asked = new List<RetrievalQuery>(); // those whose picture can be read
        var queries = new List<float>();
        var rowOf = new int[set.Images.Count]; // of the database; -1 where the picture cannot be read
        using var database = new FeatureStore(dim);
        context.Progress.Run("features", set.Queries.Count + set.Images.Count, tracker =>
        {
            float[] row = new float[dim];
            for (int i = 0; i < set.Queries.Count; i++)
            {
                if (Compute(set.QueryImages[i], cut ? set.Queries[i].Box : null, row))
                {
                    queries.AddRange(row);
                    asked.Add(set.Queries[i]);
                }
                tracker.Report(i + 1);
            }
            for (int i = 0; i < set.Images.Count; i++)
            {
                rowOf[i] = -1;
                if (Compute(set.Images[i], null, row))
                {
                    rowOf[i] = database.Count;
                    database.Append(row, [0]);
                }
                tracker.Report(set.Queries.Count + i + 1);
            }
        });
        if (asked.Count == 0 || database.Count == 0)
            throw skipped.Failure(asked.Count == 0 ? $"None of the {set.Queries.Count} queries can be read"
                : $"None of the {set.Images.Count} pictures can be read");
        var truth = asked.ConvertAll(query => query.Among(rowOf));
        var accuracies = RetrievalScore.Evaluate(Rank(device, [.. queries], database, asked.Count), truth);
        string protocol = $"{backbone.OutputName}, longer side at most {size}, "
            + $"{(scales ? "mean of scales 1, 1/√2 and 1/2" : "one scale")}, "
            + $"queries {(cut ? "cut to their boxes" : "whole")}, cosine";
        context.Result(
            json =>
            {
                foreach (var accuracy in accuracies)
                {
                    json.WriteStartObject(accuracy.Protocol);
                    json.WriteReal("map", Math.Round(accuracy.MeanAveragePrecision, 6));
                    for (int k = 0; k < RetrievalScore.Kappas.Count; k++)
                        json.WriteReal($"mp_{RetrievalScore.Kappas[k]}", Math.Round(accuracy.MeanPrecision[k], 6));
                    json.WriteNumber("queries", accuracy.Queries);
                    json.WriteEndObject();
                }
                json.WriteNumber("database", database.Count);
                json.WriteNumber("skipped", skipped.Count);
                json.WriteString("protocol", protocol);
                json.WriteString("device", device.Name);
            },
            text =>
            {
                text.WriteLine(protocol);
                text.WriteLine($"{asked.Count} queries among {database.Count} pictures{skipped.Suffix}");
                var table = new ResultTable("%", "mAP", "mP@1", "mP@5", "mP@10", "queries");
                foreach (var accuracy in accuracies)
                    table.Add(
                        accuracy.Protocol, 100 * accuracy.MeanAveragePrecision, 100 * accuracy.MeanPrecision[0],
                        100 * accuracy.MeanPrecision[1], 100 * accuracy.MeanPrecision[2], accuracy.Queries);
                table.WriteTo(text);
            });

        bool Compute(string path, IReadOnlyList<double>? box, Span<float> feature)
        {
            context.Cancel.ThrowIfCancellationRequested();
            if (!reader.TryRead(path, picture, skipped.Files))
                return false;
            try
            {
                if (!features.TryCompute(picture, box, feature, out string? reason))
                {
                    skipped.Files.Report(path, reason);
                    return false;
                }
            }
            catch (ArgumentException e)
            {
                throw new UserErrorException($"{path}: {e.Message}", e);
            }
            skipped.Release();
            return true;
        }
    }

    /// <summary>For each query the pictures of the database, the most similar first; of equal ones the first.</summary>
    private static List<int[]> Rank(Device device, float[] queries, FeatureStore database, int count)
    {
        int dim = database.Dim;
        float[] rows = new float[RowsAtATime * dim];
        var similarities = Enumerable.Range(0, count).Select(_ => new float[database.Count]).ToArray();
        for (int from = 0; from < database.Count; from += RowsAtATime)
        {
            int some = Math.Min(RowsAtATime, database.Count - from);
            database.Read(from, some, rows);
            using var scope = device.BeginArena();
            var bank = Tensor.From(device, rows.AsSpan(0, some * dim), new Shape(some, dim));
            float[] products = Tensor.From(device, queries, new Shape(count, dim)).MatMul(bank, transposeB: true).ToArray();
            for (int query = 0; query < count; query++)
                products.AsSpan(query * some, some).CopyTo(similarities[query].AsSpan(from));
        }
        return [.. similarities.Select(values =>
        {
            int[] order = [.. Enumerable.Range(0, values.Length)];
            Array.Sort(order, (a, b) => values[a] != values[b] ? values[b].CompareTo(values[a]) : a.CompareTo(b));
            return order;
        })];
    }
}
