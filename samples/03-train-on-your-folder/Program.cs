// DINO on a folder of pictures, from code: dotnet run -c Release --project samples/03-train-on-your-folder -- FOLDER
// Without a folder: a dozen steps on pictures that it makes itself.
using Dino.Tensors;
using Dino.Train;
using Dino.Train.Data;
using Dino.Train.Demo;
using Dino.Train.Report;

bool given = args.Length > 0;
string output = given ? "dino-run" : Directory.CreateTempSubdirectory("dino-sample-").FullName;
string pictures = given ? args[0] : Path.Combine(output, "pictures");
if (!given)
    new ProceduralPictures(seed: 1).WriteFolder(pictures, train: 64, validation: 0);

var skipped = new SkippedFiles((path, reason) => Console.Error.WriteLine($"skipped {path}: {reason}"));
var folder = ImageFolder.Scan(pictures, skipped);
var preset = Presets.Named("small");
preset = given
    ? preset with { BatchSize = Math.Min(preset.BatchSize, folder.Count) }
    : preset with { BatchSize = 16, Epochs = 3, WarmupEpochs = 1 };
var (options, reasons) = Presets.FitTo(preset, folder.Count, chooseOutDim: true, chooseTemperature: true, chooseMomentum: true);
foreach (string reason in reasons)
    Console.WriteLine(reason);

using var device = Device.Open();
using var trainer = new Trainer(options, new RunOptions { OutputDir = output }, device, folder, skipped);
if (trainer.Resume())
    Console.WriteLine($"going on from step {trainer.State.Step}");
trainer.Run(ProgressDisplay.For(Console.Out), CancellationToken.None);
Console.WriteLine($"{trainer.State.Step} steps on {device}: {trainer.LatestPath}");
