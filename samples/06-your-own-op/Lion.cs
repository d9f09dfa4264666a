using Dino.Tensors;
using Dino.Tensors.Kernels;
using Dino.Tensors.Nn;
using Dino.Tensors.Optim;

namespace Dino.Samples;

/// <summary>
/// p ← p − η (sign(β₁ m + (1 − β₁) g) + λp), then m ← β₂ m + (1 − β₂) g, m starting at 0 (Chen et al., 2023): an optimizer. Clipping,
/// held groups, saving and loading are the base class's.
/// </summary>
public sealed class Lion : Optimizer
{
    private readonly Tensor momenta;
    private readonly float beta1, beta2;

    /// <summary>Starts with a momentum of 0.</summary>
    /// <param name="target">What is trained.</param>
    /// <param name="groups">Parameters to be treated apart.</param>
    /// <param name="beta1">How much of the direction is momentum.</param>
    /// <param name="beta2">How much momentum stays from step to step.</param>
    public Lion(FlatParameters target, IReadOnlyList<ParameterGroup>? groups = null, float beta1 = 0.9f, float beta2 = 0.99f)
        : base(target, groups)
    {
        (this.beta1, this.beta2) = (beta1, beta2);
        momenta = NewState("momentum");
    }

    /// <inheritdoc/>
    protected override void Update(in StepRates rates)
    {
        var settings = new Settings((float)rates.LearningRate, (float)rates.WeightDecay, beta1, beta2, rates.Held);
        Target.Device.Launch(new Launch(Table, settings, Factors, Gradients, Target.Values, momenta));
    }

    private readonly struct Launch(
        ChunkTable table, Settings settings, Tensor factors, Tensor gradients, Tensor parameters, Tensor momenta) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) => run.Rows(table.ChunkCount, ChunkTable.ChunkLength, new Body<T, TMemory>(
            settings, TMemory.Of(table.Chunks), TMemory.Of(factors), TMemory.Of(gradients), TMemory.Of(parameters), TMemory.Of(momenta)));
    }

    /// <summary>The numbers of a step as a kernel takes them.</summary>
    public readonly struct Settings(float learningRate, float weightDecay, float beta1, float beta2, int held)
    {
        internal readonly float LearningRate = learningRate, WeightDecay = weightDecay, Beta1 = beta1, Beta2 = beta2;
        internal readonly int Held = held;
    }

    /// <summary>One chunk of a parameter a row.</summary>
    public readonly struct Body<T, TMemory>(
        Settings settings, TMemory chunks, TMemory factors, TMemory gradients, TMemory parameters, TMemory momenta) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly Settings settings = settings;
        private readonly TMemory chunks = chunks, factors = factors, gradients = gradients, parameters = parameters, momenta = momenta;

        /// <inheritdoc/>
        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            TMemory gradient = gradients, parameter = parameters, momentum = momenta;
            var chunk = ParameterChunk.Read<T, TMemory>(chunks, row);
            if (chunk.IsHeld(settings.Held))
                return;
            T factor = T.Of(factors[chunk.Parameter]), rate = T.Of(-settings.LearningRate * chunk.Rate);
            T decay = T.Of(settings.WeightDecay * chunk.Decay), zero = T.Of(0), one = T.Of(1);
            T keep1 = T.Of(settings.Beta1), take1 = T.Of(1 - settings.Beta1);
            T keep2 = T.Of(settings.Beta2), take2 = T.Of(1 - settings.Beta2);
            for (int i = chunk.Begin + lanes.Id * T.Width; i < chunk.End; i += lanes.Count * T.Width)
            {
                T g = gradient.Load(i, chunk.End) * factor, m = momentum.Load(i, chunk.End), p = parameter.Load(i, chunk.End);
                T direction = T.Fma(keep1, m, take1 * g);
                T sign = T.WhereLess(zero, direction, one, T.WhereLess(direction, zero, -one, zero));
                parameter.Store(i, chunk.End, T.Fma(rate, T.Fma(decay, p, sign), p));
                momentum.Store(i, chunk.End, T.Fma(keep2, m, take2 * g));
            }
        }
    }
}
