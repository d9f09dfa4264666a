// DINO on a folder of pictures, from code: dotnet run -c Release --project samples/03-train-on-your-folder -- FOLDER
// Without a folder it makes a few pictures and trains for a moment.
using Dino.Tensors;
using Dino.Train;
using Dino.Train.Data;
using Dino.Train.Demo;
using Dino.Train.Report;

string work = Path.Combine(Path.GetTempPath(), "dino-sample");
string data = args.Length > 0 ? args[0] : Path.Combine(work, "pictures");
if (args.Length == 0)
    new ProceduralPictures(seed: 1, size: 48).WriteFolder(data, train: 64, validation: 0);

var skipped = new SkippedFiles((path, reason) => Console.Error.WriteLine($"skipped {path}: {reason}"));
var folder = ImageFolder.Scan(data, skipped);
var (options, reasons) = Presets.FitTo(
    Presets.Named("small") with { Epochs = args.Length > 0 ? 30 : 2, WarmupEpochs = 1, BatchSize = Math.Min(64, folder.Count) },
    folder.Count, chooseOutDim: true, chooseTemperature: true, chooseMomentum: true);
foreach (string reason in reasons)
    Console.WriteLine(reason);

using var device = Device.Open("auto");
using var trainer = new Trainer(options, new RunOptions { OutputDir = Path.Combine(work, "run") }, device, folder, skipped);
trainer.Resume(); // goes on where an earlier run of the same options stopped
trainer.Run(ProgressDisplay.For(Console.Out), CancellationToken.None);
Console.WriteLine($"{trainer.State.Step} steps on {device}: {trainer.LatestPath}");
