using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class WeightNormLinearTests : OpTests<WeightNormLinearTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        .. OpCase.RowLengths.Select(n => Map(3, n, 5)),
        Map(7, 24, 130),
    ];

    [Test]
    public void WrongLengths_AreNamed()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Tensor x = Tensor.Zeros(device, new Shape(2, 3)), v = Tensor.Zeros(device, new Shape(4, 3)),
            g = Tensor.Zeros(device, new Shape(3, 1));
        Assert.That(() => x.WeightNormLinear(v, g),
            Throws.ArgumentException.With.Message.Contains("(4, 3)").And.Message.Contains("(3, 1)"));
        Assert.That(() => v.WeightNormLinear(g, g), Throws.ArgumentException.With.Message.Contains("(out, 3)"));
    }

    /// <summary>The second pass finds a gradient of v and must add to it, not work in its place.</summary>
    [Test]
    public void TwoBackwardPasses_AddUp()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        using var tape = new Tape(device);
        Tensor x = Tensor.From(device, [1f, 2f], new Shape(1, 2)), v = Tensor.From(device, [3f, 4f], new Shape(1, 2));
        var g = Tensor.From(device, [2f], new Shape(1, 1));
        v.RequiresGrad = g.RequiresGrad = true;
        for (int pass = 0; pass < 2; pass++)
        {
            tape.Record();
            tape.Backward(x.WeightNormLinear(v, g));
        }

        // u = (0.6, 0.8), u·x = 2.2, dv = g/‖v‖ · (x − 2.2 u) = 0.4 · (−0.32, 0.24), twice
        Assert.That(v.Grad!.ToArray(), Is.EqualTo(new float[] { -0.256f, 0.192f }).Within(1e-6));
        Assert.That(g.Grad!.ToArray(), Is.EqualTo(new float[] { 4.4f }).Within(1e-6));
    }

    private static OpCase Map(int rows, int inputs, int outputs) => new(
        "WeightNormLinear", t => t[0].WeightNormLinear(t[1], t[2]), new Shape(rows, inputs), new Shape(outputs, inputs),
        new Shape(outputs, 1))
    {
        Truth = t => [.. from row in t[0].Chunk(inputs)
                         from k in Enumerable.Range(0, outputs)
                         let direction = t[1].AsSpan(k * inputs, inputs).ToArray()
                         select t[2][k] * row.Zip(direction, (a, b) => a * b).Sum() / Math.Sqrt(direction.Sum(u => u * u))],
        Input = (input, v) => input != 1 ? v : v < 0 ? v - 0.5f : v + 0.5f, // away from the pole at 0
    };
}
