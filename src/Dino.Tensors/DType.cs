namespace Dino.Tensors;

/// <summary>What the elements of a <see cref="Tensor"/> are. Both kinds take four bytes.</summary>
public enum DType
{
    /// <summary>IEEE 754 single precision.</summary>
    Float32,

    /// <summary>32-bit signed integers: labels, row numbers, tables. Never differentiated.</summary>
    Int32,
}
