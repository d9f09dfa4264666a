using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class CompareTests : OpTests<CompareTests>, IOpCases
{
    private static readonly (
        string Name, Func<Tensor, Tensor, Tensor> Tensors, Func<Tensor, float, Tensor> Number, Func<double, double, bool> Holds)[] all =
    [
        ("Less", CompareOp.Less, CompareOp.Less, (a, b) => a < b),
        ("LessEqual", CompareOp.LessEqual, CompareOp.LessEqual, (a, b) => a <= b),
        ("Greater", CompareOp.Greater, CompareOp.Greater, (a, b) => a > b),
        ("GreaterEqual", CompareOp.GreaterEqual, CompareOp.GreaterEqual, (a, b) => a >= b),
        ("Eq", CompareOp.Eq, CompareOp.Eq, (a, b) => a == b),
        ("NotEqual", CompareOp.NotEqual, CompareOp.NotEqual, (a, b) => a != b),
    ];

    // Halves, so that some are equal.
    public static IEnumerable<OpCase> Cases => all.SelectMany(c =>
        BroadcastCases.All(c.Name, x => c.Tensors(x[0], x[1]), (a, b) => c.Holds(a, b) ? 1 : 0, (_, v) => MathF.Round(2 * v) / 2)
            .Where((_, i) => i % 8 == 0 || i > 2 * OpCase.RowLengths.Count) // one kernel for all lengths is tested enough elsewhere
            .Concat(((int[])[1, 9, 37]).Select(n => new OpCase($"{c.Name}-number", x => c.Number(x[0], 0.5f), new Shape(n))
            {
                Truth = x => Array.ConvertAll(x[0], v => c.Holds(v, 0.5) ? 1.0 : 0),
                Input = (_, v) => MathF.Round(2 * v) / 2,
            }))
            .Select(o => o with { Constant = [0, 1], Tolerance = Tolerance.Exact }));

    /// <summary>As in C#, whichever side NaN is on.</summary>
    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void SpecialNumbers_CompareAsEverywhere(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        float[] special = [float.NaN, float.PositiveInfinity, float.NegativeInfinity, 0, -0f, 1];
        float[] left = [.. special.SelectMany(a => special.Select(_ => a))], right = [.. special.SelectMany(_ => special)];
        foreach (var (op, tensors, _, holds) in all)
            Assert.That(
                tensors(Tensor.From(device, left), Tensor.From(device, right)).ToArray(),
                Is.EqualTo(left.Zip(right, (a, b) => holds(a, b) ? 1f : 0)), op);
    }

    [Test]
    public void Masks_AreNotRecorded()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        using var tape = new Tape(device);
        var x = Tensor.From(device, [1, 2]);
        x.RequiresGrad = true;
        tape.Record();
        Assert.That(x.Less(Tensor.From(device, [1], new Shape(1, 1))).RequiresGrad || x.Greater(0).RequiresGrad, Is.False);
    }
}
