using Dino.Tensors;
using Dino.Tensors.Nn;

namespace Dino.Testing;

/// <summary>A module with parameters of any names and shapes.</summary>
public sealed class NamedTree : Module
{
    /// <summary>Declares these parameters and a buffer <c>running_mean</c> (3), which starts at 1.</summary>
    /// <param name="parameters">Names and sizes.</param>
    /// <param name="frozen">Which get no gradient.</param>
    /// <param name="init">First values; a normal distribution of deviation 0.5 without.</param>
    public NamedTree(IEnumerable<(string Name, int[] Shape)> parameters, Func<string, bool>? frozen = null, Init? init = null)
    {
        foreach (var (name, shape) in parameters)
            Register(name, Shape.Of(shape), init ?? Init.TruncatedNormal(0.5f), frozen?.Invoke(name) ?? false);
        RegisterBuffer("running_mean", new Shape(3), Init.Ones);
    }
}
