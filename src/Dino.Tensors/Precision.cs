namespace Dino.Tensors;

/// <summary>
/// The arithmetic of matrix products and attention. Whatever it is, tensors hold floats, sums are made in float, and all other ops
/// (softmax, loss,
/// centre, normalisation, optimizer) are float: what is narrow is what a product multiplies. Products too small for a tensor core's tile
/// stay in
/// float.
/// </summary>
public enum Precision
{
    /// <summary>Float: 23 bits of fraction.</summary>
    Fp32,

    /// <summary>Operands rounded to 10 bits of fraction.</summary>
    Tf32,

    /// <summary>Operands rounded to 7 bits of fraction.</summary>
    Bf16,
}
