using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class AddTests : OpTests<AddTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        .. BroadcastCases.All("Add", x => x[0].Add(x[1]), (a, b) => a + b),
        .. OpCase.RowLengths.Select(n => new OpCase("Add-number", x => x[0].Add(-1.75f), new Shape(n))
        {
            Truth = x => Array.ConvertAll(x[0], v => v - 1.75),
        }),
    ];

    [Test]
    public void SameTensorTwice_GetsBothGradients()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        using var tape = new Tape(device);
        var x = Tensor.From(device, [1f, 2], new Shape(2));
        x.RequiresGrad = true;
        tape.Record();
        tape.Backward(x.Add(x).Sum());
        Assert.That(x.Grad!.ToArray(), Is.EqualTo(new float[] { 2, 2 }));
    }

    [TestCaseSource(typeof(BroadcastCases), nameof(BroadcastCases.Unfit))]
    public void UnfitShapes_AreNamed(Shape x, Shape y) => BroadcastCases.CheckRefused(x, y, (a, b) => a.Add(b));
}
