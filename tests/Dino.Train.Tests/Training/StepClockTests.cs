using Dino.Testing.Runs;
using Dino.Train.Log;
using NUnit.Framework;

namespace Dino.Train.Tests.Training;

/// <summary>Speed and time left follow from the steps of this process alone.</summary>
public class StepClockTests
{
    private readonly HandClock time = new();

    [Test]
    public void AfterAResume_TheTimeLeftIsThatOfTheRemainingSteps()
    {
        var clock = new StepClock(time);
        clock.Start(step: 900, totalSteps: 1000, pictures: 8);
        for (int done = 901; done <= 950; done++)
        {
            time.Advance(TimeSpan.FromSeconds(2));
            Assert.That(clock.ImagesPerSecond(done), Is.EqualTo(4).Within(1e-9));
            Assert.That(clock.TimeLeft(done)!.Value.TotalSeconds, Is.EqualTo((1000 - done) * 2).Within(1e-6));
        }
    }

    [Test]
    public void AFirstStepThatCompiles_CountsForNothingOnceThereIsAnother()
    {
        var clock = new StepClock(time);
        clock.Start(0, 100, 8);
        time.Advance(TimeSpan.FromSeconds(60));
        Assert.That(clock.ImagesPerSecond(1), Is.EqualTo(8 / 60.0).Within(1e-9));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.That(clock.ImagesPerSecond(2), Is.EqualTo(8).Within(1e-9));
        Assert.That(clock.TimeLeft(2), Is.EqualTo(TimeSpan.FromSeconds(98)));
    }

    [Test]
    public void StepsThatAreReadTogether_AreOneReading()
    {
        // A device is asked every 16 steps: all of them have taken the time since the last question, not the first alone.
        var clock = new StepClock(time);
        clock.Start(0, 1600, 8);
        for (int window = 1; window <= 50; window++)
        {
            time.Advance(TimeSpan.FromSeconds(window == 1 ? 40 : 16));
            for (int line = 0; line < 16; line++)
            {
                time.Advance(TimeSpan.FromTicks(1));
                double speed = clock.ImagesPerSecond(16 * window);
                if (window > 1)
                    Assert.That(speed, Is.EqualTo(8).Within(1e-3), $"window {window}, line {line}");
            }
        }
    }

    [Test]
    public void AnEvaluation_IsNotTimeOfSteps()
    {
        var clock = new StepClock(time);
        clock.Start(0, 100, 8);
        for (int done = 1; done <= 30; done++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            clock.ImagesPerSecond(done);
            if (done % 10 == 0)
                clock.Without(() =>
                {
                    time.Advance(TimeSpan.FromSeconds(500));
                    return 0;
                });
        }
        Assert.That(clock.TimeLeft(30)!.Value.TotalSeconds, Is.EqualTo(70).Within(1e-6));
        Assert.That(clock.EpochSeconds(), Is.EqualTo(30).Within(1e-6));
    }

    [Test]
    public void ASlowerMachine_IsSeenWithinTwentyReadings()
    {
        var clock = new StepClock(time);
        clock.Start(0, 10_000, 8);
        int done = 0;
        foreach (double seconds in Enumerable.Repeat(1.0, 100).Concat(Enumerable.Repeat(3.0, 60)))
        {
            time.Advance(TimeSpan.FromSeconds(seconds));
            clock.ImagesPerSecond(++done);
        }
        Assert.That(clock.TimeLeft(done)!.Value.TotalSeconds / (10_000 - done), Is.EqualTo(3).Within(0.15));
    }
}
