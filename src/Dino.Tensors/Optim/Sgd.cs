using Dino.Tensors.Kernels;
using Dino.Tensors.Nn;

namespace Dino.Tensors.Optim;

/// <summary>Gradient descent with momentum 0.9 and L2 decay: u ← 0.9 u + g + λp; p ← p − ηu, u starting at 0.</summary>
public sealed class Sgd : Optimizer
{
    private const string Momentum = "momentum";

    private readonly Tensor momentum;

    /// <summary>Starts with a momentum of 0.</summary>
    public Sgd(FlatParameters target) : base(target) => momentum = NewState();

    /// <inheritdoc/>
    public override IReadOnlyList<HostTensor> Save() => Save(momentum, Momentum);

    /// <inheritdoc/>
    public override void Load(IEnumerable<HostTensor> state)
    {
        List<HostTensor> given = [.. state];
        Load(momentum, Momentum, given);
        ThrowIfAny(given);
    }

    private protected override void Update(double learningRate, double weightDecay, bool cancelLastLayer) =>
        MomentumStep.Run(Target, Table, Gradients, Factors, trust: null, momentum, learningRate, weightDecay, cancelLastLayer);

    private protected override void DisposeState() => momentum.Dispose();
}
