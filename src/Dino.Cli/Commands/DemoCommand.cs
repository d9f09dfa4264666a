using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Dino.Cli.Arguments;
using Dino.Cli.Demo;

namespace Dino.Cli.Commands;

/// <summary><c>dino demo</c>: everything once, on pictures that it makes itself.</summary>
internal static class DemoCommand
{
    private static readonly Option<string> outputDir =
        new("--output-dir")
        {
            Description = "Where pictures, checkpoint and results go.",
            DefaultValueFactory = _ => "dino-demo",
            HelpName = "FOLDER"
        };
    private static readonly Option<ulong> seed = new("--seed") { Description = "Decides pictures, first weights and crops." };

    public static Command Build()
    {
        var command = new ProgramCommand(
            "demo", "Make pictures, train a small network on them, and show what it has learned: a few minutes on two cores.", Run)
        {
            Examples = [("dino demo", "results on the screen, pictures in dino-demo"),
                ("dino demo --json --device cpu", "the results as JSON")],
        };
        command.Options.Add(outputDir);
        command.Options.Add(seed);
        DeviceOption.AddTo(command);
        return command;
    }

    private static void Run(CommandContext context)
    {
        context.Kept = () => $"What was made is in {context.Get(outputDir)}; the same command begins again.";
        var watch = Stopwatch.StartNew();
        using var device = DeviceOption.Open(context);
        var demo = new DemoRun(context.Get(outputDir)!, device, context.Get(seed), context.Progress, context.Say, context.Cancel);
        var result = demo.Run();
        double seconds = watch.Elapsed.TotalSeconds;
        context.Result(
            json =>
            {
                json.WriteReal("knnTop1", Math.Round(result.TrainedTop1, 4));
                json.WriteReal("knnTop1Random", Math.Round(result.RandomTop1, 4));
                json.WriteReal("rawPixelTop1", Math.Round(result.RawPixelTop1, 4));
                json.WriteReal("jaccard", Math.Round(result.TrainedJaccard, 4));
                json.WriteReal("jaccardRandom", Math.Round(result.RandomJaccard, 4));
                json.WriteNumber("objects", result.Objects);
                json.WriteReal("imagesPerSecond", Math.Round(result.ImagesPerSecond, 2));
                json.WriteReal("seconds", Math.Round(seconds, 1));
                json.WriteString("device", device.Name);
                json.WriteStartArray("pictures");
                foreach (string path in result.Pictures)
                    json.WriteStringValue(path);
                json.WriteEndArray();
            },
            text =>
            {
                void Line(FormattableString line) => text.WriteLine(line.ToString(CultureInfo.InvariantCulture));
                Line($"");
                Line($"                        random weights   trained");
                var r = result;
                Line($"k-NN top-1 (k = 20)          {r.RandomTop1,6:F1} %  {r.TrainedTop1,6:F1} %    raw pixels {r.RawPixelTop1:F1} %");
                Line($"attention Jaccard            {r.RandomJaccard,6:F3}    {r.TrainedJaccard,6:F3}      over {r.Objects} objects");
                Line($"");
                Line($"{result.ImagesPerSecond:F0} images/s, {seconds / 60:F1} minutes in all. Look at:");
                foreach (string path in result.Pictures)
                    text.WriteLine($"  {path}");
            });
    }
}
