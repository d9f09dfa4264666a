using Dino.Tensors.Ops;
using Dino.Testing;
using MathNet.Numerics;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class FeedForwardTests : OpTests<FeedForwardTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        .. new[] { 1, 3, 8, 17, 37 }.Select(hidden => Map(new Shape(3, 5), hidden, 4, scaled: false)),
        Map(new Shape(2, 7, 9), 20, 9, scaled: true),
        Map(new Shape(1, 1), 1, 1, scaled: true),
        BranchAlone(new Shape(3, 5), 8, 4),
    ];

    [Test]
    public void WrongShapes_AreNamed()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Tensor x = Tensor.Zeros(device, new Shape(2, 3)), w1 = Tensor.Zeros(device, new Shape(5, 3)),
            b1 = Tensor.Zeros(device, new Shape(5));
        Tensor w2 = Tensor.Zeros(device, new Shape(4, 6)), b2 = Tensor.Zeros(device, new Shape(4));
        Assert.That(() => x.FeedForward(w1, b1, w2, b2, x, null),
            Throws.ArgumentException.With.Message.Contains("(2, 5)").And.Message.Contains("(4, 6)"));
        Assert.That(() => x.FeedForward(w1, b1, w2, b2, null, b1), Throws.ArgumentException.With.Message.Contains("residual"));
        Assert.That(() => x.FeedForward(w1, b2, w2, b2, x, null), Throws.ArgumentException.With.Message.Contains("(4)"));
    }

    /// <summary>The gradient of GELU's output is needed though no weight before it is trained.</summary>
    [Test]
    public void OnlyTheLastWeightTrained_GetsTheGradientOfALinearMap()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        using var tape = new Tape(device);
        Tensor x = Tensor.From(device, [1f, -2f], new Shape(1, 2)), w1 = Tensor.From(device, [1f, 0f, 0f, 1f], new Shape(2, 2));
        Tensor b = Tensor.Zeros(device, new Shape(2)), w2 = Tensor.From(device, [1f, 1f, 1f, 1f], new Shape(2, 2));
        w2.RequiresGrad = true;
        tape.Record();
        var y = x.FeedForward(w1, b, w2, b, x, null);
        tape.Backward(y, Tensor.From(device, [1f, 0f], new Shape(1, 2)));

        Assert.That(w2.Grad!.ToArray(), Is.EqualTo(new float[] { 0.841344746f, -0.045500264f, 0, 0 }).Within(1e-6));
    }

    private static OpCase Map(Shape x, int hidden, int outputs, bool scaled)
    {
        int inputs = x.RowLength, perSample = x.Rows / x[0] * outputs;
        Shape[] shapes = [x, new Shape(hidden, inputs), new Shape(hidden), new Shape(outputs, hidden), new Shape(outputs),
            x.WithRowLength(outputs)];
        return new("FeedForward", t => t[0].FeedForward(t[1], t[2], t[3], t[4], t[5], scaled ? t[6] : null),
            scaled ? [.. shapes, new Shape(x[0])] : shapes)
        {
            Truth = t => [.. t[0].Chunk(inputs).Select(row => Affine(row, t[1], t[2]).Select(Gelu).ToArray())
                .SelectMany(row => Affine(row, t[3], t[4]))
                .Select((y, i) => t[5][i] + (scaled ? t[6][i / perSample] : 1) * y)],
            Constant = [6],
        };
    }

    private static OpCase BranchAlone(Shape x, int hidden, int outputs)
    {
        int inputs = x.RowLength;
        return new("FeedForward without a residual", t => t[0].FeedForward(t[1], t[2], t[3], t[4], null, null),
            x, new Shape(hidden, inputs), new Shape(hidden), new Shape(outputs, hidden), new Shape(outputs))
        {
            Truth = t => [.. t[0].Chunk(inputs).Select(row => Affine(row, t[1], t[2]).Select(Gelu).ToArray())
                .SelectMany(row => Affine(row, t[3], t[4]))],
        };
    }

    private static IEnumerable<double> Affine(double[] x, double[] weight, double[] bias) =>
        bias.Select((b, j) => b + x.Select((value, i) => value * weight[j * x.Length + i]).Sum());

    private static double Gelu(double x) => 0.5 * x * (1 + SpecialFunctions.Erf(x / Math.Sqrt(2)));
}
