using Dino.Pictures.DataSets;
using Dino.Pictures.Loading;
using Dino.Tensors.Io;
using Dino.Testing;
using Dino.Testing.Runs;
using Dino.Train.Log;
using Dino.Train.Methods.Dino;
using Dino.Train.Options;
using Dino.Train.Runs;
using NUnit.Framework;

namespace Dino.Train.Tests.Training;

/// <summary>Ranks that share each batch train as one process that has it all, and stop together; one of them writes.</summary>
public class RanksTests
{
    private PictureFolder pictures = null!;
    private string scratch = null!;

    [OneTimeSetUp]
    public void MakePictures() => pictures = TinyRun.MakePictures();

    [OneTimeTearDown]
    public void DeletePictures() => pictures.Dispose();

    [SetUp]
    public void MakeScratch() => scratch = Directory.CreateTempSubdirectory("dino-ranks-").FullName;

    [TearDown]
    public void DeleteScratch() => Directory.Delete(scratch, recursive: true);

    private static DinoOptions Options(int batch) => TinyRun.Options with
    {
        BatchSize = batch,
        Head = TinyRun.Options.Head with { UseBatchNorm = true },
        // Momentum carries rounding on as it is; Adam divides it by small moments.
        Optimizer = OptimizerKind.Sgd,
        Lr = 0.2,
        CenterWarmup = 1,
    };

    [Test]
    public void TwoRanks_GiveTheTraceOfOneWithTheWholeBatch([Values(1, 2)] int accumulate)
    {
        string one = Path.Combine(scratch, "one"), two = Path.Combine(scratch, "two");
        TinyRun.Run(Options(8 / accumulate) with { Accumulate = accumulate }, pictures.Root, one);
        Run(2, Options(4 / accumulate) with { Accumulate = accumulate }, _ => two);

        var expected = RunLogReader.Read(Path.Combine(one, RunFiles.Log)).Steps;
        var actual = RunLogReader.Read(Path.Combine(two, RunFiles.Log)).Steps;
        Assert.That(actual, Has.Count.EqualTo(expected.Count).And.Count.EqualTo(9));
        string[] names =
            [DinoMeasures.Loss, DinoMeasures.TeacherEntropy, DinoMeasures.CentreNorm, DinoMeasures.GradientNorm, DinoMeasures.LearningRate];
        foreach (string name in names)
            for (int i = 0; i < expected.Count; i++)
                Assert.That(actual[i][name], Is.EqualTo(expected[i][name]).Within(0.01).Percent, $"{name} of step {i}");
        Assert.That(
            actual[^1][DinoMeasures.Loss], Is.Not.EqualTo(actual[0][DinoMeasures.Loss]).Within(1).Percent,
            "nothing was learned that could differ");
        using SafetensorsFile a = SafetensorsFile.Read(Latest(two)), b = SafetensorsFile.Read(Latest(one));
        Assert.That(a.Names, Is.EqualTo(b.Names).And.Some.Contains("running_var"));
        foreach (string name in a.Names)
        {
            // Momentum adds up the rounding of nine gradients.
            var tolerance = name.StartsWith("optimizer.", StringComparison.Ordinal) ? Tolerance.Loose : Tolerance.Balanced;
            tolerance.Check<float>(a.Floats(name), b.Floats(name), name);
        }
    }

    [Test]
    public void OneRankWrites_AndAllStopTogether_WhoeverIsAsked([Values(0, 1)] int asked)
    {
        using var cancel = new CancellationTokenSource();
        long[] stopped = Run(
            2, Options(4), rank => Path.Combine(scratch, $"{rank}"), rank => rank == asked ? cancel.Token : default,
            (rank, done) =>
            {
                if (rank == asked && done == 2)
                    cancel.Cancel();
            });

        Assert.That(stopped, Is.EqualTo([2, 2]));
        Assert.That(Checkpoint.ReadInfo(Latest(Path.Combine(scratch, "0"))).Step, Is.EqualTo(2));
        Assert.That(Directory.GetDirectories(scratch).Select(Path.GetFileName), Is.EqualTo(["0"]));
    }

    [Test]
    public void OtherRanks_AreAnotherRun()
    {
        Run(2, Options(4) with { Epochs = 2 }, _ => scratch);

        Assert.That(
            () => TinyRun.Run(Options(4) with { Epochs = 2 }, pictures.Root, scratch),
            Throws.TypeOf<RunException>().With.Message.Contains("ranks (2 then, 1 now)"));
    }

    /// <summary>Runs to the end, or until all stop; the steps of each rank.</summary>
    private long[] Run(
        int ranks, DinoOptions options, Func<int, string> output, Func<int, CancellationToken>? cancel = null,
        Action<int, long>? onStep = null) =>
        ThreadRanks.Run(ranks, (who, device) =>
        {
            var run = new RunOptions { OutputDir = output(who.Rank), Prefetch = new PrefetchOptions { Workers = 1 } };
            using var trainer = new Trainer(options, run, device, ImageFolder.Scan(pictures.Root), new SkippedFiles(), ranks: who);
            try
            {
                trainer.Run(new StepDisplay(done => onStep?.Invoke(who.Rank, done)), cancel?.Invoke(who.Rank) ?? default);
            }
            catch (OperationCanceledException) when (cancel?.Invoke(who.Rank).IsCancellationRequested == true)
            {
            }
            return trainer.Step;
        });

    private static string Latest(string folder) => Path.Combine(folder, RunFiles.Latest);
}
