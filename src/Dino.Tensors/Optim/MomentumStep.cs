using Dino.Tensors.Kernels;
using Dino.Tensors.Nn;

namespace Dino.Tensors.Optim;

/// <summary>u ← μu + t (f g + λp); p ← p − ηu with the factor f of clipping and, for LARS, a trust ratio t for each parameter.</summary>
internal static class MomentumStep
{
    public static void Run(
        FlatParameters target, ChunkTable table, Tensor gradients, Tensor factors, Tensor? trust, Tensor momenta, float momentum,
        in StepRates rates)
    {
        var settings = new Settings((float)rates.LearningRate, (float)rates.WeightDecay, momentum, rates.Held, trust is null ? 0 : 1);
        // No kernel argument may be missing; it is not read without trust.
        target.Device.Launch(new Launch(table, settings, factors, trust ?? factors, gradients, target.Values, momenta));
    }

    private readonly struct Launch(
        ChunkTable table, Settings settings, Tensor factors, Tensor trust, Tensor gradients, Tensor parameters, Tensor momenta) : ILaunch
    {
        void ILaunch.On<T, TMemory, TRun>(TRun run) => run.Rows(table.ChunkCount, ChunkTable.ChunkLength, new Body<T, TMemory>(
            settings, TMemory.Of(table.Chunks), TMemory.Of(factors), TMemory.Of(trust), TMemory.Of(gradients), TMemory.Of(parameters),
            TMemory.Of(momenta)));
    }

    internal readonly struct Settings(float learningRate, float weightDecay, float momentum, int held, int hasTrust)
    {
        public readonly float LearningRate = learningRate, WeightDecay = weightDecay, Momentum = momentum;
        public readonly int Held = held, HasTrust = hasTrust;
    }

    internal readonly struct Body<T, TMemory>(
        Settings settings, TMemory chunks, TMemory factors, TMemory trust,
        TMemory gradients, TMemory parameters, TMemory momenta) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly Settings settings = settings;
        private readonly TMemory chunks = chunks, factors = factors, trust = trust;
        private readonly TMemory gradients = gradients, parameters = parameters, momenta = momenta;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            TMemory gradient = gradients, parameter = parameters, momentum = momenta;
            var chunk = ParameterChunk.Read<T, TMemory>(chunks, row);
            if (chunk.IsHeld(settings.Held))
                return;
            T factor = T.Of(factors[chunk.Parameter]), ratio = T.Of(settings.HasTrust != 0 ? trust[chunk.Parameter] : 1f);
            T decay = T.Of(settings.WeightDecay * chunk.Decay), rate = T.Of(-settings.LearningRate * chunk.Rate);
            T keep = T.Of(settings.Momentum);
            int end = chunk.End, step = lanes.Count * T.Width;
            for (int i = chunk.Begin + lanes.Id * T.Width; i < end; i += step)
            {
                T p = parameter.Load(i, end);
                T u = T.Fma(T.Fma(decay, p, gradient.Load(i, end) * factor), ratio, keep * momentum.Load(i, end));
                momentum.Store(i, end, u);
                parameter.Store(i, end, T.Fma(rate, u, p));
            }
        }
    }
}
