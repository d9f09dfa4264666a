using Dino.Cli.Arguments;
using Dino.Cli.Commands;
using Dino.Cli.Drawing;
using Dino.Model;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Tensors;
using Dino.Train;
using Dino.Train.Evaluation.Attention;
using Dino.Train.Evaluation.Features;
using Dino.Train.Evaluation.Neighbours;
using Dino.Train.Log;
using Dino.Train.Methods.Dino;
using Dino.Train.Runs;

namespace Dino.Cli.Demo;

/// <summary>
/// What <c>dino demo</c> measured. Accuracies are k-NN top-1 with 20 neighbours in percent, Jaccard indices lie between 0 and 1.
/// </summary>
public sealed record DemoResult(
    double RawPixelTop1, double RandomTop1, double TrainedTop1, double RandomJaccard, double TrainedJaccard, int Objects,
    double ImagesPerSecond, IReadOnlyList<string> Pictures);

/// <summary>
/// The whole of DINO on pictures made on the spot: train a small ViT, then compare it with its own random weights and with raw pixels,
/// and look at its attention.
/// </summary>
public sealed class DemoRun(string folder, Device device, ulong seed, ProgressDisplay progress, Action<string> say,
    CancellationToken cancel)
{
    /// <summary>Pictures made for training and for validation.</summary>
    public const int TrainPictures = 2000, ValPictures = 500;

    // Attention is looked at closely: at the size of training a patch mixes the elements of a surface (docs/design/0006).
    private const int PictureSize = 64, AttentionSize = 4 * PictureSize, AttentionPictures = 200, SheetPictures = 8, Neighbours = 20;

    /// <summary>
    /// The recipe: a network of a million parameters, for two cores and a few minutes. Batch normalisation in the head and a sharp teacher
    /// are
    /// what keeps so small a network from the uniform answer (docs/design/0006-leaving-the-uniform-answer.md).
    /// </summary>
    public static DinoOptions Options(ulong seed)
    {
        var small = DinoPresets.Named("small");
        return small with
        {
            Backbone = new ViTConfig { ImageSize = 48, Patch = 8, Dim = 96, Depth = 4, Heads = 6 },
            Head = small.Head with { OutDim = 256 },
            WarmupTeacherTemp = 0.015,
            TeacherTemp = 0.015,
            MomentumTeacher = 0.99,
            Seed = seed,
        };
    }

    /// <summary>Makes the pictures, trains, evaluates, and writes everything into the folder.</summary>
    public DemoResult Run()
    {
        using var hold = FolderLock.Acquire(folder);
        string runFolder = Path.Combine(folder, "run");
        RefuseOtherRun(Path.Combine(runFolder, RunFiles.Latest));
        var pictures = new ProceduralPictures(seed, PictureSize);
        string data = Path.Combine(folder, "pictures");
        progress.Run("making pictures", TrainPictures + ValPictures, tracker =>
            pictures.WriteFolder(data, TrainPictures, ValPictures, done => tracker.Report(done), cancel));
        var skipped = new SkippedFiles();
        var train = ImageFolder.Scan(Path.Combine(data, "train"), skipped);
        var val = ImageFolder.Scan(Path.Combine(data, "val"), skipped);
        if (train.Count != TrainPictures || val.Count != ValPictures)
            throw new UserErrorException($"{data} holds other pictures beside those of the demonstration ({train.Count} and {val.Count}, "
                + $"not {TrainPictures} and {ValPictures}): remove them, or give another --output-dir.");
        var prefetch = new PrefetchOptions { CacheBytes = PrefetchOptions.DefaultCacheBytes };
        var options = Options(seed);
        var knn = new KnnRun(train, val, options.Crops.GlobalCropsSize, device, prefetch)
        {
            Options = new KnnOptions { Ks = [Neighbours] },
            Skipped = skipped,
        };
        double Top1(Backbone backbone) => knn.Evaluate(backbone, cancel).Top1(Neighbours)!.Value;

        var labelled = pictures.MakeMany(PictureSplit.Validation, AttentionPictures, cancel);
        double rawTop1 = KnnClassifier.Evaluate(
            device, RawFeatures(pictures.MakeMany(PictureSplit.Train, TrainPictures, cancel)),
            RawFeatures(pictures.MakeMany(PictureSplit.Validation, ValPictures, cancel)),
            new KnnOptions { Ks = [Neighbours] }, cancel).Top1(Neighbours)!.Value;

        // A demo starts from random weights.
        var run = new RunOptions { OutputDir = runFolder, KnnEvery = 10, SaveEvery = options.Epochs, Prefetch = prefetch, Restart = true };
        run = run with { Arguments = TrainCommand.Arguments(options, run, train.Root, val.Root) };
        using var trainer = new Trainer(options, run, device, train, skipped, backbone => Top1(backbone));
        var network = trainer.Method.Evaluated;
        double randomTop1 = Top1(network);
        double randomJaccard = MeanJaccard(network, labelled, out int objects);
        say($"{TrainPictures} pictures of {ProceduralPictures.ClassNames.Count} classes, "
            + $"{trainer.Method.Summary}, on {device}");

        trainer.Run(progress, cancel);

        string[] files = [Path.Combine(folder, "attention.png"), Path.Combine(folder, "loss.png"), Path.Combine(folder, "accuracy.png")];
        var maps = new AttentionMaps(network, device);
        AttentionSheet.Write(files[0], "Attention of the class token, last block",
            [.. labelled.Take(SheetPictures).Select(p => Attention(maps, p))]);
        var (steps, epochs) = RunLogReader.Read(Path.Combine(runFolder, "log.jsonl"), trainer.Method.Measured.Measures);
        CurvePlot.WriteSteps(files[1], steps);
        CurvePlot.WriteAccuracy(
            files[2], [(0L, randomTop1), .. epochs.Where(e => e.KnnTop1 is not null).Select(e => (e.Steps, e.KnnTop1!.Value))],
            [("raw pixels", rawTop1), ("random weights", randomTop1)]);
        return new DemoResult(
            rawTop1, randomTop1, Top1(network), randomJaccard, MeanJaccard(network, labelled, out _), objects,
            epochs.Average(e => e.ImagesPerSecond), files);
    }

    /// <summary>A run of somebody's own, in the folder that the demonstration would begin in, is worth more than it.</summary>
    private static void RefuseOtherRun(string latest)
    {
        if (File.Exists(latest) && Checkpoint.ReadInfo(latest).OptionsAs<DinoOptions>() is var found && found != Options(found.Seed))
            throw new UserErrorException($"{latest} is not of the demonstration, which would replace it: give another --output-dir.");
    }

    private static AttentionPicture Attention(AttentionMaps maps, LabelledPicture picture)
    {
        var image = new RgbImage(picture.Size, picture.Size);
        picture.Rgb.CopyTo(image.Pixels);
        return maps.Of(ProceduralPictures.ClassNames[picture.Label], image, AttentionSize);
    }

    private double MeanJaccard(Backbone backbone, LabelledPicture[] pictures, out int objects)
    {
        var maps = new AttentionMaps(backbone, device);
        var all = new List<double>();
        foreach (var picture in pictures)
        {
            cancel.ThrowIfCancellationRequested();
            all.AddRange(AttentionMaps.Jaccard(Attention(maps, picture), picture.Mask, picture.Size, picture.Size));
        }
        objects = all.Count;
        return all.Average();
    }

    private static FeatureSet RawFeatures(LabelledPicture[] pictures)
    {
        const int size = 32;
        float[] values = new float[pictures.Length * 3 * size * size];
        for (int i = 0; i < pictures.Length; i++)
            RawPixels.Fill(pictures[i].Rgb, PictureSize, PictureSize, size, values.AsSpan(i * 3 * size * size, 3 * size * size));
        return new FeatureSet(values, [.. pictures.Select(picture => picture.Label)], 3 * size * size);
    }
}
