using System.Numerics;
using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Host;
using Dino.Tensors.Kernels.Simt;
using MathNet.Numerics;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>
/// The elementary functions against double precision over dense ranges. Errors are in units in the last place (2⁻²³ of the binade) of the
/// exact result.
/// </summary>
public class RealTests
{
    private const int Samples = 400_000;

    [TestCase(-86.8, 88.7, 2.0)]
    [TestCase(-1, 1, 1.5)]
    [TestCase(-105, -86.8, 1.5)] // subnormal, and 0
    public void Exp(double low, double high, double ulps) => Check(low, high, ulps, Lane32.Exp, Vector32.Exp, Math.Exp);

    [TestCase(-105, 0, 2.0)]
    [TestCase(0, 1e-5, 1.0)] // an argument that rounding made positive
    public void ExpOfNegative(double low, double high, double ulps) =>
        Check(low, high, ulps, Lane32.ExpOfNegative, Vector32.ExpOfNegative, Math.Exp);

    [TestCase(1e-45, 1e-37, 2.0)] // of subnormal numbers
    [TestCase(0.5, 2, 2.0)]
    [TestCase(1e-6, 1e6, 2.0)]
    [TestCase(1e30, 3e38, 2.0)]
    public void Log(double low, double high, double ulps) => Check(low, high, ulps, Lane32.Log, Vector32.Log, Math.Log);

    // The exponent −x²/2 is rounded before the exponential multiplies that error by its size.
    [TestCase(-1, 1, 4.0)]
    [TestCase(-3, 3, 8.0)]
    [TestCase(-9, 9, 45.0)]
    public void NormalTail(double low, double high, double ulps) =>
        Check(low, high, ulps, Lane32.NormalTail, Vector32.NormalTail, x => SpecialFunctions.Erfc(Math.Abs(x) / Math.Sqrt(2)) / 2);

    [TestCase(-3, 3, 6.0)]
    [TestCase(-9, 9, 45.0)]
    [TestCase(13.3, 14.6, 8.0)] // subnormal, and 0
    public void NormalDensity(double low, double high, double ulps) => Check(
        low, high, ulps, Lane32.NormalDensity, Vector32.NormalDensity, x => Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI));

    [Test]
    public void SpecialValues()
    {
        Both(Lane32.Exp, Vector32.Exp, float.NaN, float.NaN);
        Both(Lane32.Exp, Vector32.Exp, float.NegativeInfinity, 0);
        Both(Lane32.Exp, Vector32.Exp, float.PositiveInfinity, float.PositiveInfinity);
        Both(Lane32.Exp, Vector32.Exp, 0, 1);
        Both(Lane32.Exp, Vector32.Exp, 88.7228394f, float.PositiveInfinity); // the first that overflows
        Both(Lane32.Exp, Vector32.Exp, 1000, float.PositiveInfinity);
        Both(Lane32.Exp, Vector32.Exp, -103.9f, float.Epsilon);
        Both(Lane32.Exp, Vector32.Exp, -104, 0);
        Both(Lane32.ExpOfNegative, Vector32.ExpOfNegative, float.NaN, float.NaN);
        Both(Lane32.ExpOfNegative, Vector32.ExpOfNegative, float.NegativeInfinity, 0);
        Both(Lane32.ExpOfNegative, Vector32.ExpOfNegative, float.MinValue, 0);
        Both(Lane32.ExpOfNegative, Vector32.ExpOfNegative, 0, 1);
        Both(Lane32.ExpOfNegative, Vector32.ExpOfNegative, -103.9f, float.Epsilon);
        Both(Lane32.Log, Vector32.Log, 1, 0);
        Both(Lane32.Log, Vector32.Log, 0, float.NegativeInfinity);
        Both(Lane32.Log, Vector32.Log, -0f, float.NegativeInfinity);
        Both(Lane32.Log, Vector32.Log, -1, float.NaN);
        Both(Lane32.Log, Vector32.Log, float.NegativeInfinity, float.NaN);
        Both(Lane32.Log, Vector32.Log, float.PositiveInfinity, float.PositiveInfinity);
        Both(Lane32.Log, Vector32.Log, float.NaN, float.NaN);
        Both(Lane32.NormalTail, Vector32.NormalTail, float.NaN, float.NaN);
        Both(Lane32.NormalTail, Vector32.NormalTail, float.PositiveInfinity, 0);
        Both(Lane32.NormalTail, Vector32.NormalTail, float.NegativeInfinity, 0);
        Both(Lane32.NormalTail, Vector32.NormalTail, 0, 0.5f);
        Both(Lane32.NormalDensity, Vector32.NormalDensity, float.PositiveInfinity, 0);
        Both(Lane32.NormalDensity, Vector32.NormalDensity, float.NaN, float.NaN);
    }

    private static void Both(Func<float, float> lane, Func<Vector<float>, Vector<float>> vector, float x, float expected)
    {
        Assert.That(lane(x), Is.EqualTo(expected), $"{lane.Method.Name}({x}) on a lane");
        Assert.That(vector(new Vector<float>(x))[Vector<float>.Count - 1], Is.EqualTo(expected), $"{lane.Method.Name}({x}) on a vector");
    }

    private static void Check(
        double low, double high, double ulps,
        Func<float, float> lane, Func<Vector<float>, Vector<float>> vector, Func<double, double> exact)
    {
        double worst = 0;
        float worstAt = 0;
        int width = Vector<float>.Count;
        float[] x = new float[width], y = new float[width];
        for (int i = 0; i < Samples; i += width)
        {
            for (int j = 0; j < width; j++)
                x[j] = (float)(low + (high - low) * (i + j) / Samples);
            vector(new Vector<float>(x)).CopyTo(y);
            for (int j = 0; j < width; j++)
            {
                double expected = exact(x[j]);
                double error = Math.Max(Math.Abs(y[j] - expected), Math.Abs(lane(x[j]) - expected)) / Ulp(expected);
                if (error > worst)
                    (worst, worstAt) = (error, x[j]);
            }
        }
        TestContext.Out.WriteLine($"{lane.Method.Name} on [{low}, {high}]: {worst:f2} ulp at {worstAt:g9}");
        Assert.That(worst, Is.LessThanOrEqualTo(ulps), $"{lane.Method.Name} on [{low}, {high}], worst at {worstAt:g9}");
    }

    private static double Ulp(double value) =>
        Math.ScaleB(1, Math.Max(-126, value == 0 ? -126 : Math.ILogB(value)) - 23);

    private static class Lane32
    {
        public static float Exp(float x) => Real.Exp(new Lane(x)).Value;

        public static float ExpOfNegative(float x) => Real.ExpOfNegative(new Lane(x)).Value;

        public static float Log(float x) => Real.Log(new Lane(x)).Value;

        public static float NormalTail(float x) => (Real.NormalTail(new Lane(x), out _, out var ratio) * ratio).Value;

        public static float NormalDensity(float x) => 0.398942280f * Real.NormalTail(new Lane(x), out _, out _).Value;
    }

    private static class Vector32
    {
        public static Vector<float> Exp(Vector<float> x) => Real.Exp(new Simd(x)).Value;

        public static Vector<float> ExpOfNegative(Vector<float> x) => Real.ExpOfNegative(new Simd(x)).Value;

        public static Vector<float> Log(Vector<float> x) => Real.Log(new Simd(x)).Value;

        public static Vector<float> NormalTail(Vector<float> x) => (Real.NormalTail(new Simd(x), out _, out var ratio) * ratio).Value;

        public static Vector<float> NormalDensity(Vector<float> x) => 0.398942280f * Real.NormalTail(new Simd(x), out _, out _).Value;
    }
}
