using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class WhereTests : OpTests<WhereTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        .. OpCase.RowLengths.Select(n => new OpCase("Where", x => x[0].Where(x[1], x[2]), new Shape(n), new Shape(n), new Shape(n))
        {
            Truth = x => [.. x[0].Select((a, i) => x[1][i] != 0 ? a : x[2][i])],
            Input = (input, v) => input == 1 ? MathF.Truncate(v) : v,
            Constant = [1],
            Tolerance = Tolerance.Exact,
        }),
        new("Where-repeated", x => x[0].Where(x[1], x[2]), new Shape(3, 1), new Shape(4), new Shape(2, 1, 1))
        {
            Truth = x => [.. Enumerable.Range(0, 24).Select(i => x[1][i % 4] != 0 ? x[0][i / 4 % 3] : x[2][i / 12])],
            Input = (input, v) => input == 1 ? MathF.Truncate(v) : v,
            Constant = [1],
        },
    ];

    /// <summary>A gradient times 0 would be NaN.</summary>
    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void WhatIsNotChosen_GetsNoGradient_WhateverItIs(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        using var tape = new Tape(device);
        var x = Tensor.From(device, [float.NaN, 2, 4, -1]);
        x.RequiresGrad = true;
        tape.Record();
        var y = x.Where(x > 0, Tensor.Zeros(device, x.Shape));
        Assert.That(y.ToArray(), Is.EqualTo(new float[] { 0, 2, 4, 0 }));
        tape.Backward(y, Tensor.From(device, [float.NaN, 5, 7, float.PositiveInfinity]));
        Assert.That(x.Grad!.ToArray(), Is.EqualTo(new float[] { 0, 5, 7, 0 }));
    }

    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void Conditions_AreWholeNumbersToo(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        int[] whole = [0, 1, -1, int.MinValue, int.MaxValue, 0, 2, 0, 0, 3, 4];
        var x = Tensor.Ones(device, new Shape(11));
        var expected = whole.Select(i => i != 0 ? 1f : -1);
        Assert.That(x.Where(Tensor.FromInts(device, whole), x.Scale(-1)).ToArray(), Is.EqualTo(expected));
        Assert.That(x.Scale(-1).MaskedFill(Tensor.FromInts(device, whole), 1).ToArray(), Is.EqualTo(expected));
        Assert.That(x.Where(Tensor.From(device, [float.NaN]), x.Scale(-1)).ToArray(), Is.All.EqualTo(1), "as in PyTorch");
    }

    [Test]
    public void UnfitShapes_AreNamed()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        var x = Tensor.Zeros(device, new Shape(2, 3));
        Assert.That(() => x.Where(Tensor.Zeros(device, new Shape(2)), x),
            Throws.ArgumentException.With.Message.Contains("(2, 3)").And.Message.Contains("(2)"));
    }
}
