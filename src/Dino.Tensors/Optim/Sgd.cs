using Dino.Tensors.Nn;

namespace Dino.Tensors.Optim;

/// <summary>Gradient descent with momentum μ and L2 decay: u ← μu + g + λp; p ← p − ηu, u starting at 0.</summary>
public sealed class Sgd : Optimizer
{
    private readonly Tensor momenta;
    private readonly float momentum;

    /// <summary>Starts with a momentum of 0.</summary>
    /// <param name="target">What is trained.</param>
    /// <param name="groups">Parameters to be treated apart.</param>
    /// <param name="momentum">μ, in [0, 1).</param>
    /// <inheritdoc cref="Optimizer(FlatParameters, IReadOnlyList{ParameterGroup})" path="/exception"/>
    public Sgd(FlatParameters target, IReadOnlyList<ParameterGroup>? groups = null, double momentum = 0.9) : base(target, groups)
    {
        this.momentum = Fraction(momentum, nameof(momentum));
        momenta = NewState("momentum");
    }

    /// <inheritdoc/>
    protected override void Update(in StepRates rates) =>
        MomentumStep.Run(Target, Table, Gradients, Factors, trust: null, momenta, momentum, rates);
}
