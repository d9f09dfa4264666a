namespace Dino.Tensors;

/// <summary>What the elements of a <see cref="Tensor"/> are.</summary>
public enum DType
{
    /// <summary>IEEE 754 single precision.</summary>
    Float32,

    /// <summary>32-bit signed integers: labels, row numbers, tables. Never differentiated.</summary>
    Int32,
}

/// <summary>What follows from the type of elements.</summary>
public static class DTypeExtensions
{
    extension(DType type)
    {
        /// <summary>Bytes of one element.</summary>
        public int ItemSize => type switch
        {
            DType.Float32 => sizeof(float),
            DType.Int32 => sizeof(int),
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "There is no such type of elements."),
        };
    }
}
