using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class DivideTests : OpTests<DivideTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        .. BroadcastCases.All("Divide", x => x[0].Divide(x[1]), (a, b) => a / b, (input, v) => input == 1 ? AwayFromZero(v) : v),
        .. OpCase.RowLengths.SelectMany(n => (OpCase[])
        [
            new("Divide-number", x => x[0].Divide(-1.75f), new Shape(n)) { Truth = x => Array.ConvertAll(x[0], v => v / -1.75) },
            new("Divide-into-number", x => DivideOp.Divide(1.75f, x[0]), new Shape(n))
            {
                Truth = x => Array.ConvertAll(x[0], v => 1.75 / v), Input = (_, v) => AwayFromZero(v),
            },
        ]),
    ];

    [TestCaseSource(typeof(BroadcastCases), nameof(BroadcastCases.Unfit))]
    public void UnfitShapes_AreNamed(Shape x, Shape y) => BroadcastCases.CheckRefused(x, y, (a, b) => a.Divide(b));

    /// <summary>By a third is not divided by 3.</summary>
    [Test]
    public void Quotients_AreRoundedOnce()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        float[] numbers = [.. Enumerable.Range(1, 100).Select(i => (float)i)];
        Assert.That(Tensor.From(device, numbers).Divide(3).ToArray(), Is.EqualTo(numbers.Select(x => x / 3)));
    }

    private static float AwayFromZero(float v) => v < 0 ? v - 1 : v + 1;
}
