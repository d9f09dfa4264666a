using Dino.Cli.Terminal;
using Dino.Testing.Runs;
using NUnit.Framework;

namespace Dino.Cli.Tests.Terminal;

public class ProgressDisplayTests
{
    [Test]
    public void PlainLines_ComeAfterTwoSeconds_ThenEveryFive_AndAtTheEnd()
    {
        var clock = new HandClock();
        var writer = new StringWriter { NewLine = "\n" };
        new PlainProgress(writer, clock).Run("training", 200, tracker =>
        {
            for (int done = 1; done <= 200; done++)
            {
                clock.Advance(TimeSpan.FromSeconds(0.1));
                tracker.Report(done, $"loss {done}");
            }
        });

        string[] lines = writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines, Is.EqualTo(new[]
        {
            "training 20/200 (10 %), 0:18 left, loss 20",
            "training 70/200 (35 %), 0:13 left, loss 70",
            "training 120/200 (60 %), 0:08 left, loss 120",
            "training 170/200 (85 %), 0:03 left, loss 170",
            "training 200/200 (100 %), 0:00 left, loss 200",
        }));
    }

    [Test]
    public void WorkOfLessThanTwoSeconds_IsSilent()
    {
        var clock = new HandClock();
        var writer = new StringWriter();
        new PlainProgress(writer, clock).Run("decoding", 10, tracker =>
        {
            for (int done = 1; done <= 10; done++)
            {
                clock.Advance(TimeSpan.FromSeconds(0.1));
                tracker.Report(done);
            }
        });

        Assert.That(writer.ToString(), Is.Empty);
    }

    [Test]
    public void AStepThatIsNotShown_MakesNoGarbage()
    {
        var clock = new HandClock();
        new PlainProgress(new StringWriter(), clock).Run("training", 1000, tracker =>
        {
            var step = DinoRow.Of(1, 5, 4);
            tracker.Report(0, step);
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int done = 1; done < 100; done++)
                tracker.Report(done, step);
            Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
        });
    }

    [Test]
    public void AStep_IsShownWithItsHealth() => Assert.That(
        HealthLine.Format(DinoRow.Of(1, 5.912, 3.87, 6.931, 0, 1.25, 0.83, 9.8e-4, 41.24)),
        Is.EqualTo("loss 5.912 · entropy 3.870 · KL 2.042 · ln K − loss 1.019 · |centre| 1.25 · |g| 0.83 · lr 9.8e-04 · 41.2 img/s"));

    [Test]
    public void ALine_IsNoWiderThanItsScreen([Values(40, 80)] int columns, [Values("training", "日本語の長い名前のビデオ")] string name)
    {
        var clock = new HandClock();
        var writer = new StringWriter { NewLine = "\n" };
        new PlainProgress(writer, clock, columns).Run(name, 1_000_000, tracker =>
        {
            var step = DinoRow.Of(1, 5.912, 3.87, 6.931, 0, 1.25, 0.83, 9.8e-4, 41.24) with { TimeLeft = TimeSpan.FromHours(99) };
            for (int done = 1; done <= 40; done++)
            {
                clock.Advance(TimeSpan.FromSeconds(6));
                if (done % 2 == 0)
                    tracker.Report(done * 1000, step);
                else
                    tracker.Report(done * 1000, "クラスの名前\u001b[31m" + new string('語', done));
            }
        });

        string[] lines = writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines, Has.Length.EqualTo(40));
        foreach (string line in lines)
        {
            Assert.That(ScreenText.Columns(line), Is.LessThanOrEqualTo(columns), line);
            Assert.That(line, Does.StartWith(name[..8]).And.Not.Contain('\u001b'));
        }
        if (columns == 80 && name == "training")
            Assert.That(lines[1], Does.Contain("loss 5.912").And.Contain("img/s").And.Contain("lr 9.8e-04"));
    }

    [Test]
    public void WhatHasNoRoom_IsLeftOut_TheLeastImportantFirst()
    {
        var step = DinoRow.Of(1, 5.912, 3.87, 6.931, 0, 1.25, 0.83, 9.8e-4, 41.24);

        Assert.That(HealthLine.Format(step, 60), Is.EqualTo("loss 5.912 · KL 2.042 · lr 9.8e-04 · 41.2 img/s"));
        Assert.That(HealthLine.Format(step, 24), Is.EqualTo("loss 5.912 · 41.2 img/s"));
        Assert.That(HealthLine.Format(step, 5), Is.Empty);
    }

    [Test]
    public void PartsOfAnEarlierRun_TakeNoTimeNow()
    {
        var clock = new HandClock();
        var writer = new StringWriter { NewLine = "\n" };
        new PlainProgress(writer, clock).Run("features", 1000, tracker =>
        {
            tracker.StartAt(900);
            tracker.Report(900);
            for (int done = 901; done <= 903; done++)
            {
                clock.Advance(TimeSpan.FromSeconds(1));
                tracker.Report(done);
            }
        });

        Assert.That(writer.ToString(), Is.EqualTo("features 902/1000 (90 %), 1:38 left\n"));
    }
}
