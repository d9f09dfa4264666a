using Dino.Testing.Runs;
using Dino.Train.Log;
using Dino.Train.Methods.Dino;
using NUnit.Framework;

namespace Dino.Train.Tests.Methods.Dino;

public class CollapseWatchTests
{
    private static readonly double LnK = Math.Log(65536);

    [Test]
    public void UniformCollapse_IsNamedOnce_AfterItLasted()
    {
        // Users' collapsed runs logged 11.0902 against ln 65536 = 11.090355.
        var watch = new CollapseWatch(patience: 50);
        var told = Enumerable.Range(0, 200).Select(i => watch.Observe(Step(i, loss: 11.0902, entropy: 11.0899))).ToArray();

        Assert.That(told.Count(finding => finding is not null), Is.EqualTo(1));
        var found = told[49]!;
        Assert.That((found.Kind, found.Since, found.Loss, found.LogPrototypes), Is.EqualTo((CollapseKind.Uniform, 0, 11.0902, LnK)));
        Assert.That(found.Suspects.Select(suspect => suspect.Property), Does.Contain("TeacherTemp").And.Contain("Head.UseBatchNorm"));
        Assert.That(found.Suspects[0].Try, Is.EqualTo(0.02));
        Assert.That(watch.Current, Is.EqualTo(CollapseKind.Uniform));
    }

    [Test]
    public void OneDimensionalCollapse_IsNamed()
    {
        var watch = new CollapseWatch(patience: 50);
        var told = Enumerable.Range(0, 100).Select(i => watch.Observe(Step(i, loss: 1e-3, entropy: 1e-4))).ToArray();

        var found = told.Single(finding => finding is not null)!;
        Assert.That(found.Kind, Is.EqualTo(CollapseKind.OneDimensional));
        Assert.That(found.ToString(), Does.Contain("one prototype").And.Contain("`CenterMomentum`"));
        Assert.That(watch.Current, Is.EqualTo(CollapseKind.OneDimensional));
    }

    /// <summary>
    /// Epoch means that a user logged from a healthy run (ViT-S, K = 65536): the loss first rises towards ln K, then falls.
    /// </summary>
    [Test]
    public void AHealthyStart_RaisesNoAlarm()
    {
        double[] epochs = [7.70, 9.56, 8.00, 6.88, 6.25, 5.57, 5.03, 4.86, 4.64];
        var watch = new CollapseWatch();
        for (int step = 0; step < 2502 * (epochs.Length - 1); step++)
        {
            double place = step / 2502.0, share = place - (int)place;
            double loss = epochs[(int)place] * (1 - share) + epochs[(int)place + 1] * share;
            Assert.That(watch.Observe(Step(step, loss, entropy: 0.8 * loss)), Is.Null);
        }
    }

    [Test]
    public void AStartThatLooksUniformForAWhile_RaisesNoAlarm()
    {
        var watch = new CollapseWatch(patience: 300);
        for (int step = 0; step < 2000; step++)
        {
            double below = step < 250 ? 0.002 : 0.002 + 0.004 * (step - 250);
            Assert.That(watch.Observe(Step(step, LnK - below, LnK - below)), Is.Null);
        }
    }

    [Test]
    public void OneBetterStep_StartsTheCountAgain()
    {
        var watch = new CollapseWatch(patience: 50);
        for (int step = 0; step < 400; step++)
            Assert.That(watch.Observe(Step(step, loss: step % 49 == 48 ? 10.9 : 11.0903, entropy: 11.0903)), Is.Null);
    }

    [Test]
    public void ACollapseThatComesBack_IsNamedAgain()
    {
        var watch = new CollapseWatch(patience: 10);
        int told = 0;
        for (int step = 0; step < 60; step++)
            told += watch.Observe(Step(step, loss: step is > 20 and < 40 ? 8 : LnK, entropy: step is > 20 and < 40 ? 6 : LnK)) is null ? 0
                : 1;

        Assert.That(told, Is.EqualTo(2));
    }

    [Test]
    public void NumbersThatWereNotMeasured_AreNoCollapse()
    {
        var watch = new CollapseWatch(patience: 1);

        Assert.That(watch.Observe(Step(0, double.NaN, double.NaN)), Is.Null);
    }

    /// <summary>A property in a finding is one that a run has: the program finds its option by that name.</summary>
    [Test]
    public void EverySuspect_IsAHyperparameter()
    {
        foreach (double loss in (double[])[LnK, 0])
        {
            var found = new CollapseWatch(patience: 1).Observe(Step(0, loss, loss))!;
            Assert.That(found.Suspects.Select(suspect => suspect.Property),
                Is.SubsetOf(DinoHyperparameters.All.Select(one => one.Property)));
        }
    }

    private static StepRow Step(int step, double loss, double entropy) => DinoRow.Of(step, loss, entropy, LnK);
}
