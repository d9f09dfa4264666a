using System.Numerics;
using Dino.Tensors.Kernels.Host;
using Dino.Tensors.Kernels.Simt;

namespace Dino.Tensors.Kernels;

/// <summary>
/// The number that kernel bodies calculate with: one float on an accelerator's thread (<see cref="Lane"/>), a vector of floats on a
/// host core (<see cref="Simd"/>). Bodies are written once over it.
/// </summary>
public interface IReal<T> :
    IAdditionOperators<T, T, T>, ISubtractionOperators<T, T, T>, IMultiplyOperators<T, T, T>, IDivisionOperators<T, T, T>,
    IUnaryNegationOperators<T, T>
    where T : struct, IReal<T>
{
    /// <summary>Floats in one number.</summary>
    static abstract int Width { get; }

    /// <summary>The value in every float of a number.</summary>
    static abstract T Of(float value);

    /// <summary>a · b + c, rounded once where the hardware can.</summary>
    static abstract T Fma(T a, T b, T c);

    /// <summary>The larger. Which of the two comes out if one is NaN differs by device: treat NaN with <see cref="KeepNaN"/>.</summary>
    static abstract T Max(T a, T b);

    /// <summary>The smaller; NaN as in <see cref="Max"/>.</summary>
    static abstract T Min(T a, T b);

    /// <summary>|a|</summary>
    static abstract T Abs(T a);

    /// <summary>√a</summary>
    static abstract T Sqrt(T a);

    /// <summary>a &lt; b ? then : otherwise. What a NaN chooses differs by device: treat NaN with <see cref="KeepNaN"/>.</summary>
    static abstract T WhereLess(T a, T b, T then, T otherwise);

    /// <summary>x where x is NaN, otherwise <paramref name="result"/>.</summary>
    static abstract T KeepNaN(T x, T result);

    /// <summary><paramref name="then"/> where x is NaN, otherwise <paramref name="otherwise"/>.</summary>
    static abstract T WhereNaN(T x, T then, T otherwise);

    /// <summary>1 where x is NaN or infinite, otherwise 0.</summary>
    static abstract T NonFinite(T x);

    /// <summary>2ⁿ for whole n in −126 … 127, 0 for −127; anything otherwise.</summary>
    static abstract T Pow2(T n);

    /// <summary>x = m · 2ᵉ with m in [√½, √2) for positive normal x.</summary>
    static abstract T Exponent(T x, out T mantissa);

    /// <summary>The nearest number with 10 bits of fraction (tf32); halves go away from zero. NaN stays NaN.</summary>
    static abstract T RoundToTf32(T x);

    /// <summary>The nearest number with 7 bits of fraction (bf16); halves go to the even one. NaN stays NaN.</summary>
    static abstract T RoundToBf16(T x);

    /// <summary>eˣ: see <see cref="Real.Exp"/>.</summary>
    static abstract T Exp(T x);

    /// <summary>eˣ of x ≤ 0: see <see cref="Real.ExpOfNegative"/>.</summary>
    static abstract T ExpOfNegative(T x);

    /// <summary>e^(−x²/2), what it is to be multiplied by for Φ(−|x|), and |x|: see <see cref="Real.NormalTail"/>.</summary>
    static abstract T NormalTail(T x, out T size, out T ratio);

    /// <summary>The sum over the floats of one number.</summary>
    static abstract float Sum(T value);

    /// <summary>The largest float of one number.</summary>
    static abstract float Highest(T value);
}
