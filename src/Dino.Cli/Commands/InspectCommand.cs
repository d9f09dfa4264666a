using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Dino.Cli.Arguments;
using Dino.Cli.Terminal;
using Dino.Model;
using Dino.Model.Weights;
using Dino.Pictures.Loading;
using Dino.Tensors.Io;
using Dino.Tensors.Nn;
using Dino.Train;
using Dino.Train.Runs;

namespace Dino.Cli.Commands;

/// <summary><c>dino inspect</c>: what a weights file holds, and what of it would be loaded.</summary>
internal static class InspectCommand
{
    private static readonly Argument<string> path =
        new("FILE") { Description = "A weights file: safetensors or PyTorch's (.pth, .bin), or the folder that it is in." };
    private static readonly Option<bool> student =
        new("--student") { Description = "Look for the student of a training checkpoint instead of the teacher." };
    private static readonly Option<int?> heads = new("--num-heads") { Description = "Attention heads, where the file does not tell them." };

    public static Command Build()
    {
        var command = new ProgramCommand("inspect",
            "List the tensors of a weights file, and say which network they are and what would be loaded.", Run)
        {
            Examples =
            [
                ("dino inspect dino_deitsmall16_pretrain.pth", "tensors, architecture, what would be loaded"),
                ("dino inspect dino-run/latest.safetensors --json", "the same of a checkpoint of dino train, as JSON"),
            ],
        };
        command.Arguments.Add(path);
        command.Options.Add(student);
        command.Options.Add(heads);
        return command;
    }

    private static void Run(CommandContext context)
    {
        context.KeepsNothing();
        using var file = CheckpointPath.Open(context.Get(path)!);
        context.Cancel.ThrowIfCancellationRequested();
        var network = Network.Of(file, context.Get(student), context.Get(heads));
        if (network.Warning is { } warning)
            context.Error.WriteLine(OptionNames.InText(warning));
        context.Result(json => Write(json, file, network), text => Write(text, file, network));
    }

    private static void Write(Utf8JsonWriter json, WeightsFile file, Network network)
    {
        json.WriteString("file", file.Path);
        json.WriteString("format", file.Format);
        json.WriteNumber("bytes", file.Length);
        json.WriteStartArray("tensors");
        foreach (string name in file.Names)
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WriteString("type", file.Type(name).ToString());
            json.WriteStartArray("shape");
            foreach (long size in file.Shape(name))
                json.WriteNumberValue(size);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartObject("metadata");
        foreach (var (key, value) in file.Metadata)
            json.WriteString(key, value);
        json.WriteEndObject();
        json.WriteString("layout", network.Weights?.Layout);
        json.WriteString("role", network.Weights?.Role.ToString().ToLowerInvariant());
        json.WriteString("looksLike", network.Weights?.Family);
        json.WriteString("problem", network.Problem);
        if (network.Config is { } config)
        {
            json.WriteStartObject("backbone");
            json.WriteString("arch", config.ArchName());
            json.WriteString("family", config.FamilyName());
            foreach (var (key, value) in config.Sizes())
                json.WriteNumber(key, value);
            json.WriteEndObject();
        }
        if (network.Preprocessing is { } stored)
            PreprocessingChoice.Write(json, stored);
        if (network.Head is { } head)
        {
            json.WriteStartObject("head");
            foreach (var (key, value) in ((string, int)[])[("outDim", head.OutDim), ("layers", head.Layers), ("hiddenDim", head.HiddenDim),
                ("bottleneckDim", head.BottleneckDim)])
                json.WriteNumber(key, value);
            json.WriteBoolean("useBatchNorm", head.UseBatchNorm);
            json.WriteEndObject();
        }
        if (network.Weights is { } weights)
            json.WriteString("centre", weights.Centre);
        if (network.Report is not { } report)
            return;
        foreach (var (key, names) in ((string, IReadOnlyList<string>)[])
            [("loaded", report.Loaded), ("missing", report.Missing), ("unexpected", report.Unexpected), ("misshapen", report.Misshapen),
                ("foreign", report.Foreign), ("notUsed", network.Weights!.Aside)])
        {
            json.WriteStartArray(key);
            foreach (string name in names)
                json.WriteStringValue(name);
            json.WriteEndArray();
        }
    }

    private static void Write(TextWriter text, WeightsFile file, Network network)
    {
        void Line(FormattableString line) => text.WriteLine(line.ToString(CultureInfo.InvariantCulture));
        int width = Math.Min(60, file.Names.Select(name => name.Length).DefaultIfEmpty().Max());
        foreach (string name in file.Names)
            Line($"  {Printable(name).PadRight(width)}  {file.Type(name),-4}  ({string.Join(", ", file.Shape(name))})");
        Line($"{file.Names.Count} tensors, {file.Length:N0} bytes, {file.Format}: {Printable(file.Path)}");
        foreach (string key in (string[])["epoch", "args.arch", "args.patch_size", "args.epochs", "args.lr"])
            if (file.Metadata.TryGetValue(key, out string? value))
                Line($"{key}: {Printable(value)}");
        if (network.Weights is { } weights)
            Line($"{weights.Layout}{(weights.Centre is null ? "" : $", centre in {weights.Centre}")}");
        if (network.Config is { } config)
            text.WriteLine($"backbone: {config.DescribeFully()}");
        if (network.Preprocessing is { } stored && PreprocessingChoice.Describe(stored) is { } inputs)
            text.WriteLine($"pictures: {inputs}");
        if (network.Head is { } head)
        {
            string norm = head.UseBatchNorm ? ", batch normalisation" : "";
            Line($"head: {head.Layers} layers, hidden {head.HiddenDim}, bottleneck {head.BottleneckDim}, K = {head.OutDim}{norm}");
        }
        if (network.Report is { } report)
        {
            Line($"would be loaded: {report.Loaded.Count} tensors; left aside: {network.Weights!.Aside.Count}");
            foreach (var (what, names) in ((string, List<string>)[])[("missing", report.Missing), ("unexpected", report.Unexpected),
                ("another shape", report.Misshapen), ("of another kind of network", report.Foreign)])
                foreach (string name in names)
                    Line($"  {what}: {Printable(name)}");
            if (report.Foreign.Count > 0)
                Line($"It would be refused{(report.Family is null ? "" : $": it looks like {report.Family}")}.");
            else if (!report.IsWhole)
                Line($"It would be refused without --allow-partial.");
        }
        if (network.Problem is { } problem)
            text.WriteLine(ScreenText.CutMiddle(problem, 1500));
    }

    // A name is a stranger's text, as long as they like.
    private static string Printable(string text) => ScreenText.CutMiddle(ScreenText.Escape(text), 200);

    /// <summary>The network in a file as far as it can be told.</summary>
    private sealed record Network(ModelWeights? Weights, BackboneConfig? Config, DinoHeadConfig? Head, WeightReport? Report,
        string? Problem, string? Warning = null)
    {
        public Preprocessing? Preprocessing { get; private init; }

        public static Network Of(WeightsFile file, bool student, int? heads)
        {
            var found = new Network(null, null, null, null, null);
            try
            {
                found = found with { Weights = ModelWeights.Find(file, student ? ModelWeights.Student : null) };
                var stored = StoredRun.Of(file, found.Weights, heads).Network;
                found = found with { Config = stored.Backbone, Warning = stored.Warning, Preprocessing = stored.Preprocessing };
                found = found with { Head = stored.Head() };
                Module model = found.Head is null ? found.Config.Build() : new MultiCropModel(found.Config, found.Head);
                found = found with { Report = found.Weights.Compare(model) };
                // A look at every value: NaN is what nothing else shows.
                foreach (var source in found.Weights.Backbone.Values.Concat(found.Weights.Head.Values))
                    _ = found.Weights.Values(source);
                return found;
            }
            catch (Exception e) when (e is InvalidDataException or ArgumentException or OverflowException or RunException
                or WeightsException { Fault: not WeightsFault.HeadsContradicted })
            {
                return found with { Problem = OptionNames.InText(e.Message) };
            }
        }
    }
}
