namespace Dino.Tensors.Ops;

/// <summary>Σ x / n, over all elements or along one dimension.</summary>
public static class MeanOp
{
    /// <summary>The mean of all elements, a scalar. x: any shape with at least one element.</summary>
    /// <exception cref="ArgumentException">There are no elements.</exception>
    public static Tensor Mean(this Tensor x) => x.Sum().Scale(Share(x, x.Count));

    /// <summary>
    /// The means along a dimension (a negative one counts from the last), which the result lacks, or has with size 1 if
    /// <paramref name="keepDim"/>: (B, N, D) along 1 gives (B, D) or (B, 1, D).
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such dimension.</exception>
    /// <exception cref="ArgumentException">The dimension has no elements.</exception>
    public static Tensor Mean(this Tensor x, int dimension, bool keepDim = false) =>
        x.Sum(dimension, keepDim).Scale(Share(x, x.Shape[dimension]));

    private static float Share(Tensor x, int count) =>
        count > 0 ? 1f / count : throw new ArgumentException($"Mean: there is none of no numbers, {x.Shape}.");
}
