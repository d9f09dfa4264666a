using System.Runtime.Intrinsics;
using Dino.Tensors.Kernels.Host;
using Dino.Tensors.Ops;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>Powers of two, and GELU as products apply it on the host, against double precision.</summary>
public class HostMathTests
{
    [Test]
    public void PowerOfTwo_IsRightToAFewUnits()
    {
        double worst = 0;
        for (float x = -125.4f; x <= 0; x += 0.0173f)
            worst = Math.Max(worst, Math.Abs(PowerOfTwo(x) / Math.Pow(2, x) - 1));
        Assert.That(worst, Is.LessThan(2.5e-7));
        Assert.That(PowerOfTwo(0), Is.EqualTo(1));
        for (int n = -149; n < -125; n++)
            Assert.That(PowerOfTwo(n), Is.EqualTo(MathF.ScaleB(1, n)), $"2^{n}, subnormal");
        Assert.That(PowerOfTwo(-149.4f), Is.EqualTo(float.Epsilon));
        Assert.That(PowerOfTwo(-150.1f), Is.Zero);
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

    [Test]
    public void GeluSlope_FarBelow_IsSubnormal()
    {
        for (float x = -14.3f; x < -13.3f; x += 0.0713f)
        {
            double exact = (x - 1 / x) * Math.Exp(-0.5 * x * (double)x) / Math.Sqrt(2 * Math.PI); // the tail as −φ/x, right to 1/x²
            Assert.That(GeluSlope(x), Is.EqualTo(exact).Within(0.01 * Math.Abs(exact) + 2 * float.Epsilon), $"{x}");
        }
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

    private static float PowerOfTwo(float x) => HostMath<Vector256<float>, Simd256>.PowerOfTwo(Vector256.Create(x))[3];

    private static float Gelu(float x) => GeluOp.Fused.Forward(Simd.Of(x)).Value[3];

    private static float GeluSlope(float x)
    {
        GeluOp.Fused.ForwardBackward(Simd.Of(x), Simd.Of(1), out var slope);
        return slope.Value[1];
    }
}
