using Dino.Tensors.Ops;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class SubtractTests : OpTests<SubtractTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        .. BroadcastCases.All("Subtract", x => x[0].Subtract(x[1]), (a, b) => a - b),
        .. OpCase.RowLengths.SelectMany(n => (OpCase[])
        [
            new("Subtract-number", x => x[0].Subtract(1.75f), new Shape(n)) { Truth = x => Array.ConvertAll(x[0], v => v - 1.75) },
            new("Subtract-from-number", x => SubtractOp.Subtract(1.75f, x[0]),
                new Shape(n)) { Truth = x => Array.ConvertAll(x[0], v => 1.75 - v) },
        ]),
    ];

    [TestCaseSource(typeof(BroadcastCases), nameof(BroadcastCases.Unfit))]
    public void UnfitShapes_AreNamed(Shape x, Shape y) => BroadcastCases.CheckRefused(x, y, (a, b) => a.Subtract(b));
}
