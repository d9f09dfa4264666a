using Dino.Tensors.Kernels.Sums;
using Dino.Tensors.Nn;
using Dino.Tensors.Ops;
using Dino.Tensors.Optim;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Core;

/// <summary>A recording used wrongly throws instead of giving a wrong gradient, and the device and the tape go on afterwards.</summary>
[TestFixture(true)]
[TestFixture(false)]
public class TapeMisuseTests(bool strict)
{
    private Device device = null!;
    private Arena arena = null!;
    private Tape tape = null!;
    private Tensor x = null!;

    [SetUp]
    public void Open()
    {
        device = Device.Open("cpu", new DeviceOptions { Threads = 1, Strict = strict });
        arena = device.BeginArena();
        tape = NewTape(device);
        x = Parameter(1, 2, 3);
    }

    [TearDown]
    public void StepWorksAfterwards()
    {
        tape.Dispose();
        Assert.That(device.Tape, Is.Null);
        var y = Parameter(1, 2, 3);
        tape.Record();
        tape.Backward(y.Multiply(y).Sum());
        Assert.That(y.Grad!.ToArray(), Is.EqualTo(new float[] { 2, 4, 6 }));
        arena.Dispose();
        Assert.That(device.Pool.UsedBytes, Is.Zero, "everything that the recordings held was let go");
        device.Dispose();
    }

    [Test]
    public void SecondBackward_Throws()
    {
        tape.Record();
        var loss = x.Multiply(x).Sum();
        tape.Backward(loss);
        Assert.That(() => tape.Backward(loss), Throws.InvalidOperationException.With.Message.Contains("not recording"));
        Assert.That(() => tape.Backward(loss, loss), Throws.InvalidOperationException.With.Message.Contains("not recording"));
        Assert.That(x.Grad!.ToArray(), Is.EqualTo(new float[] { 2, 4, 6 }));
    }

    [Test]
    public void BackwardByAnotherTape_Throws_AndTheRecordingGoesOn()
    {
        tape.Record();
        var loss = x.Multiply(x).Sum();
        using (var other = new Tape(device))
            Assert.That(() => other.Backward(loss), Throws.InvalidOperationException.With.Message.Contains("not recording"));
        Assert.That(device.Tape, Is.SameAs(tape));
        tape.Backward(loss);
        Assert.That(x.Grad!.ToArray(), Is.EqualTo(new float[] { 2, 4, 6 }));
    }

    [Test]
    public void LossOfAnEarlierRecording_Throws()
    {
        tape.Record();
        var loss = x.Multiply(x).Sum();
        tape.Dispose();
        tape.Record();
        x.Scale(2);
        Assert.That(() => tape.Backward(loss), Throws.InvalidOperationException.With.Message.Contains("another recording"));
        Assert.That(x.Grad, Is.Null);
    }

    [Test]
    public void TensorOfAnEarlierRecording_Throws_UnlessItsNumbersAloneAreMeant()
    {
        tape.Record();
        var h = x.Multiply(x);
        tape.Backward(h.Sum());
        tape.Record();
        var loss = h.Scale(10).Sum();
        Assert.That(() => tape.Backward(loss), Throws.InvalidOperationException.With.Message.Contains("earlier recording"));

        h.RequiresGrad = false;
        var w = Parameter(1, 1, 1);
        tape.Record();
        tape.Backward(h.Multiply(w).Sum());
        Assert.That(w.Grad!.ToArray(), Is.EqualTo(new float[] { 1, 4, 9 }));
    }

    public static IEnumerable<TestCaseData> Overwrites()
    {
        yield return new TestCaseData((Action<Tensor>)(x => x.CopyFrom([10f, 20, 30]))).SetArgDisplayNames("copy");
        yield return new TestCaseData((Action<Tensor>)(x => x.CopyFrom(x.Scale(2)))).SetArgDisplayNames("copy of a tensor");
        yield return new TestCaseData((Action<Tensor>)(x => x.Fill(1))).SetArgDisplayNames("fill");
        yield return new TestCaseData((Action<Tensor>)(x => x.Accumulate(x))).SetArgDisplayNames("accumulate");
        yield return new TestCaseData((Action<Tensor>)(x => x.Alias(new Shape(1), 2).Fill(0))).SetArgDisplayNames("part");
        yield return new TestCaseData((Action<Tensor>)(x => x.Reshape(new Shape(3, 1)).Fill(0))).SetArgDisplayNames("reshaped");
        yield return new TestCaseData((Action<Tensor>)(x => CentreUpdate.Run(x, x.Reshape(new Shape(1, 3)), 0.5f)))
            .SetArgDisplayNames("centre");
        yield return new TestCaseData((Action<Tensor>)(x => ColumnSum.Run(x.Scale(1), x, 1))).SetArgDisplayNames("column sum");
    }

    [TestCaseSource(nameof(Overwrites))]
    public void InputOverwritten_Throws(Action<Tensor> overwrite)
    {
        tape.Record();
        var loss = x.Multiply(x).Sum();
        overwrite(x);
        Assert.That(() => tape.Backward(loss),
            Throws.InvalidOperationException.With.Message.Contains("(3)").And.Message.Contains("overwritten"));
    }

    [Test]
    public void OutputOverwritten_Throws_WhereTheBackwardPassReadsIt()
    {
        tape.Record();
        var y = x.Softmax();
        y.Fill(0);
        Assert.That(() => tape.Backward(y.Multiply(Parameter(1, 2, 3)).Sum()),
            Throws.InvalidOperationException.With.Message.Contains("overwritten"));
    }

    [Test]
    public void ResultOverwritten_AndThenUsed_Throws()
    {
        tape.Record();
        var y = x.Scale(2);
        y.CopyFrom([7f, 7, 7]);
        Assert.That(() => y.Gelu(), Throws.InvalidOperationException.With.Message.Contains("overwritten"));
        tape.Dispose();
    }

    [Test]
    public void LayerNormOverwritten_Throws_AlthoughItCouldBeMadeAgain()
    {
        Tensor rows = Tensor.From(device, [1f, 2, 4], new Shape(1, 3)), one = Parameter(1, 1, 1), zero = Parameter(0, 0, 0);
        var m = Tensor.From(device, [1f, 2, 3], new Shape(1, 3));
        m.RequiresGrad = true;
        foreach (var victim in (Tensor?[])[null, rows, one])
        {
            tape.Record();
            var h = rows.LayerNorm(one, zero);
            var y = h.Linear(m, null);
            (victim ?? h).Fill(5);
            if (victim is not null)
                h.Dispose(); // it has to be made again, of what was overwritten
            Assert.That(() => tape.Backward(y.Sum()), Throws.InvalidOperationException.With.Message.Contains("overwritten"));
        }
    }

    [Test]
    public void WhatNoBackwardPassReads_MayBeOverwritten()
    {
        tape.Record();
        var y = x.Scale(2);
        var loss = y.Add(x).Sum();
        y.Fill(0);
        x.Fill(0);
        tape.Backward(loss);
        Assert.That(x.Grad!.ToArray(), Is.EqualTo(new float[] { 3, 3, 3 }));
    }

    [Test]
    public void ParametersOverwritten_Throw_EachByItself()
    {
        Linear used = new(3, 3), other = new(3, 3);
        using var parameters = new FlatParameters(new Two(used, other), device, trainable: true);
        using var optimizer = new Sgd(parameters);
        using var average = new ExponentialMovingAverage(parameters, parameters);
        foreach (Action overwrite in (Action[])[
            () => used.Weight.Value.Fill(1), () => optimizer.Step(0.1), () => parameters.Initialize(2),
            () => parameters.Load(parameters.Save()), () => average.Update(0.5), () => parameters.CopyFrom(parameters),
            () => parameters.Values.Fill(1)])
        {
            tape.Record();
            var loss = used.Forward(x.Reshape(new Shape(1, 3))).Sum();
            overwrite();
            Assert.That(() => tape.Backward(loss), Throws.InvalidOperationException.With.Message.Contains("overwritten"));
        }
        tape.Record();
        var last = used.Forward(x.Reshape(new Shape(1, 3))).Sum();
        other.Weight.Value.Fill(1);
        Assert.That(() => tape.Backward(last), Throws.Nothing);
    }

    [Test]
    public void WhatARecomputedPartUses_Overwritten_Throws([Values] bool trained, [Values] bool inner)
    {
        var w = Tensor.From(device, [2f, 2, 2], new Shape(3));
        w.RequiresGrad = trained;
        tape.Record();
        var y = inner
            ? x.Recompute(w, static (x, w) => x.Scale(3).Recompute(w, static (x, w) => x.Multiply(w)))
            : x.Recompute(w, static (x, w) => x.Multiply(w));
        w.Fill(100);
        Assert.That(() => tape.Backward(y.Sum()), Throws.InvalidOperationException.With.Message.Contains("was overwritten"));
    }

    [Test]
    public void WhatARecomputedPartMakesItself_MayBeWritten()
    {
        tape.Record();
        var y = x.Recompute(0, static (x, _) => x.Recompute(0, static (x, _) =>
        {
            using var scope = x.Device.BeginArena();
            var w = Tensor.Zeros(x.Device, x.Shape);
            w.Fill(3);
            return scope.Keep(x.Multiply(w));
        }).Multiply(Tensor.From(x.Device, [1f, 2, 3], x.Shape)));
        tape.Backward(y.Sum());
        Assert.That(x.Grad!.ToArray(), Is.EqualTo(new float[] { 3, 6, 9 }));
    }

    [Test]
    public void RunningStatistics_AreNoParametersOverwritten()
    {
        var norm = new Dino.Tensors.Nn.BatchNorm(3);
        using var parameters = new FlatParameters(norm, device, trainable: true);
        parameters.Initialize(1);
        var rows = Tensor.From(device, [1f, 2, 3, 4, 6, 8], new Shape(2, 3));
        tape.Record();
        var loss = norm.Forward(norm.Forward(rows, training: true), training: true).Sum();
        Assert.That(() => tape.Backward(loss), Throws.Nothing);
    }

    /// <summary>The output is kept past its recording, and disposed of after its use in the next one.</summary>
    [Test]
    public void LayerNormOfAnEarlierRecording_IsNotMadeAgainOfAnother()
    {
        using Tensor weight = Tensor.From(device, [1f, 1, 1], new Shape(3)), bias = Tensor.Zeros(device, new Shape(3));
        weight.RequiresGrad = true;
        Tensor h;
        using (var scope = device.BeginArena())
        {
            tape.Record();
            h = Tensor.From(device, [1f, 2, 4], new Shape(1, 3)).LayerNorm(weight, bias);
            tape.Backward(h.Sum());
            scope.Keep(h);
        }
        float[] numbers = h.ToArray();
        h.RequiresGrad = false;
        var m = Tensor.From(device, [1f, 2, 3], new Shape(1, 3));
        m.RequiresGrad = true;
        tape.Record();
        Tensor.From(device, [5f, 5, 6], new Shape(1, 3)).LayerNorm(weight, bias); // takes the node that made h
        var y = h.Linear(m, null);
        h.Dispose();
        tape.Backward(y.Sum());
        Assert.That(m.Grad!.ToArray(), Is.EqualTo(numbers));
    }

    [Test]
    public void RequiresGrad_OfWhatIsRecorded_DoesNotChange()
    {
        tape.Record();
        var y = x.Scale(2);
        Assert.That(() => x.RequiresGrad = false, Throws.InvalidOperationException);
        Assert.That(() => y.RequiresGrad = false, Throws.InvalidOperationException);
        tape.Backward(y.Sum());
        Assert.That(() => x.RequiresGrad = false, Throws.Nothing);
    }

    [Test]
    public void ExceptionInABackwardPass_LeavesTheTapeUsable()
    {
        int calls = 0;
        tape.Record();
        var y = x.Recompute(0, (t, _) => ++calls > 1 ? throw new DeviceMemoryException("none left") : t.Scale(2));
        Assert.That(() => tape.Backward(y.Scale(3).Sum()), Throws.TypeOf<DeviceMemoryException>());
        Assert.That(device.Tape, Is.Null);
    }

    [Test]
    public void ExceptionWhileRecording_AndDispose_LeaveTheTapeUsable()
    {
        tape.Record();
        x.Multiply(x);
        Assert.That(() => x.Add(Parameter(1, 2)), Throws.ArgumentException);
        Assert.That(tape.Record, Throws.InvalidOperationException.With.Message.Contains("Dispose"));
        tape.Dispose();
    }

    [Test]
    public void ExceptionInARecomputedPart_LeavesTheRecordingOpen()
    {
        tape.Record();
        Assert.That(() => x.Recompute(0, (_, _) => throw new InvalidDataException()), Throws.TypeOf<InvalidDataException>());
        Assert.That(device.Tape, Is.SameAs(tape));
        Assert.That(() => x.Recompute(0, (t, _) => t), Throws.InvalidOperationException.With.Message.Contains("new tensor"));
    }

    [Test]
    public void WrongGradient_EndsTheRecording()
    {
        tape.Record();
        var y = x.Scale(2);
        Assert.That(() => tape.Backward(y, Parameter(1, 2)),
            Throws.ArgumentException.With.Message.Contains("(3)").And.Message.Contains("(2)"));
        Assert.That(device.Tape, Is.Null);
        tape.Record();
        y = x.Scale(2);
        Assert.That(() => tape.Backward(y), Throws.ArgumentException);
        Assert.That(() => tape.Backward(y, Tensor.FromInts(device, [1, 1, 1], new Shape(3))), Throws.InvalidOperationException);
        Assert.That(device.Tape, Is.Null);
    }

    private static Tape NewTape(Device device) => new(device);

    private Tensor Parameter(params float[] values)
    {
        var tensor = Tensor.From(device, values, new Shape(values.Length));
        tensor.RequiresGrad = true;
        return tensor;
    }

    private sealed class Two : Module
    {
        public Two(Linear first, Linear second)
        {
            Register("first", first);
            Register("second", second);
        }
    }
}
