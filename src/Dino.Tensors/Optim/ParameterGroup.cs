using Dino.Tensors.Nn;

namespace Dino.Tensors.Optim;

/// <summary>Parameters that an optimizer treats alike, and how.</summary>
/// <remarks>
/// What a group leaves open follows from each parameter, as is usual: weight decay acts on what is <see cref="Parameter.Decayed"/>, and
/// LARS scales the steps of all but vectors.
/// </remarks>
/// <param name="parameters">The group's, each of them in no other group. Frozen ones are passed over.</param>
public sealed class ParameterGroup(IEnumerable<Parameter> parameters)
{
    /// <summary>The parameters of a module and its parts.</summary>
    public ParameterGroup(Module module) : this(module.Parameters) { }

    /// <summary>The group's parameters.</summary>
    public IReadOnlyList<Parameter> Parameters { get; } = [.. parameters];

    /// <summary>What the learning rate of a step is multiplied by.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    public double RateFactor { get; init => field = ThrowIfNoFactor(value); } = 1;

    /// <summary>
    /// What the weight decay of a step is multiplied by, for all parameters of the group; null for 1 where a parameter is
    /// <see cref="Parameter.Decayed"/> and 0 elsewhere.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative or not finite.</exception>
    public double? DecayFactor { get; init => field = value is { } factor ? ThrowIfNoFactor(factor) : null; }

    /// <summary>Whether <see cref="Lars"/> scales the steps by the trust ratio; null for all parameters but vectors.</summary>
    public bool? Adapted { get; init; }

    /// <summary>
    /// Whether single steps may leave the group as it is, which they say by <see cref="Optimizer.Step"/>. Such a group counts its steps by
    /// itself; an optimizer takes <see cref="Optimizer.MaxHoldable"/> of them.
    /// </summary>
    public bool Holdable { get; init; }

    internal float RateFactorOf => (float)RateFactor;

    internal float DecayFactorOf(Parameter parameter) => (float)(DecayFactor ?? (parameter.Decayed ? 1 : 0));

    internal bool Adapts(Parameter parameter) => Adapted ?? parameter.Shape.Rank != 1;

    private static double ThrowIfNoFactor(double value) => value >= 0 && double.IsFinite(value)
        ? value
        : throw new ArgumentOutOfRangeException(nameof(value), value, "A factor is 0 or more, and finite.");
}
