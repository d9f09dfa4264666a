namespace Dino.Model;

/// <summary>Where a tensor of the model comes from: one tensor of a file, or several that are stacked along the first dimension.</summary>
/// <param name="Names">The names in the file.</param>
/// <param name="Shape">The extents of what they make, outermost first.</param>
public sealed record WeightSource(IReadOnlyList<string> Names, IReadOnlyList<long> Shape);
