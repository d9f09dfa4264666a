using System.Text.Json;
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
        var step = new StepReport(3, 1, 5.5, 4.25, 1.25, 6.9, 0.5, 0.75, 1e-4, 0.04, 0.996, 0.04, 38.5);
        var epoch = new EpochReport(1, 4, 5.75, 4.5, 12.5, 40, 31.5);
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
        var (steps, epochs) = RunLogReader.Read(path);
        Assert.That(steps, Is.EqualTo(new[] { step }));
        Assert.That(epochs, Is.EqualTo(new[] { epoch }));
    }

    [Test]
    public void NumbersThatAreNotFinite_AreNull_AndComeBackAsNaN()
    {
        using (var log = RunLog.Open(path))
            log.Write(Step(0) with { Loss = double.NaN, GradientNorm = double.PositiveInfinity });

        Assert.That(File.ReadAllText(path), Does.Contain("\"loss\":null").And.Contain("\"gradientNorm\":null"));
        Assert.That(RunLogReader.Read(path).Steps[0].Loss, Is.NaN);
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
        log.Write(new EpochReport(0, 1, 5, 4, 1, 40));

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

        Assert.That(() => RunLogReader.Read(path), Throws.InstanceOf<InvalidDataException>().With.Message.Contains(path).And.Message.Contains("line 2"));
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
                    log.Write(new EpochReport(i / 5, i + 1, 5, 4, 1, 40));
            }
        }
        return File.ReadAllText(path);
    }

    private static StepReport Step(int step) =>
        new(step, step / 5, 5.0 + step, 4, 1, 6.9, 0.5, 0.75, 1e-4, 0.04, 0.996, 0.04, 38.5);
}
