using Dino.Tensors.Ops;

namespace Dino.Tensors;

/// <content>
/// Operators, element by element, between tensors whose shapes fit as in NumPy, and with numbers: the ops of the same names.
/// </content>
public sealed partial class Tensor
{
    /// <summary>x + y</summary>
    public static Tensor operator +(Tensor x, Tensor y) => x.Add(y);

    /// <summary>x + value</summary>
    public static Tensor operator +(Tensor x, double value) => x.Add((float)value);

    /// <summary>value + x</summary>
    public static Tensor operator +(double value, Tensor x) => x.Add((float)value);

    /// <summary>x − y</summary>
    public static Tensor operator -(Tensor x, Tensor y) => x.Subtract(y);

    /// <summary>x − value</summary>
    public static Tensor operator -(Tensor x, double value) => x.Subtract((float)value);

    /// <summary>value − x</summary>
    public static Tensor operator -(double value, Tensor x) => SubtractOp.Subtract((float)value, x);

    /// <summary>−x</summary>
    public static Tensor operator -(Tensor x) => x.Scale(-1);

    /// <summary>x · y, element by element; <see cref="MatMulOp.MatMul"/> is the product of matrices.</summary>
    public static Tensor operator *(Tensor x, Tensor y) => x.Multiply(y);

    /// <summary>x · value</summary>
    public static Tensor operator *(Tensor x, double value) => x.Scale((float)value);

    /// <summary>value · x</summary>
    public static Tensor operator *(double value, Tensor x) => x.Scale((float)value);

    /// <summary>x / y</summary>
    public static Tensor operator /(Tensor x, Tensor y) => x.Divide(y);

    /// <summary>x / value</summary>
    public static Tensor operator /(Tensor x, double value) => x.Divide((float)value);

    /// <summary>value / x</summary>
    public static Tensor operator /(double value, Tensor x) => DivideOp.Divide((float)value, x);

    /// <summary>1 where x &lt; y, otherwise 0.</summary>
    public static Tensor operator <(Tensor x, Tensor y) => x.Less(y);

    /// <summary>1 where x &lt; value, otherwise 0.</summary>
    public static Tensor operator <(Tensor x, double value) => x.Less((float)value);

    /// <summary>1 where value &lt; x, otherwise 0.</summary>
    public static Tensor operator <(double value, Tensor x) => x.Greater((float)value);

    /// <summary>1 where x ≤ y, otherwise 0.</summary>
    public static Tensor operator <=(Tensor x, Tensor y) => x.LessEqual(y);

    /// <summary>1 where x ≤ value, otherwise 0.</summary>
    public static Tensor operator <=(Tensor x, double value) => x.LessEqual((float)value);

    /// <summary>1 where value ≤ x, otherwise 0.</summary>
    public static Tensor operator <=(double value, Tensor x) => x.GreaterEqual((float)value);

    /// <summary>1 where x &gt; y, otherwise 0.</summary>
    public static Tensor operator >(Tensor x, Tensor y) => x.Greater(y);

    /// <summary>1 where x &gt; value, otherwise 0.</summary>
    public static Tensor operator >(Tensor x, double value) => x.Greater((float)value);

    /// <summary>1 where value &gt; x, otherwise 0.</summary>
    public static Tensor operator >(double value, Tensor x) => x.Less((float)value);

    /// <summary>1 where x ≥ y, otherwise 0.</summary>
    public static Tensor operator >=(Tensor x, Tensor y) => x.GreaterEqual(y);

    /// <summary>1 where x ≥ value, otherwise 0.</summary>
    public static Tensor operator >=(Tensor x, double value) => x.GreaterEqual((float)value);

    /// <summary>1 where value ≥ x, otherwise 0.</summary>
    public static Tensor operator >=(double value, Tensor x) => x.LessEqual((float)value);
}
