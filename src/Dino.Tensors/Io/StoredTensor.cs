namespace Dino.Tensors.Io;

/// <summary>
/// A tensor as its file describes it, already judged: every element lies inside the file. Shape and strides count elements, outermost
/// first; without strides the elements lie row-major and without gaps.
/// </summary>
internal sealed record StoredTensor(string Name, ElementType Type, long[] Shape, long Start, long[]? Strides = null)
{
    public long Count { get; } = Shape.Contains(0) ? 0 : Shape.Aggregate(1L, (product, extent) => checked(product * extent));

    /// <summary>The bytes of the elements by themselves.</summary>
    public long ByteLength => checked(Count * Type.Size());

    /// <summary>A name for a message: in quotes, without control characters, cut to a readable length.</summary>
    public static string Quote(string name)
    {
        string cut = name.Length <= 120 ? name : name[..120] + "…";
        return $"'{string.Concat(cut.Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c))}'";
    }
}
