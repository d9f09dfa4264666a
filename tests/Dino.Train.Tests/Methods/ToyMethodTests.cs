using System.Text.Json;
using Dino.Cli.Drawing;
using Dino.Cli.Terminal;
using Dino.Model;
using Dino.Pictures.DataSets;
using Dino.Pictures.Loading;
using Dino.Pictures.Transforms;
using Dino.Tensors;
using Dino.Tensors.Io;
using Dino.Tensors.Nn;
using Dino.Tensors.Ops;
using Dino.Tensors.Optim;
using Dino.Testing.Runs;
using Dino.Train.Log;
using Dino.Train.Methods;
using Dino.Train.Options;
using Dino.Train.Runs;
using NUnit.Framework;

namespace Dino.Train.Tests.Methods;

/// <summary>A second method, whole in this file, lives in the house of the first: it trains, logs, is shown, saved and resumed.</summary>
public class ToyMethodTests
{
    private static readonly ToyOptions options = new()
    {
        Backbone = new ViTConfig { ImageSize = 16, Patch = 8, Dim = 16, Depth = 2, Heads = 2, DropPathRate = 0.2f },
        BatchSize = 4,
        Epochs = 3,
        WarmupEpochs = 1,
        Lr = 0.02,
        Queue = 12,
        Seed = 3,
    };

    private PictureFolder pictures = null!;
    private string scratch = null!;

    [OneTimeSetUp]
    public void MakePictures() => pictures = TinyRun.MakePictures();

    [OneTimeTearDown]
    public void DeletePictures() => pictures.Dispose();

    [SetUp]
    public void MakeScratch() => scratch = Directory.CreateTempSubdirectory("dino-toy-").FullName;

    [TearDown]
    public void DeleteScratch() => Directory.Delete(scratch, recursive: true);

    private string Latest(string run = "") => Path.Combine(scratch, run, RunFiles.Latest);

    [Test]
    public void ARunThatIsStopped_GoesOnToTheSameBits([Values(1, 2)] int accumulate, [Values(1, 4, 5, 8)] int stopAt)
    {
        var options = ToyMethodTests.options with { Accumulate = accumulate };
        long steps = 18 / accumulate;
        Train(options, "whole");
        using (var cancel = new CancellationTokenSource())
        {
            Assert.That(
                () => Train(options, "parts", done =>
                {
                    if (done == stopAt)
                        cancel.Cancel();
                }, cancel: cancel.Token),
                Throws.InstanceOf<OperationCanceledException>());
        }
        Assert.That(Checkpoint.ReadInfo(Latest("parts")).Step, Is.EqualTo(stopAt));
        Train(options, "parts");

        Assert.That(File.ReadAllBytes(Latest("parts")), Is.EqualTo(File.ReadAllBytes(Latest("whole"))));
        Assert.That(RunLogReader.Read(Path.Combine(scratch, "parts", RunFiles.Log)).Steps.Select(row => row.Step),
            Is.EqualTo(Enumerable.Range(0, (int)steps)));
    }

    [Test]
    public void TheCheckpoint_HoldsTheMethodsOwnState_AndTheAverageHasNoPredictor()
    {
        Train(options, "");

        using var file = SafetensorsFile.Read(Latest());
        Assert.That(file.Names, Has.Some.StartsWith("online.predictor.").And.Some.StartsWith("target.encoder.")
            .And.Some.StartsWith("optimizer."));
        Assert.That(file.Names, Has.None.StartsWith("target.predictor."));
        Assert.That(file.Shape("queue"), Is.EqualTo(new long[] { options.Queue, ToyEncoder.Dim }));
        Assert.That(file.Floats("queue.place"), Is.EqualTo(new float[] { 18 * options.BatchSize % options.Queue }));
        Assert.That(file.Floats("queue"), Has.Some.Not.Zero);
        Assert.That(Checkpoint.ReadInfo(Latest()).OptionsAs<ToyOptions>(), Is.EqualTo(options));
    }

    [Test]
    public void ItsMeasures_AreInTheLog_OnTheScreen_AndInTheCurves()
    {
        var rows = new List<string>();
        Train(options, "", onRow: row => rows.Add(HealthLine.Format(row)));

        string log = Path.Combine(scratch, RunFiles.Log);
        using (var line = JsonDocument.Parse(File.ReadLines(log).First()))
        {
            Assert.That(line.RootElement.EnumerateObject().Select(property => property.Name), Is.EqualTo(
                ["step", "epoch", "contrast", "margin", "gradientNorm", "learningRate", "imagesPerSecond"]));
        }
        using (var line = JsonDocument.Parse(File.ReadLines(log).Last()))
            Assert.That(line.RootElement.GetProperty("contrast").GetDouble(), Is.GreaterThan(0));
        var (steps, epochs) = RunLogReader.Read(log);
        Assert.That(steps[^1]["contrast"], Is.LessThan(steps.Max(step => step["contrast"])));
        Assert.That(epochs.Select(epoch => epoch["contrast"]), Is.EqualTo(
            steps.GroupBy(step => step.Epoch).Select(epoch => epoch.Average(step => step["contrast"]))).Within(1e-9));
        Assert.That(rows, Has.Count.EqualTo(18).And.All.Contains("contrast ").And.All.Contains("margin ").And.All.Contains("img/s"));
        using var device = Device.Open("cpu");
        using var method = options.Build(new MethodContext(device, 1));
        CurvePlot.WriteLog(Path.Combine(scratch, "curves.png"), log, method.Measured.Measures);
        Assert.That(new FileInfo(Path.Combine(scratch, "curves.png")).Length, Is.GreaterThan(1000));
    }

    [Test]
    public void ItsHealth_IsItsOwn()
    {
        var notes = new List<string>();
        Train(options with { Momentum = 1 }, "", onNote: notes.Add);

        Assert.That(notes, Is.EqualTo(["The target stands still: `Momentum` is 1."]));
    }

    [Test]
    public void OtherOptionsOfItsOwn_OrAnotherMethod_AreAnotherRun()
    {
        Train(options, "");
        byte[] before = File.ReadAllBytes(Latest());

        Assert.That(() => Train(options with { Queue = 16, Temperature = 0.5 }, ""), Throws.TypeOf<RunException>()
            .With.Message.Contains("`Queue` (12 then, 16 now), `Temperature` (0.2 then, 0.5 now)"));
        Assert.That(() => TinyRun.Run(TinyRun.Options, pictures.Root, scratch), Throws.TypeOf<RunException>()
            .With.Message.Contains("method (toy then, dino now)"));
        Assert.That(File.ReadAllBytes(Latest()), Is.EqualTo(before));
    }

    [Test]
    public void ItsHyperparameters_AreChecked_ByTheirLimits()
    {
        Assert.That((options with { Queue = 0 }).Validate, Throws.TypeOf<HyperparameterException>()
            .With.Message.EqualTo("`Queue` must be at least 1, not 0 (Features of earlier pictures to be told apart from).")
            .And.Property("Property").EqualTo("Queue"));
        Assert.That((options with { Temperature = 7 }).Warnings(), Is.EqualTo(["`Temperature` 7 is above 1; usual are 0.05 to 0.5"]));
    }

    private void Train(
        ToyOptions options, string output, Action<long>? onStep = null, Action<StepRow>? onRow = null, Action<string>? onNote = null,
        CancellationToken cancel = default)
    {
        using var device = Device.Open("cpu", new DeviceOptions { Strict = true, Threads = 2 });
        var run = new RunOptions { OutputDir = Path.Combine(scratch, output), Prefetch = new PrefetchOptions { Workers = 1 } };
        using var trainer = new Trainer(options, run, device, ImageFolder.Scan(pictures.Root, cancel: cancel), new SkippedFiles());
        trainer.Resume();
        trainer.Run(new RowDisplay(onStep, onRow, onNote), cancel);
    }

    private sealed class RowDisplay(Action<long>? onStep, Action<StepRow>? onRow, Action<string>? onNote) : ProgressDisplay
    {
        public override void Run(string name, long total, Action<ProgressTracker> work) => work(new Tracker(total, onStep, onRow, onNote));

        private sealed class Tracker(long total, Action<long>? onStep, Action<StepRow>? onRow, Action<string>? onNote)
            : ProgressTracker(total)
        {
            public override void StartAt(long done)
            {
            }

            public override void Report(long done, string? detail = null) => onStep?.Invoke(done);

            public override void Report(long done, in StepRow row)
            {
                onRow?.Invoke(row);
                onStep?.Invoke(done);
            }

            public override void Note(string line) => onNote?.Invoke(line);
        }
    }
}

/// <summary>What the toy has besides the hyperparameters of every run.</summary>
internal sealed record ToyOptions : TrainOptions
{
    private static readonly IReadOnlyList<Hyperparameter> all =
    [
        .. RunHyperparameters.All,
        new Hyperparameter<ToyOptions, int>(
            nameof(Queue), "Features of earlier pictures to be told apart from.", o => o.Queue, (o, v) => o with { Queue = v })
        {
            Limits = new(1),
        },
        new Hyperparameter<ToyOptions, double>(
            nameof(Temperature), "Sharpens the contrast.", o => o.Temperature, (o, v) => o with { Temperature = v })
        {
            Limits = new(0) { IsAbove = true, StrangeOver = 1, Usual = "usual are 0.05 to 0.5" },
        },
        new Hyperparameter<ToyOptions, double>(
            nameof(Momentum), "The target's average.", o => o.Momentum, (o, v) => o with { Momentum = v })
        {
            Limits = new(0, 1),
        },
    ];

    public override string Method => "toy";

    public int Queue { get; init; } = 64;

    public double Temperature { get; init; } = 0.2;

    public double Momentum { get; init; } = 0.9;

    [System.Text.Json.Serialization.JsonIgnore]
    public override IReadOnlyList<Hyperparameter> Hyperparameters => all;

    public override IMethod Build(MethodContext context) => new ToyMethod(this, context);
}

/// <summary>A backbone and a projection, (B, C, S, S) → (B, <see cref="Dim"/>).</summary>
internal sealed class ToyEncoder : Module
{
    public const int Dim = 8;

    private readonly Linear projection;

    public ToyEncoder(BackboneConfig config)
    {
        Backbone = Register("backbone", config.Build());
        projection = Register("projection", new Linear(Backbone.Width, Dim));
    }

    public Backbone Backbone { get; }

    public Tensor Forward(Tensor images, in Pass pass) => projection.Forward(Backbone.Forward(images, pass));
}

/// <summary>
/// Two views of a picture: a predictor says of the one what the moving average says of the other, told apart from the batch's other
/// pictures and from a queue of earlier ones (as in BYOL and MoCo). The average has no predictor.
/// </summary>
internal sealed class ToyMethod : IMethod
{
    private readonly ToyOptions options;
    private readonly Device device;
    private readonly ToyEncoder encoder, target;
    private readonly Linear predictor = new(ToyEncoder.Dim, ToyEncoder.Dim);
    private readonly FlatParameters online, average;
    private readonly Optimizer optimizer;
    private readonly ExponentialMovingAverage follow;
    private readonly RandomStochasticDepth depth;
    private readonly Tape tape;
    private readonly Tensor queue, isOwn; // (Q, D), and (B, B + Q): 1 where a key is of the same picture
    private readonly List<float[]> keys = [];
    private int place;
    private bool warned;

    public ToyMethod(ToyOptions options, MethodContext context)
    {
        (this.options, device) = (options, context.Device);
        (encoder, target) = (new ToyEncoder(options.Backbone), new ToyEncoder(options.Backbone));
        online = new FlatParameters(device, trainable: true, ("encoder", encoder), ("predictor", predictor));
        average = new FlatParameters(device, trainable: false, ("encoder", target));
        online.Initialize(options.Seed);
        average.CopyFrom(online);
        optimizer = options.BuildOptimizer(online);
        follow = new ExponentialMovingAverage(average, online);
        depth = new RandomStochasticDepth(options.Seed);
        tape = new Tape(device);
        queue = Tensor.Zeros(device, new Shape(options.Queue, ToyEncoder.Dim));
        int keys = options.BatchSize + options.Queue;
        float[] own = new float[options.BatchSize * keys];
        for (int i = 0; i < options.BatchSize; i++)
            own[i * keys + i] = 1;
        isOwn = Tensor.From(device, own, new Shape(options.BatchSize, keys));
        var rates = options.LearningRate(context.StepsPerEpoch);
        Measured = new Measurements(
            device,
            [
                Measure.OnDevice("contrast") with
                {
                    Label = "contrast", Format = "F3", Importance = 90, IsEpochMean = true, IsVital = true, Curve = new("nats", "contrast"),
                },
                Measure.Derived("margin", row => Math.Log(keys) - row["contrast"]) with { Label = "margin", Importance = 60 },
                Measure.GradientNorm("gradientNorm") with { IsVital = true },
                Measure.OfStep("learningRate", rates.At),
            ],
            optimizer.Norms.Count, context.Ranks);
    }

    public IReadOnlyList<View> Views =>
    [
        new View { Size = options.ViT.ImageSize, Scale = new(0.4, 1), Recipe = new Recipe { FlipProbability = 0.5 } },
        new View { Size = options.ViT.ImageSize, Scale = new(0.2, 1),
            Recipe = new Recipe { FlipProbability = 0.5, GrayscaleProbability = 0.3 } },
    ];

    public Backbone Evaluated => target.Backbone;

    public IEnumerable<IState> State =>
    [
        SavedState.Of("online", online), SavedState.Of("target", average), SavedState.Of("optimizer", optimizer),
            SavedState.Of("queue", queue),
        SavedState.Of("queue.place", () => [place], values => place = (int)values[0]),
    ];

    public Measurements Measured { get; }

    public void Learn(ViewBatch views, in StepInfo step)
    {
        using var batch = device.BeginArena(reuseTensors: true);
        depth.Step = (uint)step.Batch;
        var fresh = target.Forward(views.Views(1, 1), new Pass(Training: true, OneRank.Instance)).L2Normalize(); // (B, D)
        tape.Record();
        var said = predictor.Forward(encoder.Forward(views.Views(0, 1), new Pass(Training: true, OneRank.Instance, depth))).L2Normalize();
        var logits = said.MatMul(ConcatOp.Concat(0, fresh, queue), transposeB: true).Scale((float)(1 / options.Temperature)); // (B, B + Q)
        var loss = logits.LogSoftmax().Multiply(isOwn).Sum().Scale(-1f / options.BatchSize);
        Measured.Count("contrast", loss);
        keys.Add(fresh.ToArray());
        tape.Backward(loss, step.LossWeight);
    }

    public void Update(in StepInfo step)
    {
        using var update = device.BeginArena(reuseTensors: true);
        optimizer.Step(step.LearningRate, step.WeightDecay, options.ClipGrad);
        follow.Update(options.Momentum);
        float[] all = queue.ToArray();
        foreach (float[] key in keys.SelectMany(keys => keys.Chunk(ToyEncoder.Dim)))
        {
            key.CopyTo(all, place * ToyEncoder.Dim);
            place = (place + 1) % options.Queue;
        }
        queue.CopyFrom(all);
        keys.Clear();
        Measured.EndStep(step.Step, step.Epoch, optimizer.Norms);
        online.ZeroGrad();
    }

    public string? Health(StepRow row)
    {
        if (options.Momentum < 1 || warned)
            return null;
        warned = true;
        return "The target stands still: `Momentum` is 1.";
    }

    public bool Abandon()
    {
        tape.Dispose();
        return true;
    }

    public void Dispose()
    {
        tape.Dispose();
        Measured.Dispose();
        follow.Dispose();
        optimizer.Dispose();
        average.Dispose();
        online.Dispose();
        queue.Dispose();
        isOwn.Dispose();
    }
}
