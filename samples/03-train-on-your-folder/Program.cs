using Dino.Pictures.DataSets;
using Dino.Tensors;
using Dino.Train;
using Dino.Train.Log;
using Dino.Train.Methods.Dino;

// DINO on a folder of pictures, from code: dotnet run -c Release --project samples/03-train-on-your-folder -- FOLDER

if (args.Length != 1)
{
    Console.Error.WriteLine("Give the folder of pictures to train on.");
    return 2;
}
var skipped = new SkippedFiles((path, reason) => Console.Error.WriteLine($"skipped {path}: {reason}"));
var folder = ImageFolder.Scan(args[0], skipped);
var preset = DinoPresets.Named("small");
preset = preset with { BatchSize = Math.Min(preset.BatchSize, folder.Count) };
var (options, reasons) = DinoPresets.FitTo(preset, folder.Count, chooseOutDim: true, chooseTemperature: true, chooseMomentum: true);
foreach (string reason in reasons)
    Console.WriteLine(reason);

using var device = Device.Open();
using var trainer = new Trainer(options, new RunOptions { OutputDir = "dino-run" }, device, folder, skipped);
if (trainer.Resume())
    Console.WriteLine($"going on from step {trainer.Step}");
trainer.Run(new LineDisplay(), CancellationToken.None);
Console.WriteLine($"{trainer.Step} steps on {device}: {trainer.LatestPath}");
return 0;

/// <summary>A line for every hundredth step.</summary>
internal sealed class LineDisplay : ProgressDisplay
{
    public override void Run(string name, long total, Action<ProgressTracker> work) => work(new Tracker(total));

    private sealed class Tracker(long total) : ProgressTracker(total)
    {
        public override void StartAt(long done)
        {
        }

        public override void Report(long done, string? detail = null) => Console.WriteLine($"{done} of {Total} {detail}");

        public override void Report(long done, in StepRow row)
        {
            if (done % 100 == 0)
                Report(done, $"loss {row["loss"]:F3}");
        }

        public override void Note(string line) => Console.WriteLine(line);
    }
}
