using Dino.Tensors;
using Dino.Testing;
using Dino.Train.Log;
using NUnit.Framework;

namespace Dino.Train.Tests.Log;

public class MeasurementsTests(string device) : DeviceTests(device)
{
    private static readonly Measure[] measures =
    [
        Measure.OnDevice("loss") with { IsVital = true, IsEpochMean = true }, Measure.OfStep("rate", step => 10 + step),
        Measure.OnDevice("norm"), Measure.Derived("gap", row => row["rate"] - row["loss"]), Measure.GradientNorm("gradient"),
    ];

    [Test]
    public void AStep_IsTheMeanOfItsBatches_WithWhatTheHostKnowsAndWhatFollows()
    {
        using var measured = new Measurements(Device, measures, parameters: 2);
        using var arena = Device.BeginArena();
        for (int step = 0; step < measured.Window; step++)
        {
            measured.Count("loss", Scalar(1 + step));
            measured.Count("loss", Scalar(4 + step));
            measured.Count("norm", Scalar(7));
            measured.EndStep(step, step / 2, Tensor.From(Device, [3f, 4f], new Shape(2)));
        }
        Assert.That(measured.IsFull, Is.True);
        var rows = Read(measured);

        Assert.That(rows, Has.Count.EqualTo(measured.Window));
        for (int step = 0; step < rows.Count; step++)
        {
            double loss = 2.5 + step;
            Assert.That((rows[step].Step, rows[step].Epoch), Is.EqualTo(((long)step, step / 2)));
            Assert.That(rows[step].Values.ToArray(), Is.EqualTo(new[] { loss, 10 + step, 7, 10 + step - loss, 5 }));
        }
        Assert.That(measured.Pending, Is.Zero);
    }

    [Test]
    public void WhatAStepDidNotCount_IsNotANumber_ThoughTheStepBeforeDid()
    {
        using var measured = new Measurements(Device, measures, parameters: 0);
        using var arena = Device.BeginArena();
        measured.Count("loss", Scalar(1));
        measured.Count("norm", Scalar(2));
        measured.EndStep(0, 0);
        Read(measured);
        measured.Count("loss", Scalar(3));
        measured.EndStep(1, 0);
        var row = Read(measured).Single();

        Assert.That((row["loss"], row["norm"]), Is.EqualTo((3, double.NaN)));
        Assert.That(measured.Present("loss"), Is.NaN);
    }

    [Test]
    public void AVitalNumberThatIsNotFinite_IsFoundInTheStepAndInItsRow()
    {
        using var measured = new Measurements(Device, measures, parameters: 0);
        using var arena = Device.BeginArena();
        measured.Count("loss", Scalar(1));
        measured.Count("norm", Scalar(float.NaN));
        Assert.That(measured.TryFindBroken(out _), Is.False);
        measured.Count("loss", Scalar(float.PositiveInfinity));
        Assert.That(measured.TryFindBroken(out var present) ? present.Name : "", Is.EqualTo("loss"));
        measured.EndStep(0, 0);
        Assert.That(Read(measured).Single().TryFindBroken(out var kept) ? kept.Name : "", Is.EqualTo("loss"));
    }

    [Test]
    public void NamesAreChecked()
    {
        using var measured = new Measurements(Device, measures, parameters: 1);
        using var arena = Device.BeginArena();
        Assert.That(() => measured.Count("rate", Scalar(1)), Throws.InstanceOf<KeyNotFoundException>());
        Assert.That(() => measured.EndStep(0, 0), Throws.ArgumentException);
        Assert.That(() => new Measurements(Device, [Measure.OnDevice("a"), Measure.OnDevice("a")], 0), Throws.ArgumentException);
        Assert.That(() => new Measurements(Device, [Measure.OnDevice("step")], 0),
            Throws.ArgumentException.With.Message.Contains("'step'"));
    }

    [Test]
    public void AnEpoch_HasTheMeansThatItsMeasuresAskFor()
    {
        var means = new EpochMeans(measures);
        means.Add(new StepRow(0, 0, measures, 1, 0, 0, 0, 0));
        means.Add(new StepRow(1, 0, measures, 4, 0, 0, 0, 0));
        Assert.That(means.ToList(), Is.EqualTo(new[] { (measures[0], 2.5) }));
        Assert.That(means.Steps, Is.EqualTo(2));
        means.Clear();
        means.Add(new StepRow(2, 1, measures, 8, 0, 0, 0, 0));
        Assert.That(means.ToList(), Is.EqualTo(new[] { (measures[0], 8.0) }));
    }

    /// <summary>Two ranks that counted 1 and 3 measured 2; what only the host knows is not summed.</summary>
    [Test]
    public void RanksMeasureTheirMean()
    {
        using var measured = new Measurements(Device, measures, parameters: 1, new TwoRanks(3));
        using var arena = Device.BeginArena();
        measured.Count("loss", Scalar(1));
        measured.EndStep(0, 0, Tensor.From(Device, [5f], new Shape(1)));
        var row = Read(measured).Single();
        Assert.That((row["loss"], row["rate"], row["gradient"]), Is.EqualTo((2, 10, 5)));
    }

    private Tensor Scalar(float value) => Tensor.From(Device, [value], default);

    private static List<StepRow> Read(Measurements measured)
    {
        List<StepRow> rows = [];
        measured.Read((in StepRow row, ReadOnlySpan<float> _) => rows.Add(row));
        return rows;
    }

    /// <summary>Another rank whose numbers are all the same.</summary>
    private sealed class TwoRanks(float other) : IRanks
    {
        public int Rank => 0;

        public int Count => 2;

        public void Sum(Tensor tensor) => tensor.CopyFrom([.. tensor.ToArray().Select(value => value + other)]);

        public Tensor Gather(Tensor tensor) => throw new NotSupportedException();

        public void Barrier()
        {
        }
    }
}
