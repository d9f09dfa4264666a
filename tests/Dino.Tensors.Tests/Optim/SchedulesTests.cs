using Dino.Tensors.Optim;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Optim;

/// <summary>The corners of the schedules, by their definition.</summary>
public class SchedulesTests
{
    [Test]
    public void TheWarmUp_IncludesThePeak_WhichComesTwice()
    {
        var schedule = new CosineSchedule(peak: 0.8, final: 0.2, epochs: 4, stepsPerEpoch: 5, warmupEpochs: 1, start: 0.4);

        Assert.That(schedule.Steps, Is.EqualTo(20));
        Assert.That(schedule.At(0), Is.EqualTo(0.4));
        Assert.That(schedule.At(2), Is.EqualTo(0.6).Within(1e-15));
        Assert.That(schedule.At(4), Is.EqualTo(0.8));
        Assert.That(schedule.At(5), Is.EqualTo(0.8));
        Assert.That(schedule.At(19), Is.EqualTo(0.2 + 0.3 * (1 + Math.Cos(Math.PI * 14 / 15))).Within(1e-15),
            "the final value is not reached");
    }

    [Test]
    public void AWarmUpOfOneStep_IsItsStart()
    {
        var schedule = new CosineSchedule(peak: 1, final: 0, epochs: 2, stepsPerEpoch: 1, warmupEpochs: 1, start: 0.25);

        Assert.That(new[] { schedule.At(0), schedule.At(1) }, Is.EqualTo(new[] { 0.25, 1.0 }));
        Assert.That(new WarmupSchedule(0.04, 0.07, warmupEpochs: 1, epochs: 2).At(0), Is.EqualTo(0.04));
    }

    [Test]
    public void ARunOfWarmUpAlone_EndsAtThePeak() =>
        Assert.That(new CosineSchedule(peak: 1, final: 0, epochs: 2, stepsPerEpoch: 3, warmupEpochs: 2).At(5), Is.EqualTo(1));

    [Test]
    public void AWarmUpLongerThanTheRun_IsRefused()
    {
        Assert.That(() => new CosineSchedule(1, 0, epochs: 2, stepsPerEpoch: 3, warmupEpochs: 3),
            Throws.ArgumentException.With.Message.Contains("3 epochs").And.Message.Contains("run of 2"));
        Assert.That(() => new WarmupSchedule(0.04, 0.07, warmupEpochs: 3, epochs: 2),
            Throws.ArgumentException.With.Message.Contains("3 epochs").And.Message.Contains("run of 2"));
    }

    [TestCase(-1)]
    [TestCase(6)]
    public void AStepOutsideTheRun_IsRefused(int step)
    {
        Assert.That(() => new CosineSchedule(1, 0, epochs: 2, stepsPerEpoch: 3).At(step), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new WarmupSchedule(0, 1, 2, epochs: 6).At(step), Throws.TypeOf<ArgumentOutOfRangeException>());
    }
}
