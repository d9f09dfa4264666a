using Dino.Tensors.Ops;
using Dino.Testing;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Ops;

public class RotaryTests : OpTests<RotaryTests>, IOpCases
{
    public static IEnumerable<OpCase> Cases =>
    [
        Turn(batch: 2, before: 1, rows: 2, columns: 3, heads: 2, width: 8),
        Turn(1, 5, 3, 1, 1, 64),
        Turn(2, 0, 1, 2, 3, 4),
        Turn(1, 2, 2, 2, 1, 20),
        Turn(1, 1, 4, 5, 2, 128),
    ];

    /// <summary>What rotary positions are for: moving both patches by the same way changes no product.</summary>
    [Test]
    public void Products_DependOnDifferencesOfPlaces()
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        float[] token = [.. Enumerable.Range(0, 3 * 16).Select(i => MathF.Sin(i + 1))];
        var qkv = Tensor.From(device, Enumerable.Repeat(token, 6).SelectMany(row => row).ToArray(), new Shape(1, 6, 48));
        var y = qkv.Rotary(Tensor.From(device, [1f, 1.7f, 4, 9], new Shape(4)), 1, 2, 3).ToArray();
        double Product(int query, int key) => Enumerable.Range(0, 16).Sum(i => (double)y[query * 48 + i] * y[key * 48 + 16 + i]);
        Assert.That(Product(1, 0), Is.EqualTo(Product(2, 1)).Within(1e-5).And.EqualTo(Product(5, 4)).Within(1e-5)
            .And.Not.EqualTo(Product(0, 1)).Within(1e-3));
        Assert.That(Product(3, 1), Is.EqualTo(Product(4, 2)).Within(1e-5));
    }

    [TestCase(2, 3, 2, 2)] // 4 patches in 3 tokens
    [TestCase(1, 5, 2, 5)] // 5 does not divide the width
    public void WrongShapes_AreNamed(int rows, int tokens, int columns, int heads)
    {
        var device = Devices.Open("cpu");
        using var arena = device.BeginArena();
        Tensor qkv = Tensor.Zeros(device, new Shape(1, tokens, 24)), periods = Tensor.Zeros(device, new Shape(1));
        Assert.That(() => qkv.Rotary(periods, heads, rows, columns), Throws.ArgumentException.With.Message.Contains($"(1, {tokens}, 24)"));
    }

    private static OpCase Turn(int batch, int before, int rows, int columns, int heads, int width)
    {
        int dim = heads * width, tokens = before + rows * columns;
        return new("Rotary", x => x[0].Rotary(x[1], heads, rows, columns), new Shape(batch, tokens, 3 * dim), new Shape(width / 4))
        {
            Input = (input, value) => input == 1 ? 0.5f + value * value : value,
            Constant = [1],
            Truth = x =>
            {
                double[] y = [.. x[0]];
                for (int token = 0; token < batch * tokens; token++)
                    for (int i = 0; i < 2 * dim; i++)
                        if (token % tokens - before is >= 0 and var patch)
                        {
                            int inHead = i % width, pair = inHead % (width / 2), at = token * 3 * dim + i;
                            double place = pair < width / 4 ? 2 * (patch / columns + 0.5) / rows - 1
                                : 2 * (patch % columns + 0.5) / columns - 1;
                            double angle = 2 * Math.PI * place / x[1][pair % (width / 4)];
                            double partner = inHead < width / 2 ? -x[0][at + width / 2] : x[0][at - width / 2];
                            y[at] = x[0][at] * Math.Cos(angle) + partner * Math.Sin(angle);
                        }
                return y;
            },
        };
    }
}
