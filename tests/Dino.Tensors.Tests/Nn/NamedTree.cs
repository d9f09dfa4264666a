using Dino.Tensors.Nn;

namespace Dino.Tensors.Tests.Nn;

/// <summary>A module with parameters of any names and shapes.</summary>
internal sealed class NamedTree : Module
{
    public NamedTree(IEnumerable<(string Name, int[] Shape)> parameters, Func<string, bool>? frozen = null, Init? init = null)
    {
        foreach (var (name, shape) in parameters)
            Register(name, Shape.Of(shape), init ?? Init.TruncatedNormal(0.5f), frozen?.Invoke(name) ?? false);
        RegisterBuffer("running_mean", new Shape(3), Init.Ones);
    }
}
