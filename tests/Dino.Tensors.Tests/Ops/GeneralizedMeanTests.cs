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
        Assert.That(() => Tensor.Zeros(device, new Shape(1, 2, 3)).GeneralizedMean(0),
            Throws.ArgumentException.With.Message.Contains("(1, 2, 3)"));
    }

    [TestCaseSource(typeof(Devices), nameof(Devices.Cases))]
    public void SpecialValues(string name)
    {
        var device = Devices.Open(name);
        using var arena = device.BeginArena();
        const float inf = float.PositiveInfinity, nan = float.NaN;
        Assert.That(Of(10, 0, 0, 0), Is.EqualTo(1e-6f).Within(1e-12), "ε, whose power has no float");
        Assert.That(Of(10, 1e20f, 1e20f), Is.EqualTo(1e20f).Within(1e14), "whose power has none either");
        Assert.That(Of(3, 1, inf), Is.EqualTo(inf));
        Assert.That(Of(3, 1, -inf), Is.EqualTo(MathF.Cbrt(0.5f)).Within(1e-6));
        Assert.That(Of(3, 1, nan), Is.NaN);
        Assert.That(Of(3, inf, nan), Is.NaN);
        Assert.That(Of(inf, 1, 2, 0.5f), Is.EqualTo(2));
        Assert.That(Of(inf, 1, nan), Is.NaN);
        Assert.That(Of(1, 1, 2, 6), Is.EqualTo(3).Within(1e-6));
        Assert.That(Of(100, 1e-3f, 2e-3f), Is.EqualTo(2e-3 * Math.Pow(0.5, 0.01)).Within(1e-9));

        float Of(float power, params float[] tokens) =>
            Tensor.From(device, tokens, new Shape(1, tokens.Length, 1)).GeneralizedMean(power).ToArray()[0];
    }

    private static OpCase Tokens(int b, int n, int d, float power) =>
        new($"GeM p = {power}", x => x[0].GeneralizedMean(power), new Shape(b, n, d))
        {
            Constant = [0],
            Truth = x => [.. from image in Enumerable.Range(0, b)
                         from i in Enumerable.Range(0, d)
                         select Math.Pow(
                             Enumerable.Range(0, n).Average(token => Math.Pow(Math.Max(x[0][(image * n + token) * d + i], 1e-6), power)),
                             1 / power)],
        };
}
