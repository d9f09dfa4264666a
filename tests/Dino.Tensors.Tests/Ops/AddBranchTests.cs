using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class AddBranchTests : OpTests<AddBranchTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        .. OpCase.RowLengths.Select(d => new OpCase(
            "AddBranch", x => x[0].AddBranch(x[1], x[2]), new Shape(2, 3, d), new Shape(2, 3, d), new Shape(2))
        {
            Constant = [2],
            Truth = x => [.. x[0].Select((v, i) => v + x[2][i / (3 * d)] * x[1][i])],
        }),
        new OpCase("AddBranch, all kept", x => x[0].AddBranch(x[1], keep: null), new Shape(2, 3, 5), new Shape(2, 3, 5))
        {
            Truth = x => [.. x[0].Select((v, i) => v + x[1][i])],
        },
    ];

    [Test]
    public void WrongShapes_AreNamed()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Tensor x = Tensor.Zeros(device, new Shape(2, 3, 4)), y = Tensor.Zeros(device, new Shape(2, 4, 3)),
            keep = Tensor.Zeros(device, new Shape(3));
        Assert.That(() => x.AddBranch(y, null),
            Throws.ArgumentException.With.Message.Contains("(2, 3, 4)").And.Message.Contains("(2, 4, 3)"));
        Assert.That(() => x.AddBranch(x, keep), Throws.ArgumentException.With.Message.Contains("(2, 3, 4)").And.Message.Contains("(3)"));
    }
}
