using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class GatherRowsTests : OpTests<GatherRowsTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        .. OpCase.RowLengths.Select(n => Of(new Shape(4, n), 3, 0, 3, 3, 1)),
        Of(new Shape(5), 4, 0, 4),
        Of(new Shape(3, 2, 5), 2, 2, 0),
        Of(new Shape(200, 3), [.. Enumerable.Range(0, 300).Select(i => i * 7 % 150)]), // several rows for each owner
    ];

    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void MissingRow_IsNaNAndGetsNoGradient(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        using var tape = new Tape(device);
        var x = Tensor.From(device, [1f, 2], new Shape(2, 1));
        x.RequiresGrad = true;
        tape.Record();
        var y = x.GatherRows(Tensor.FromInts(device, [-1, 1, 2], new Shape(3)));
        Assert.That(y.ToArray(), Is.EqualTo(new[] { float.NaN, 2, float.NaN }));
        tape.Backward(y, Tensor.From(device, [1f, 3, 5], y.Shape));
        Assert.That(x.Grad!.ToArray(), Is.EqualTo(new float[] { 0, 3 }));
    }

    [Test]
    public void IndicesOfAnotherType_AreRefused()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        var x = Tensor.Zeros(device, new Shape(2, 2));
        Assert.That(() => x.GatherRows(x), Throws.ArgumentException);
    }

    private static OpCase Of(Shape shape, params int[] indices) =>
        new($"GatherRows {indices.Length} of", x => x[0].GatherRows(Tensor.FromInts(x[0].Device, indices, new Shape(indices.Length))),
            shape)
        {
            Truth = x => [.. indices.SelectMany(i => x[0].Chunk(x[0].Length / shape[0]).ElementAt(i))],
        };
}
