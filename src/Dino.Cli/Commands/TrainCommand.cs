using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Dino.Cli.Arguments;
using Dino.Pictures.DataSets;
using Dino.Pictures.Decoding;
using Dino.Pictures.Loading;
using Dino.Tensors;
using Dino.Train;
using Dino.Train.Evaluation.Neighbours;
using Dino.Train.Methods.Dino;
using Dino.Train.Options;
using Dino.Train.Runs;

namespace Dino.Cli.Commands;

/// <summary><c>dino train</c>: from a folder of pictures to a checkpoint.</summary>
internal static class TrainCommand
{
    private static readonly TrainOptionSet hyperparameters = new();

    private static readonly Option<string[]> data = PictureChoice.Sources("--data",
        $"Pictures, in class folders, flat or nested: {PictureChoice.Kinds}; one or several.", required: true);

    private static readonly Option<string> outputDir = new("--output-dir")
    {
        Description = "Folder for checkpoints and log.jsonl; a run that is found there goes on.",
        DefaultValueFactory = _ => "dino-run",
        HelpName = "FOLDER",
    };

    private static readonly Option<string[]> val = PictureChoice.Sources("--val",
        "Labelled pictures for k-NN during training, with the class folders of --data; or a share of --data, 10% say, which is then not "
            + "trained on.");

    private static readonly Option<int> knnFreq =
        new("--knn-freq") { Description = "Epochs between k-NN evaluations on --val.", DefaultValueFactory = _ => 5 };
    private static readonly Option<int> saveFreq =
        new("--saveckp-freq") { Description = "Epochs between checkpoints that stay.", DefaultValueFactory = _ => 20 };
    private static readonly Option<int> workers =
        new("--num-workers") { Description = "Threads that decode and crop; 0 for one a processor." };
    private static readonly Option<int> cache = new("--cache-mb")
    {
        Description =
        "Memory for decoded pictures, in MiB; by default a quarter of what the machine or its container has.",
        DefaultValueFactory = _ => (int)(PrefetchOptions.DefaultCacheBytes >> 20)
    };
    private static readonly Option<Augmentation> augment =
        new("--augment") { Description = "Where crops are made of pictures: host, or device (an accelerator). The crops are the same." };
    private static readonly Option<double?> minutes =
        new("--max-minutes") { Description = "Stop after so long, with a checkpoint to go on from." };
    private static readonly Option<bool> plan = new("--plan") { Description = "Print the memory that the run needs, and end." };
    private static readonly Option<string?> init = new("--init")
    {
        Description =
        "Begin with the weights of a file, of dino train, official, Hugging Face's or timm's; head and centre too if it has them.",
        HelpName = "FILE"
    };
    private static readonly Option<bool> partial =
        new("--allow-partial") { Description = "Use what fits of --init when tensors are missing, unexpected or misshapen." };
    private static readonly Option<bool> restart = new("--restart") { Description = "Start anew though the output folder holds a run." };
    private static readonly Option<bool> verify = new("--verify")
    {
        Description = "Compare the contents of the pictures with those that "
        + "the run began with, however many they are; without it, names, sizes and times of large data sets."
    };

    private static readonly Option<string?> args = new("--args")
    {
        Description = "Take options from a file, as args.json of a run; those on the command line go before it.",
        HelpName = "FILE",
    };

    private static readonly Lazy<HashSet<string>> keys = new(() => [.. Build().Options.Where(IsKept).Select(RunArguments.KeyOf)]);

    public static Command Build()
    {
        var command = new ProgramCommand("train", "Train a Vision Transformer on a folder of pictures, without labels.", Run)
        {
            File = args,
            IsOfFile = IsKept,
            Group = (TrainOptionSet.Heading, [.. hyperparameters.Views]),
            Notes = text =>
            {
                text.WriteLine("Presets, where they differ (what follows from the number of pictures is said when the run starts):");
                PresetTable.Make().WriteTo(text);
                text.WriteLine();
                text.WriteLine("args.json in a run's folder has all its options, with _ for -: {\"epochs\": 100, \"jitter_prob\": 0}.");
                text.WriteLine("Data and output folder are among them, as whole paths; relative ones count from where dino is started.");
            },
            Examples =
            [
                ("dino train --data photos --preset small", "a small network, for a laptop"),
                ("dino train --data imagenet/train --preset paper --device cuda", "ViT-S/16 as in the paper"),
                ("dino train --data photos --preset paper --plan", "the memory that it would need"),
                ("dino train --data photos --init dino_deitsmall16_pretrain.pth", "adapt a published network, gently"),
                ("dino train --data parts --preset small --jitter-prob 0 --grayscale-prob 0 --solarize-prob 0",
                    "where colour is what counts, as in the inspection of defects: leave it as it is"),
                ("dino train --args dino-run/args.json --output-dir second --seed 1", "the same run with another seed"),
                ("dino train --data train --val val --preset small --epochs 50 --knn-freq 5", "with k-NN accuracy every five epochs"),
                ("dino train --data old new.zip --val 10% --preset small", "a folder and an archive, a tenth of them held out for k-NN"),
                ("dino train --data 'shards/train-{000000..000009}.tar' --preset paper", "ten shards of WebDataset"),
            ],
        };
        command.Options.Add(args);
        command.Options.Add(data);
        command.Options.Add(outputDir);
        command.Options.Add(val);
        command.Options.Add(knnFreq);
        command.Options.Add(saveFreq);
        command.Options.Add(workers);
        command.Options.Add(cache);
        command.Options.Add(augment);
        command.Options.Add(minutes);
        command.Options.Add(init);
        command.Options.Add(partial);
        command.Options.Add(restart);
        command.Options.Add(verify);
        command.Options.Add(plan);
        PictureChoice.AddTo(command);
        TrainPreprocessing.AddTo(command);
        DeviceOption.AddTo(command);
        hyperparameters.AddTo(command);
        return command;
    }

    /// <summary>Whether a file of a run's options has a key.</summary>
    public static bool HasKey(string key) => keys.Value.Contains(key);

    // What is asked of one start of the program is no option of the run.
    private static bool IsKept(Option option) => option != args && option != restart && option != verify && option != plan;

    private static void Run(CommandContext context)
    {
        context.KeepsNothing();
        var skipped = Folders.Skipped(context);
        double? share = context.IsGiven(val) ? HeldOutShare.Of(val, context.Get(val)!) : null;
        var folder = Folders.Scan(context, context.Get(data)!, skipped);
        ImageFolder? heldOut = null;
        if (share is { } part)
            (folder, heldOut) = Folders.Split(context, folder, part);
        using var from = context.Get(init) is { } file ? Initialization.Open(file) : null;
        var found = Found(context);
        var (options, reasons) = hyperparameters.Read(context, folder.Count, from, found);
        foreach (string reason in reasons)
            context.Say(reason);
        foreach (string warning in options.Warnings())
            context.Warn(warning);
        if (context.Get(minutes) is { } most)
            context.Within(minutes, most, new Limits(0) { IsAbove = true });
        var prefetch = new PrefetchOptions
        {
            Workers = context.GetBetween(workers, 0, 1024),
            MaxPixels = PictureChoice.MaxPixels(context),
            CacheBytes = (long)context.GetBetween(cache, 0) << 20,
        };
        if (context.Get(augment) == Augmentation.Device && TrainPreprocessing.HasRange(context))
            throw new UserErrorException("--augment device makes crops of pictures of 8 bits, not with --range; leave it out.")
            { IsUsage = true };
        if (!context.Get(plan))
            options = TrainPreprocessing.Apply(context, options, found, folder, prefetch);
        var values = Values(options, context.Get(outputDir)!);
        values[cache] = context.IsGiven(cache) ? context.Get(cache) : null; // by default it is the machine's
        PictureChoice.Note(context, values);
        var run = new RunOptions
        {
            OutputDir = context.Get(outputDir)!,
            SaveEvery = context.GetBetween(saveFreq, 1),
            KnnEvery = !context.IsGiven(val) ? 0 : context.GetBetween(knnFreq, 1),
            MaxSeconds = context.Get(minutes) * 60,
            Prefetch = prefetch,
            Augment = context.Get(augment),
            Restart = context.Get(restart),
            Verify = context.Get(verify),
            Arguments = RunArguments.Of(context.Values.Where(pair => IsKept(pair.Option)).Select(
                pair => values.TryGetValue(pair.Option, out object? value) ? (pair.Option, value) : pair)),
            HeldOut = heldOut is null ? null : [.. Enumerable.Range(0, heldOut.Count).Select(heldOut.RelativePathOf)],
        };
        using var device = DeviceOption.Open(context);
        if (run.Augment == Augmentation.Device && options.ViT.Channels != 3)
            throw new UserErrorException($"--augment device makes crops of 3 channels, not of {options.ViT.Channels}; leave it "
                + $"out.")
            { IsUsage = true };
        if (run.Augment == Augmentation.Device && device.IsHost)
            throw new UserErrorException("--augment device needs an accelerator; on cpu the host makes the crops.") { IsUsage = true };
        if (context.Get(plan))
        {
            Plan(context, options, device);
            return;
        }
        KnnRun? knn = null;
        if (context.IsGiven(val))
            knn = new KnnRun(folder, heldOut ?? Folders.Scan(context, context.Get(val)!, skipped), options.Crops.GlobalCropsSize, device,
                prefetch)
            { Skipped = skipped, Preprocessing = (options.Preprocessing ?? new()) with { Decode = DecodeMode.Exact } };

        using var trainer = Build(context, options, run, device, folder, skipped, knn);
        context.Kept = () => trainer.Saved;
        bool resumed = !run.Restart && trainer.Resume(from, context.Get(partial), context.Cancel);
        foreach (string note in trainer.Notes)
            context.Say(note);
        long before = trainer.Step;
        bool whole = resumed && before == trainer.Steps;
        if (from is not null && !resumed)
            context.Say(trainer.Initialize(from, context.Get(partial)).Summary);
        if (heldOut is not null)
            context.Say($"held out for k-NN: {heldOut.Count} of {folder.Count + heldOut.Count} pictures, which "
                + $"{Path.Combine(run.OutputDir, RunFiles.HeldOut)} names");
        context.Say(string.Create(CultureInfo.InvariantCulture,
            $"{(resumed ? $"going on from step {before}" : "starting")}: {folder.Count} pictures, {trainer.Method.Summary}, on {device}"));
        trainer.Run(context.Progress, context.Cancel);
        context.Result(
            json =>
            {
                json.WriteString("checkpoint", trainer.LatestPath);
                json.WriteNumber("steps", trainer.Step);
                json.WriteNumber("stepsOfEarlierRuns", before);
                json.WriteNumber("epochs", options.Epochs);
                json.WriteNumber("skippedFiles", skipped.Count);
                json.WriteString("device", device.Name);
            },
            text => text.WriteLine(whole
                ? $"already trained {trainer.Step} steps of the same run: {trainer.LatestPath} (--restart trains anew, more --epochs go on)"
                : $"trained {trainer.Step} steps: {trainer.LatestPath}"));
    }

    /// <summary>The options of a run that another command starts: with them, this one would start the same.</summary>
    /// <param name="options">The hyperparameters.</param>
    /// <param name="run">Where it writes, and how often.</param>
    /// <param name="pictures">The pictures to train on.</param>
    /// <param name="labelled">Those to evaluate on.</param>
    public static JsonObject Arguments(DinoOptions options, RunOptions run, string pictures, string labelled)
    {
        var values = Values(options, run.OutputDir);
        (values[data], values[val], values[knnFreq], values[saveFreq]) = (pictures, labelled, run.KnnEvery, run.SaveEvery);
        return RunArguments.Of(values.Select(pair => (pair.Key, pair.Value)));
    }

    private static Dictionary<Option, object?> Values(DinoOptions options, string output)
    {
        var values = hyperparameters.Values(options).ToDictionary();
        TrainPreprocessing.Note(options, values);
        values[outputDir] = Path.GetFullPath(output);
        return values;
    }

    /// <summary>The hyperparameters of the run that the output folder holds, if that is to go on.</summary>
    private static DinoOptions? Found(CommandContext context)
    {
        string latest = Path.Combine(context.Get(outputDir)!, RunFiles.Latest);
        if (context.Get(restart) || context.Get(plan) || !File.Exists(latest))
            return null;
        try
        {
            return Checkpoint.ReadInfo(latest).OptionsAs<DinoOptions>();
        }
        catch (RunException e)
        {
            throw new UserErrorException(
                $"{e.Message.TrimEnd('.')}. Put a checkpoint of the run in its place (checkpointNNNN.safetensors), or train anew with "
                    + $"--restart or another --output-dir.", e);
        }
    }

    private static void Plan(CommandContext context, DinoOptions options, Device device)
    {
        var estimate = options.EstimateMemory()!; // known of a Vision Transformer
        (string Field, string Text, long Bytes)[] lines =
        [
            ("weights", "weights, gradients, moments", estimate.Weights), ("crops", "crops", estimate.Crops),
            ("kept", options.Recompute ? "kept for the backward pass" : "kept for the backward pass (--recompute lowers it)",
                estimate.Kept),
            ("atWork", "a block at work", estimate.AtWork), ("logits", "head and logits", estimate.Logits),
            ("total", "in all", estimate.Total),
        ];
        context.Result(
            json =>
            {
                foreach (var (field, _, bytes) in lines)
                    json.WriteNumber(field + "Bytes", bytes);
                json.WriteString("device", device.Name);
                json.WriteNumber("deviceBytes", device.MemoryBytes);
                json.WriteBoolean("fits", estimate.Total <= device.MemoryBytes);
            },
            text =>
            {
                foreach (var (_, what, bytes) in lines)
                    text.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20),12:N0} MiB  {what}"));
                text.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{device.MemoryBytes / (double)(1 << 20),12:N0} MiB  {device}: "
                        + $"{(estimate.Total <= device.MemoryBytes ? "it fits" : "it does not fit")}"));
            });
    }

    private static Trainer Build(
        CommandContext context, DinoOptions options, RunOptions run, Device device, ImageFolder folder, SkippedFiles skipped, KnnRun? knn)
    {
        try
        {
            return new Trainer(options, run, device, folder, skipped,
                knn is null ? null : backbone => knn.Evaluate(backbone, context.Cancel).Top1(20));
        }
        catch (OverflowException e)
        {
            throw new UserErrorException("A model of these sizes has more weights than fit into one block of memory: make it smaller.", e);
        }
    }
}
