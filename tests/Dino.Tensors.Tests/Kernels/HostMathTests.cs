using System.Runtime.Intrinsics;
using Dino.Tensors.Kernels;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>The vector exponential and GELU against double precision.</summary>
public class HostMathTests
{
    [Test]
    public void Exp_IsRightToAFewUnits()
    {
        double worst = 0;
        for (float x = -86.9f; x < 87.9f; x += 0.0173f)
            worst = Math.Max(worst, Math.Abs(Exp(x) / Math.Exp(x) - 1));
        Assert.That(worst, Is.LessThan(2.5e-7));
    }

    [Test]
    public void Exp_AtTheEnds()
    {
        Assert.That(Exp(float.NegativeInfinity), Is.Zero);
        Assert.That(Exp(-1000), Is.Zero);
        Assert.That(Exp(0), Is.EqualTo(1));
        Assert.That(Exp(1000), Is.GreaterThan(1e38f).And.LessThan(float.PositiveInfinity));
        Assert.That(Exp(float.NaN), Is.NaN);
    }

    [Test]
    public void PowerOfTwo_IsRightToAFewUnits()
    {
        double worst = 0;
        for (float x = -125.4f; x <= 0; x += 0.0173f)
            worst = Math.Max(worst, Math.Abs(PowerOfTwo(x) / Math.Pow(2, x) - 1));
        Assert.That(worst, Is.LessThan(2.5e-7));
        Assert.That(PowerOfTwo(0), Is.EqualTo(1));
        Assert.That(PowerOfTwo(-1000), Is.Zero);
        Assert.That(PowerOfTwo(float.NegativeInfinity), Is.Zero);
        Assert.That(PowerOfTwo(float.NaN), Is.NaN);
    }

    [Test]
    public void Gelu_IsRightTo2e7_OfItsInput()
    {
        double value = 0, slope = 0;
        for (float x = -9; x < 9; x += 0.00071f)
        {
            double distribution = MathNet.Numerics.SpecialFunctions.Erfc(-x / Math.Sqrt(2)) / 2;
            double density = Math.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI);
            value = Math.Max(value, Math.Abs(Gelu(x) - x * distribution) / Math.Max(1, Math.Abs(x)));
            slope = Math.Max(slope, Math.Abs(GeluSlope(x) - distribution - x * density));
        }
        Assert.That(value, Is.LessThan(2e-7));
        Assert.That(slope, Is.LessThan(2e-7));
    }

    [TestCase(0, 0, 0.5f)]
    [TestCase(-100, 0, 0)]
    [TestCase(float.NegativeInfinity, 0, 0)]
    [TestCase(float.PositiveInfinity, float.PositiveInfinity, 1)]
    [TestCase(float.NaN, float.NaN, float.NaN)]
    public void Gelu_AtTheEnds(float x, float value, float slope)
    {
        Assert.That(Gelu(x), Is.EqualTo(value));
        Assert.That(GeluSlope(x), Is.EqualTo(slope));
    }

    private static float Exp(float x) => HostMath<Vector256<float>, Simd256>.Exp(Vector256.Create(x))[3];

    private static float PowerOfTwo(float x) => HostMath<Vector256<float>, Simd256>.PowerOfTwo(Vector256.Create(x))[3];

    private static float Gelu(float x) => HostMath<Vector256<float>, Simd256>.Gelu(Vector256.Create(x))[5];

    private static float GeluSlope(float x)
    {
        HostMath<Vector128<float>, Simd128>.Gelu(Vector128.Create(x), out var slope);
        return slope[1];
    }
}
