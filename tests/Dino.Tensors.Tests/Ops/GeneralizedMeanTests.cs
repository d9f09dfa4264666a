using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class GeneralizedMeanTests : OpTests<GeneralizedMeanTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        .. OpCase.RowLengths.Select(d => Tokens(2, 3, d, 4)),
        Tokens(1, 1, 5, 1),
        Tokens(2, 37, 6, 3),
    ];

    [Test]
    public void BadPower_IsRefused()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Assert.That(() => Tensor.Zeros(device, new Shape(1, 2, 3)).GeneralizedMean(0), Throws.ArgumentException.With.Message.Contains("(1, 2, 3)"));
    }

    private static OpCase Tokens(int b, int n, int d, float power) => new($"GeM p = {power}", x => x[0].GeneralizedMean(power), new Shape(b, n, d))
    {
        Constant = [0],
        Truth = x => [.. from image in Enumerable.Range(0, b)
                         from i in Enumerable.Range(0, d)
                         select Math.Pow(
                             Enumerable.Range(0, n).Average(token => Math.Pow(Math.Max(x[0][(image * n + token) * d + i], 1e-6), power)), 1 / power)],
    };
}
