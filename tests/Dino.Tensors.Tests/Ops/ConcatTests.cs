using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class ConcatTests : OpTests<ConcatTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        Of(0, new Shape(3), new Shape(4)),
        Of(0, new Shape(2, 5), new Shape(1, 5), new Shape(3, 5)),
        Of(1, new Shape(3, 1), new Shape(3, 9), new Shape(3, 2)),
        Of(-1, new Shape(2, 3, 4), new Shape(2, 3, 5)),
        Of(1, new Shape(4, 1, 7), new Shape(4, 5, 7)), // the class token before the patches
        Of(0, new Shape(1, 2, 3, 5), new Shape(2, 2, 3, 5)),
        Of(1, new Shape(2, 3)),
        Of(1, new Shape(2, 4100), new Shape(2, 9000)), // blocks of more than one piece
    ];

    [Test]
    public void SameTensorTwice_GetsBothGradients([Values(0, 1)] int dimension)
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        using var tape = new Tape(device);
        var x = Tensor.From(device, [1f, 2, 3, 4], new Shape(2, 2));
        x.RequiresGrad = true;
        tape.Record();
        var y = ConcatOp.Concat(dimension, x, x);
        tape.Backward(y, Tensor.From(device, [1f, 2, 3, 4, 5, 6, 7, 8], y.Shape));
        Assert.That(x.Grad!.ToArray(), Is.EqualTo(dimension == 0 ? new float[] { 6, 8, 10, 12 } : [4, 6, 12, 14]));
    }

    [Test]
    public void UnfitParts_AreNamed()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Tensor a = Tensor.Zeros(device, new Shape(2, 3)), b = Tensor.Zeros(device, new Shape(3, 4)), c = Tensor.Zeros(device, new Shape(2));
        Assert.That(() => ConcatOp.Concat(0, a, b),
            Throws.ArgumentException.With.Message.Contains("(2, 3)").And.Message.Contains("(3, 4)"));
        Assert.That(() => ConcatOp.Concat(0, a, c), Throws.ArgumentException);
        Assert.That(() => ConcatOp.Concat(2, a, a), Throws.InstanceOf<ArgumentOutOfRangeException>());
        Assert.That(() => ConcatOp.Concat(0), Throws.ArgumentException);
    }

    private static OpCase Of(int dimension, params Shape[] shapes)
    {
        int d = dimension < 0 ? dimension + shapes[0].Rank : dimension, outer = 1;
        for (int i = 0; i < d; i++)
            outer *= shapes[0][i];
        return new($"Concat along {dimension} of", x => ConcatOp.Concat(dimension, x), shapes)
        {
            Truth = x => [.. Enumerable.Range(0, outer)
                .SelectMany(o => x.SelectMany(part => part.Chunk(part.Length / outer).ElementAt(o)))],
            Tolerance = Tolerance.Exact,
        };
    }
}
