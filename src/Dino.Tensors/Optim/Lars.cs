using System.Runtime.CompilerServices;
using Dino.Tensors.Kernels;
using Dino.Tensors.Nn;

namespace Dino.Tensors.Optim;

/// <summary>
/// Layer-wise adaptive rate scaling (You, Gitman and Ginsburg, 2017), momentum 0.9: d = g + λp; u ← 0.9 u + 0.001 ‖p‖/‖d‖ · d;
/// p ← p − ηu. The ratio is 1 where a norm is 0, and for vectors, which do not decay either.
/// </summary>
public sealed class Lars : Optimizer
{
    private const string Momentum = "momentum";

    private readonly Tensor momentum, partials, trust;

    /// <summary>Starts with a momentum of 0.</summary>
    public Lars(FlatParameters target) : base(target)
    {
        momentum = NewState();
        partials = target.Device.RentUnowned(new Shape(2, Table.ChunkCount));
        trust = target.Device.RentUnowned(new Shape(Table.Parameters.Count));
    }

    /// <inheritdoc/>
    public override IReadOnlyList<HostTensor> Save() => Save(momentum, Momentum);

    /// <inheritdoc/>
    public override void Load(IEnumerable<HostTensor> state)
    {
        List<HostTensor> given = [.. state];
        Load(momentum, Momentum, given);
        ThrowIfAny(given);
    }

    private protected override void Update(double learningRate, double weightDecay, bool cancelLastLayer)
    {
        var device = Target.Device;
        int chunks = Table.ChunkCount, count = Table.Parameters.Count, mean = chunks / Math.Max(1, count);
        if (device.IsHost)
        {
            RowLoop<ChunkNorms<Simd, HostMemory>>.OnHost(device, chunks, ChunkTable.ChunkLength, new(
                (float)weightDecay, chunks, HostMemory.Of(Table.Chunks), HostMemory.Of(Factors), HostMemory.Of(Gradients),
                HostMemory.Of(Target.Values), HostMemory.Of(partials)));
            RowLoop<Finish<Simd, HostMemory>>.OnHost(device, count, mean, new(
                chunks, HostMemory.Of(Table.Ranges), HostMemory.Of(Table.Chunks), HostMemory.Of(partials), HostMemory.Of(trust)));
        }
        else
        {
            RowLoop<ChunkNorms<Lane, ViewMemory>>.OnAccelerator(device, chunks, ChunkTable.ChunkLength, new(
                (float)weightDecay, chunks, ViewMemory.Of(Table.Chunks), ViewMemory.Of(Factors), ViewMemory.Of(Gradients),
                ViewMemory.Of(Target.Values), ViewMemory.Of(partials)));
            RowLoop<Finish<Lane, ViewMemory>>.OnAccelerator(device, count, mean, new(
                chunks, ViewMemory.Of(Table.Ranges), ViewMemory.Of(Table.Chunks), ViewMemory.Of(partials), ViewMemory.Of(trust)));
        }
        MomentumStep.Run(Target, Table, Gradients, Factors, trust, momentum, learningRate, weightDecay, cancelLastLayer);
    }

    private protected override void DisposeState()
    {
        momentum.Dispose();
        partials.Dispose();
        trust.Dispose();
    }

    /// <summary>‖p‖ and ‖d‖ of every chunk.</summary>
    internal readonly struct ChunkNorms<T, TMemory>(
        float decay, int count, TMemory chunks, TMemory factors, TMemory gradients, TMemory parameters, TMemory partials) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly float decay = decay;
        private readonly int count = count;
        private readonly TMemory chunks = chunks, factors = factors, gradients = gradients, parameters = parameters, partials = partials;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            TMemory norms = partials;
            int at = row * ChunkTable.Columns, begin = chunks.Int(at), end = chunks.Int(at + 1);
            float factor = factors[chunks.Int(at + 2)], lambda = (chunks.Int(at + 3) & ChunkTable.Decayed) != 0 ? decay : 0f;
            float ofP = RowNorm.Of<T, TLanes, StoredNumbers<T, TMemory>>(lanes, new(parameters), begin, end);
            float ofD = RowNorm.Of<T, TLanes, Direction<T, TMemory>>(lanes, new(lambda, factor, parameters, gradients), begin, end);
            if (lanes.Id != 0)
                return;
            norms[row] = ofP;
            norms[count + row] = ofD;
        }
    }

    /// <summary>d = λp + g</summary>
    private readonly struct Direction<T, TMemory>(float lambda, float factor, TMemory parameters, TMemory gradients) : IRowNumbers<T>
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly float lambda = lambda, factor = factor;
        private readonly TMemory parameters = parameters, gradients = gradients;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public T At(int i, int end) => T.Fma(T.Of(lambda), parameters.Load(i, end), gradients.Load(i, end) * T.Of(factor));
    }

    /// <summary>The trust ratio of every parameter.</summary>
    internal readonly struct Finish<T, TMemory>(int count, TMemory ranges, TMemory chunks, TMemory partials, TMemory trust) : IRowBody
        where T : struct, IReal<T>
        where TMemory : struct, IMemory<TMemory, T>
    {
        private readonly int count = count;
        private readonly TMemory ranges = ranges, chunks = chunks, partials = partials, trust = trust;

        public void Row<TLanes>(TLanes lanes, int row) where TLanes : struct, ILanes
        {
            TMemory ratios = trust;
            int begin = ranges.Int(2 * row), end = ranges.Int(2 * row + 1);
            float p = RowNorm.Of<T, TLanes, StoredNumbers<T, TMemory>>(lanes, new(partials), begin, end);
            float d = RowNorm.Of<T, TLanes, StoredNumbers<T, TMemory>>(lanes, new(partials), count + begin, count + end);
            if (lanes.Id != 0)
                return;
            bool scaled = begin < end && (chunks.Int(begin * ChunkTable.Columns + 3) & ChunkTable.NotVector) != 0;
            ratios[row] = scaled && p > 0 && d > 0 ? 0.001f * p / d : 1;
        }
    }
}
