using Dino.Tensors.Kernels;
using Dino.Tensors.Nn;

namespace Dino.Tensors.Optim;

/// <summary>u ← 0.9 u + t (f g + λp); p ← p − ηu with the factor f of clipping and, for LARS, a trust ratio t for each parameter.</summary>
internal static class MomentumStep
{
    public static void Run(
        FlatParameters target, ChunkTable table, Tensor gradients, Tensor factors, Tensor? trust, Tensor momentum,
        double learningRate, double weightDecay, bool cancelLastLayer)
    {
        var device = target.Device;
        var settings = new Settings((float)learningRate, (float)weightDecay, cancelLastLayer ? 1 : 0, trust is null ? 0 : 1);
        var ratios = trust ?? factors; // no kernel argument may be missing; not read without trust
        if (device.IsHost)
            RowLoop<Body<Simd, HostMemory>>.OnHost(device, table.ChunkCount, ChunkTable.ChunkLength, new(
                settings, HostMemory.Of(table.Chunks), HostMemory.Of(factors), HostMemory.Of(ratios), HostMemory.Of(gradients),
                HostMemory.Of(target.Values), HostMemory.Of(momentum)));
        else
            RowLoop<Body<Lane, ViewMemory>>.OnAccelerator(device, table.ChunkCount, ChunkTable.ChunkLength, new(
                settings, ViewMemory.Of(table.Chunks), ViewMemory.Of(factors), ViewMemory.Of(ratios), ViewMemory.Of(gradients),
                ViewMemory.Of(target.Values), ViewMemory.Of(momentum)));
    }

    internal readonly struct Settings(float learningRate, float weightDecay, int cancelLastLayer, int hasTrust)
    {
        public readonly float LearningRate = learningRate, WeightDecay = weightDecay;
        public readonly int CancelLastLayer = cancelLastLayer, HasTrust = hasTrust;
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
            int at = row * ChunkTable.Columns, begin = chunks.Int(at), end = chunks.Int(at + 1), owner = chunks.Int(at + 2);
            int flags = chunks.Int(at + 3);
            if (settings.CancelLastLayer != 0 && (flags & ChunkTable.LastLayer) != 0)
                return;
            T factor = T.Of(factors[owner]), ratio = T.Of(settings.HasTrust != 0 ? trust[owner] : 1f);
            T decay = T.Of((flags & ChunkTable.Decayed) != 0 ? settings.WeightDecay : 0f);
            T rate = T.Of(-settings.LearningRate), keep = T.Of(0.9f);
            int step = lanes.Count * T.Width;
            for (int i = begin + lanes.Id * T.Width; i < end; i += step)
            {
                T p = parameter.Load(i, end);
                T u = T.Fma(T.Fma(decay, p, gradient.Load(i, end) * factor), ratio, keep * momentum.Load(i, end));
                momentum.Store(i, end, u);
                parameter.Store(i, end, T.Fma(rate, u, p));
            }
        }
    }
}
