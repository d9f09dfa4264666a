namespace Dino.Model.Weights;

/// <summary>Where a tensor of the model comes from: one tensor of a file, or several.</summary>
/// <param name="Names">The names in the file.</param>
/// <param name="Shape">The extents of what they make, outermost first.</param>
public sealed record WeightSource(IReadOnlyList<string> Names, IReadOnlyList<long> Shape)
{
    /// <summary>How their values become the tensor's; null for one after the other, which stacks them along the first dimension.</summary>
    internal Func<IReadOnlyList<float[]>, float[]>? Join { get; init; }
}
