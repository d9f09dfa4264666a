using Dino.Tensors.Kernels;
using Dino.Tensors.Kernels.Host;
using NUnit.Framework;

namespace Dino.Tensors.Tests.Kernels;

/// <summary>Vectors of both widths calculate the same bits: a formula's result is that of a product's epilogue, too.</summary>
public unsafe class VectorNumberTests
{
    private const int Count = 4096;

    private static readonly float[] special =
        [
        0, -0f, 1, -1, 1e-45f, 1.17549435e-38f, -1e-40f, 0.70710677f,
        float.MaxValue, float.MinValue, float.PositiveInfinity, float.NegativeInfinity,
    ];

    private interface IFormula
    {
        static abstract T Of<T>(T x, T y) where T : struct, IReal<T>;
    }

    [Test]
    public void Arithmetic() => Same<Sums>(NumbersAndNaN(30));

    [Test]
    public void Choices() => Same<Extremes>(Numbers(3));

    [Test]
    public void TreatmentOfNaN() => Same<Checks>(NumbersAndNaN(3));

    [Test]
    public void Exponents() => Same<Exponent>([.. Numbers(80).Select(Math.Abs).Where(x => x is >= 1.17549435e-38f and <= float.MaxValue)]);

    [Test]
    public void Rounding() => Same<Rounded>(NumbersAndNaN(50));

    [Test]
    public void Exponentials() => Same<Powers>(NumbersAndNaN(100));

    [Test]
    public void Logarithms() => Same<Logarithm>(NumbersAndNaN(20));

    [Test]
    public void NormalTails() => Same<Tail>(NumbersAndNaN(15));

    [Test]
    public void SumAndHighest_AreOverAllFloats()
    {
        float* x = stackalloc float[16];
        for (int i = 0; i < 16; i++)
            x[i] = 1 << i;
        Assert.That(WideSimd.Sum(WideSimd.Load(x)), Is.EqualTo(65535));
        Assert.That(WideSimd.Highest(WideSimd.Load(x)), Is.EqualTo(32768));
        Assert.That(Simd.Highest(Simd.Load(x)), Is.EqualTo(x[Simd.Width - 1]));
    }

    private static float[] Numbers(float scale)
    {
        var random = new System.Random(1);
        return [.. special, .. Enumerable.Range(0, Count - special.Length).Select(_ => (random.NextSingle() * 2 - 1) * scale)];
    }

    private static float[] NumbersAndNaN(float scale) => [.. Numbers(scale), float.NaN];

    private static void Same<TFormula>(float[] x) where TFormula : struct, IFormula
    {
        // A whole number of the widest vectors; each with another beside it.
        x = [.. x, .. Enumerable.Repeat(1f, 16 - x.Length % 16)];
        float[] y = [.. x.Skip(5), .. x.Take(5)], narrow = Run<TFormula, Simd>(x, y), wide = Run<TFormula, WideSimd>(x, y);
        for (int i = 0; i < x.Length; i++)
        {
            bool same = BitConverter.SingleToInt32Bits(wide[i]) == BitConverter.SingleToInt32Bits(narrow[i])
                || (float.IsNaN(wide[i]) && float.IsNaN(narrow[i]));
            Assert.That(same, $"of {x[i]:g9} and {y[i]:g9}: {wide[i]:g9}, not {narrow[i]:g9}");
        }
    }

    private static float[] Run<TFormula, T>(float[] x, float[] y)
        where TFormula : struct, IFormula
        where T : struct, IVectorNumber<T>
    {
        float[] result = new float[x.Length];
        fixed (float* px = x, py = y, target = result)
        {
            for (int i = 0; i < x.Length; i += T.Width)
                T.Store(TFormula.Of(T.Load(px + i), T.Load(py + i)), target + i);
        }
        return result;
    }

    private readonly struct Sums : IFormula
    {
        public static T Of<T>(T x, T y) where T : struct, IReal<T> => T.Fma(x, y, -x) + T.Of(3) * y - T.Sqrt(T.Abs(x)) / y;
    }

    private readonly struct Extremes : IFormula
    {
        public static T Of<T>(T x, T y) where T : struct, IReal<T> => T.WhereLess(x, y, T.Max(x, T.Of(0.5f)), T.Min(y, T.Of(-0.5f)));
    }

    private readonly struct Checks : IFormula
    {
        public static T Of<T>(T x, T y) where T : struct, IReal<T> =>
            T.KeepNaN(y, T.WhereNaN(x, T.Of(7), T.NonFinite(x))) + T.Of(2) * T.NonFinite(x);
    }

    private readonly struct Exponent : IFormula
    {
        public static T Of<T>(T x, T y) where T : struct, IReal<T>
        {
            T e = T.Exponent(x, out T mantissa);
            return T.Fma(e, T.Of(4), mantissa) + T.Pow2(T.Min(T.Max(e, T.Of(-126)), T.Of(127)));
        }
    }

    private readonly struct Rounded : IFormula
    {
        public static T Of<T>(T x, T y) where T : struct, IReal<T> => T.RoundToTf32(x) - T.RoundToBf16(y);
    }

    private readonly struct Powers : IFormula
    {
        public static T Of<T>(T x, T y) where T : struct, IReal<T> => T.Exp(x) - T.ExpOfNegative(-T.Abs(y));
    }

    private readonly struct Logarithm : IFormula
    {
        public static T Of<T>(T x, T y) where T : struct, IReal<T> => Real.Log(x);
    }

    private readonly struct Tail : IFormula
    {
        public static T Of<T>(T x, T y) where T : struct, IReal<T>
        {
            T e = T.NormalTail(x, out T size, out T ratio);
            return T.Fma(e, ratio, size);
        }
    }
}
