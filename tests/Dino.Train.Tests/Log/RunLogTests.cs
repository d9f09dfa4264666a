using System.Text.Json;
using Dino.Testing.Runs;
using Dino.Train.Log;
using NUnit.Framework;

namespace Dino.Train.Tests.Log;

public class RunLogTests
{
    private string path = "";

    [SetUp]
    public void NamePath() => path = Path.Combine(TestContext.CurrentContext.WorkDirectory, Guid.NewGuid().ToString("N") + ".jsonl");

    [TearDown]
    public void Delete() => File.Delete(path);

    [Test]
    public void EveryStepAndEpochIsOneJsonLine_AndComesBack()
    {
        var step = DinoRow.Of(3, 5.5, 4.25, epoch: 1, imagesPerSecond: 38.5);
        var epoch = DinoRow.Epoch(1, 4, 5.75, 4.5, 31.5);
        using (var log = RunLog.Open(path))
        {
            log.Write(step);
            log.Write(epoch);
        }

        string[] lines = File.ReadAllLines(path);
        Assert.That(lines, Has.Length.EqualTo(2));
        foreach (string line in lines)
            Assert.That(() => JsonDocument.Parse(line).Dispose(), Throws.Nothing);
        Assert.That(File.ReadAllText(path), Does.EndWith("\n"));
        var (steps, epochs) = RunLogReader.Read(path, DinoRow.Measures);
        Assert.That(Text(steps.Single()), Is.EqualTo(Text(step)));
        Assert.That(epochs.Single().Means, Is.EqualTo(epoch.Means));
        Assert.That(epochs.Single() with { Means = epoch.Means }, Is.EqualTo(epoch));
    }

    /// <summary>The names and their order, which other programs read, written out by hand.</summary>
    [Test]
    public void ALineHasTheNamesAndTheOrderThatItAlwaysHad()
    {
        using (var log = RunLog.Open(path))
        {
            log.Write(DinoRow.Of(3, 5.5, 4.25, epoch: 1, imagesPerSecond: 38.5));
            log.Write(DinoRow.Epoch(1, 4, 5.75, 4.5));
            log.Write(DinoRow.Epoch(2, 6, 5.5, 4.25, 31.5));
        }

        Assert.That(File.ReadAllLines(path), Is.EqualTo(new[]
        {
            """{"step":3,"epoch":1,"loss":5.5,"teacherEntropy":4.25,"kl":1.25,"lnK":6.9,"centreNorm":0.5,"gradientNorm":"""
                + """0.75,"learningRate":0.0005,"weightDecay":0.04,"momentumTeacher":0.996,"teacherTemp":0.04,"imagesPerSecond":38.5}""",
            """{"epochEnd":1,"steps":4,"loss":5.75,"teacherEntropy":4.5,"seconds":12.5,"imagesPerSecond":40}""",
            """{"epochEnd":2,"steps":6,"loss":5.5,"teacherEntropy":4.25,"seconds":12.5,"imagesPerSecond":40,"knnTop1":31.5}""",
        }));
    }

    /// <summary>A method of somebody else: its names are found in the file.</summary>
    [Test]
    public void TheLogOfAnyMethod_ComesBackByItsOwnNames()
    {
        Measure[] measures =
        [
            Measure.OnDevice("similarity"), Measure.Derived("shown", _ => 0) with { IsLogged = false }, Measure.OfStep("queue", _ => 0),
        ];
        using (var log = RunLog.Open(path))
        {
            log.Write(new StepRow(7, 2, measures, 0.25, 99, 4096));
            log.Write(new EpochRow(2, 8, [(measures[0], 0.5)], 1, 2));
        }

        var (steps, epochs) = RunLogReader.Read(path, [measures[0] with { Label = "cos" }]);

        Assert.That(steps.Single().Measures.Select(measure => measure.Name), Is.EqualTo(new[] { "similarity", "queue" }));
        Assert.That((steps[0].Step, steps[0].Epoch, steps[0]["similarity"], steps[0]["queue"]), Is.EqualTo((7, 2, 0.25, 4096.0)));
        Assert.That(steps[0].Measures.Select(measure => measure.Label), Is.EqualTo(new[] { "cos", null }));
        Assert.That(epochs.Single()["similarity"], Is.EqualTo(0.5));
        Assert.That(() => steps[0]["loss"], Throws.InstanceOf<KeyNotFoundException>().With.Message.Contains("similarity"));
    }

    [Test]
    public void NumbersThatAreNotFinite_AreNull_AndComeBackAsNaN()
    {
        using (var log = RunLog.Open(path))
            log.Write(DinoRow.Of(0, double.NaN, 4, gradientNorm: double.PositiveInfinity));

        Assert.That(File.ReadAllText(path), Does.Contain("\"loss\":null").And.Contain("\"gradientNorm\":null"));
        Assert.That(RunLogReader.Read(path).Steps[0]["loss"], Is.NaN);
    }

    [Test]
    public void Resume_CutsWhatTheInterruptedRunWroteAfterItsCheckpoint()
    {
        string uninterrupted = WriteRun(0, 10);
        File.Delete(path);
        WriteRun(0, 8);

        string resumed = WriteRun(5, 10);

        Assert.That(resumed, Is.EqualTo(uninterrupted));
    }

    [Test]
    public void Resume_CutsALineThatWasNotFinished()
    {
        string uninterrupted = WriteRun(0, 10);
        byte[] bytes = File.ReadAllBytes(path);
        File.WriteAllBytes(path, bytes[..^30]);

        Assert.That(WriteRun(9, 10), Is.EqualTo(uninterrupted));
    }

    [Test]
    public void ANewRun_StartsAnEmptyLog()
    {
        WriteRun(0, 6);

        WriteRun(0, 2);

        Assert.That(RunLogReader.Read(path).Steps, Has.Count.EqualTo(2));
    }

    [Test]
    public void EpochEnd_IsOnTheDiskAtOnce()
    {
        using var log = RunLog.Open(path);
        log.Write(Step(0));
        log.Write(DinoRow.Epoch(0, 1, 5, 4));

        using var reader = new StreamReader(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        Assert.That(reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(2));
    }

    [Test]
    public void AStep_MakesNoGarbage()
    {
        using var log = RunLog.Open(path);
        var step = Step(0);
        for (int i = 0; i < 100; i++)
            log.Write(step);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            log.Write(step);

        Assert.That((GC.GetAllocatedBytesForCurrentThread() - before) / 100, Is.LessThan(64));
    }

    [Test]
    public void AForeignLine_IsNamedByFileAndNumber()
    {
        File.WriteAllText(path, "{\"step\":0}\nhello\n");

        Assert.That(() => RunLogReader.Read(path),
            Throws.InstanceOf<InvalidDataException>().With.Message.Contains(path).And.Message.Contains("line 2"));
    }

    /// <summary>Writes steps [first, end) with an epoch of five steps, and returns the file.</summary>
    private string WriteRun(int first, int end)
    {
        using (var log = RunLog.Open(path, first))
        {
            for (int i = first; i < end; i++)
            {
                log.Write(Step(i));
                if (i % 5 == 4)
                    log.Write(DinoRow.Epoch(i / 5, i + 1, 5, 4));
            }
        }
        return File.ReadAllText(path);
    }

    private static StepRow Step(int step) => DinoRow.Of(step, 5.0 + step, 4, epoch: step / 5);

    private static string Text(StepRow row) => string.Join(' ', row.Measures.Select((measure, i) => (measure, row.Values[i]))
        .Where(pair => pair.measure.IsLogged)
        .Select(pair => FormattableString.Invariant($"{pair.measure.Name}={pair.Item2}"))
        .Append(FormattableString.Invariant($"{row.Step} {row.Epoch} {row.ImagesPerSecond}")));
}
