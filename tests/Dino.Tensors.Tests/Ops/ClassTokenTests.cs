using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class ClassTokenTests : OpTests<ClassTokenTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
        [.. OpCase.RowLengths.Select(d => new OpCase(
            "WithClassToken", x => x[0].WithClassToken(x[1], x[2]), new Shape(2, 3, d), new Shape(1, 1, d), new Shape(1, 4, d))
        {
            Truth = x => [.. from image in Enumerable.Range(0, 2)
                             from token in Enumerable.Range(0, 4)
                             from i in Enumerable.Range(0, d)
                             select (token == 0 ? x[1][i] : x[0][(image * 3 + token - 1) * d + i]) + x[2][token * d + i]],
        }),
        .. new[] { 5, 16 }.SelectMany(d => new[] { true, false }.Select(placed => new OpCase(
            "WithClassToken and two registers", x => x[0].WithClassToken(x[1], placed ? x[2] : null),
            [new Shape(2, 4, d), new Shape(1, 3, d), .. placed ? [new Shape(1, 7, d)] : Array.Empty<Shape>()])
        {
            Truth = x => [.. from image in Enumerable.Range(0, 2)
                             from token in Enumerable.Range(0, 7)
                             from i in Enumerable.Range(0, d)
                             select (token < 3 ? x[1][token * d + i] : x[0][(image * 4 + token - 3) * d + i])
                                 + (placed ? x[2][token * d + i] : 0)],
        }))];

    [Test]
    public void WrongShapes_AreNamed()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Tensor patches = Tensor.Zeros(device, new Shape(2, 3, 4)), cls = Tensor.Zeros(device, new Shape(1, 1, 4));
        Assert.That(() => patches.WithClassToken(cls, Tensor.Zeros(device, new Shape(1, 3, 4))),
            Throws.ArgumentException.With.Message.Contains("(2, 3, 4)").And.Message.Contains("(1, 3, 4)"));
    }
}
