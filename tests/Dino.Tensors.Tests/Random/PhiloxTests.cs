using Dino.Tensors.Random;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Random;

/// <summary>The generator against the vectors published with it, and the distributions made from it.</summary>
public class PhiloxTests
{
    // Known answers of philox4x32-10 from the authors' Random123 distribution: counter, key, result.
    [TestCase("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8")]
    [TestCase("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd")]
    [TestCase("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1")]
    public void Block_GivesThePublishedWords(string counter, string key, string expected)
    {
        uint[] c = Words(counter), k = Words(key);

        var (x0, x1, x2, x3) = Philox.Block(c[0], c[1], c[2], c[3], k[0], k[1]);

        Assert.That(new[] { x0, x1, x2, x3 }, Is.EqualTo(Words(expected)));
    }

    [Test]
    public void Stream_ReadsTheBlocksInOrder()
    {
        var stream = new PhiloxStream(seed: 0x299f31d0_a4093822, 1, 2, 3);

        uint[] read = [.. Enumerable.Range(0, 8).Select(_ => stream.NextUInt())];

        var (a0, a1, a2, a3) = Philox.Block(0, 1, 2, 3, 0xa4093822, 0x299f31d0);
        var (b0, b1, b2, b3) = Philox.Block(1, 1, 2, 3, 0xa4093822, 0x299f31d0);
        Assert.That(read, Is.EqualTo(new[] { a0, a1, a2, a3, b0, b1, b2, b3 }));
    }

    [Test]
    public void ToUnit_StaysBelowOne()
    {
        Assert.That(Philox.ToUnit(0), Is.Zero);
        Assert.That(Philox.ToUnit(uint.MaxValue), Is.LessThan(1f).And.GreaterThan(0.9999f));
    }

    [Test]
    public void NextDouble_IsUniform()
    {
        double[] draws = Draw(20_000, (ref PhiloxStream s) => s.NextDouble());

        Assert.That(draws, Is.All.InRange(0.0, 1.0).And.All.LessThan(1.0));
        Assert.That(draws.Average(), Is.EqualTo(0.5).Within(0.01));
        Assert.That(draws.Select(x => x * x).Average(), Is.EqualTo(1.0 / 3).Within(0.01));
    }

    [Test]
    public void NextInt_HitsEveryValueEqually()
    {
        double[] draws = Draw(30_000, (ref PhiloxStream s) => s.NextInt(6));

        for (int value = 0; value < 6; value++)
            Assert.That(draws.Count(x => x == value), Is.EqualTo(5000).Within(300), $"value {value}");
    }

    [Test]
    public void Normal_HasItsMoments()
    {
        double[] draws = Draw(20_000, (ref PhiloxStream s) => s.Normal(3, 2));

        double mean = draws.Average(), variance = draws.Select(x => (x - mean) * (x - mean)).Average();
        Assert.That(mean, Is.EqualTo(3).Within(0.05));
        Assert.That(variance, Is.EqualTo(4).Within(0.15));
        Assert.That(draws.Count(x => Math.Abs(x - 3) < 2) / 20_000.0, Is.EqualTo(0.6827).Within(0.015));
    }

    [Test]
    public void Permutation_OrdersEverythingOnce_AndDiffersByStream()
    {
        int[] a = new PhiloxStream(7, 1).Permutation(100), b = new PhiloxStream(7, 2).Permutation(100);

        Assert.That(a, Is.EquivalentTo(Enumerable.Range(0, 100)));
        Assert.That(a, Is.Not.EqualTo(b));
        Assert.That(new PhiloxStream(7, 1).Permutation(100), Is.EqualTo(a));
    }

    private delegate double Next(ref PhiloxStream stream);

    private static double[] Draw(int count, Next next)
    {
        var stream = new PhiloxStream(seed: 1);
        double[] draws = new double[count];
        for (int i = 0; i < count; i++)
            draws[i] = next(ref stream);
        return draws;
    }

    private static uint[] Words(string hex) => [.. hex.Split(' ').Select(word => Convert.ToUInt32(word, 16))];
}
