using Dino.Tensors;
using Dino.Tensors.Nn;

namespace Dino.Train.Methods;

/// <summary>A tensor that may hold a number that is not finite.</summary>
/// <param name="Values">The tensor.</param>
/// <param name="Describe">A sentence about so many of its values that are not.</param>
public readonly record struct SearchedTensor(Tensor Values, Func<int, string> Describe)
{
    /// <summary>Every parameter of a network.</summary>
    /// <param name="whose">Who has it: <c>student</c>.</param>
    /// <param name="parameters">The network's.</param>
    public static IEnumerable<SearchedTensor> Of(string whose, FlatParameters parameters) => parameters.Parameters.Select(parameter =>
        new SearchedTensor(
            parameter.Value, bad => $"{bad} of {parameter.Shape.Count} values of the {whose}'s {parameter.Name} are not finite"));
}
